"""Which enum a state class takes its steps from."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, get_args, get_type_hints

__all__ = ["step_enum"]


def step_enum(state_class: type, names: Mapping[str, Any] | None = None) -> type[Enum] | None:
    """The enum in the type arguments (`BaseJourneyState[Step]`), else that of the annotation of `step`; None without.

    Args:
        state_class: A class derived from `BaseJourneyState`.
        names: What its annotations may name beside the names of its module.
    """
    for owner in state_class.__mro__:
        for base in vars(owner).get("__orig_bases__", ()):
            enums = [argument for argument in get_args(base) if _is_enum(argument)]
            if len(enums) == 1:
                return enums[0]  # type: ignore[no-any-return]
    try:
        annotation = get_type_hints(state_class, localns=dict(names or {})).get("step")
    except NameError:
        return None
    return annotation if _is_enum(annotation) else None


def _is_enum(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Enum) and len(annotation) > 0
