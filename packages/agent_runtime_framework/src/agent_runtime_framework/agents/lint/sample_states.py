"""States to ask a journey with: what it offers may depend on its data."""

from __future__ import annotations

import copy
import dataclasses
import types
import typing
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, Literal

__all__ = ["MOST_STATES", "sample_states"]

MOST_STATES = 200
"""How many states are tried at a step."""

_FILLING: dict[Any, Any] = {str: "x", int: 1, float: 1.0, bool: True}
_DEEPEST = 3


class _Everything(dict[Any, Any]):
    """A dict that has every key, with the same value."""

    def __init__(self, value: Any) -> None:
        super().__init__({"x": value})

    def __missing__(self, key: Any) -> Any:
        return self["x"]

    def __contains__(self, key: object) -> bool:
        return True

    def get(self, key: Any, default: Any = None) -> Any:
        return self["x"]


def sample_states(initial: Any, constants: Iterable[Any] = ()) -> list[Any]:
    """The initial state, and others with sample data in its fields, at most `MOST_STATES`.

    One has something in every field, others in one field only, or in all but one; and each value of a boolean, an
    enum or a `Literal` comes up. A state that cannot be copied stands alone.

    Args:
        initial: The state.
        constants: Texts and numbers to be tried in fields of their types, as the journey's code knows them.
    """
    constants = list(constants)
    try:
        states = [copy.deepcopy(initial)]
        fields = vars(initial)
    except Exception:  # a state may hold anything, also what does not let itself be copied
        return [initial]
    hints = _hints(type(initial))
    samples: dict[str, Any] = {}
    choices: list[tuple[str, Any]] = []
    for name, value in fields.items():
        if name == "step" or name.startswith("_"):
            continue
        hint = hints.get(name, type(value))
        sample = _sample(hint, value, 0)
        if sample is not None:
            samples[name] = sample
        choices += [(name, each) for each in [*_choices(hint), *_of_type(hint, constants)] if each != sample]
    for changes in _changes(samples, choices):
        if len(states) >= MOST_STATES:
            break
        try:
            state = copy.deepcopy(initial)
            for name, value in changes.items():
                object.__setattr__(state, name, copy.deepcopy(value))
        except Exception:  # a state may hold anything, also what does not let itself be copied
            break
        states.append(state)
    return states


def _changes(samples: dict[str, Any], choices: list[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
    if samples:
        yield samples
    for name, value in choices:
        yield {**samples, name: value}
    for name, value in samples.items():
        yield {name: value}
    for name in samples:
        yield {other: value for other, value in samples.items() if other != name}
    for name, value in choices:
        yield {name: value}


def _hints(state_class: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(state_class)
    except Exception:  # an annotation may name what is not there at run time
        return {}


def _sample(hint: Any, present: Any, depth: int) -> Any:
    """Something for a field of this type; None when nothing comes to mind."""
    if depth > _DEEPEST:
        return None
    hint = _without_none(hint)
    if hint in _FILLING:
        return _FILLING[hint]
    origin, arguments = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin in {list, set, tuple, frozenset}:
        item = _sample(arguments[0], None, depth + 1) if arguments else "x"
        try:
            return None if item is None else origin([item])
        except TypeError:  # not hashable
            return None
    if origin is dict:
        value = _sample(arguments[1], None, depth + 1) if len(arguments) == 2 else None
        return _Everything("x" if value is None else value)
    choices = _choices(hint)
    if choices:
        return choices[0]
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and present is None:
        hints = _hints(hint)
        made = {each.name: _sample(hints.get(each.name), None, depth + 1) for each in dataclasses.fields(hint)}
        thing = object.__new__(hint)  # its constructor is not asked: no code of the user's runs here
        for name, each in made.items():
            object.__setattr__(thing, name, each)
        return thing
    return None


def _of_type(hint: Any, constants: list[Any]) -> list[Any]:
    """Numbers and texts for a field of this type."""
    hint = _without_none(hint)
    if hint in {int, float}:
        return [0, 1000, *(value for value in constants if value.__class__ in {int, float})]
    return [value for value in constants if value.__class__ is str] if hint is str else []


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        rest = [each for each in typing.get_args(hint) if each is not type(None)]
        return rest[0] if rest else None
    return hint


def _choices(hint: Any) -> list[Any]:
    """The values of a type that has only a few."""
    hint = _without_none(hint)
    if hint is bool:
        return [True, False]
    if typing.get_origin(hint) is Literal:
        return list(typing.get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return list(hint)
    return []
