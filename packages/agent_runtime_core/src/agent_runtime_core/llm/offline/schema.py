"""The offered tools as the rules see them: each with the single values that it wants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from agent_runtime_core.llm.offline.passage import joined_words, stem

__all__ = ["OfferedTool", "Parameter", "Path", "merge", "read_tools", "set_at"]

Path = tuple[str, ...]
"""Where a value goes in the arguments: `("address", "city")` is `{"address": {"city": ...}}`."""

_MAX_DEPTH = 4
_MAX_PARAMETERS = 60
_BY_PYTHON_TYPE = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value that a tool takes: a leaf of its schema."""

    path: Path
    """Where the value goes in the arguments."""
    schema: Mapping[str, Any]
    """The leaf's own schema, references followed, one type chosen."""
    anchor: Path | None
    """The object whose presence calls for it: `()` when every call does, None when nothing does."""
    type: str
    """`string`, `integer`, `number`, `boolean` or `array`."""
    items: tuple[Parameter, ...] = ()
    """For an array: the value (with an empty path), or the values of the object, that one item is made of."""
    item_fixed: Mapping[str, Any] = field(default_factory=dict)
    """For an array of objects: what all its items have in common."""

    @property
    def required(self) -> bool:
        """Whether the tool cannot be called without it."""
        return self.anchor == ()

    @property
    def label(self) -> str:
        """The name as words: `order number` for `order_number`."""
        return " ".join(joined_words(self.path[-1])) if self.path else ""

    @property
    def description(self) -> str:
        """What the schema says about it, or the empty text."""
        return _text(self.schema.get("description"))

    @property
    def choices(self) -> list[Any]:
        """The values of its `enum`; empty when it has none. For an array: those of its items."""
        values = self.schema.get("enum")
        if not isinstance(values, list) and self.type == "array" and len(self.items) == 1 and not self.items[0].path:
            return self.items[0].choices
        return list(values) if isinstance(values, list) else []

    @property
    def is_free_text(self) -> bool:
        """Whether any words may do."""
        return self.type == "string" and not self.choices


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool that may be called now."""

    name: str
    """What the model calls it."""
    description: str
    """What its schema says that it does."""
    parameters: tuple[Parameter, ...] = ()
    """The values that it takes, in the order of its schema."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Arguments with one possible value only."""

    @property
    def required(self) -> list[Parameter]:
        """The values without which it cannot be called."""
        return [each for each in self.parameters if each.required]

    @property
    def name_stems(self) -> list[str]:
        """The stems of the words in its name, in order."""
        return [stem(word) for word in joined_words(self.name)]

    def arguments(self, values: Mapping[Path, Any]) -> dict[str, Any]:
        """The arguments of a call with these values; an optional object that lacks a part of its own is left out."""
        broken = {each.anchor for each in self.parameters if each.anchor and each.path not in values}
        result: dict[str, Any] = {}
        merge(result, self.fixed)
        for path in (each.path for each in self.parameters if each.path in values):
            if not any(path[: len(anchor)] == anchor for anchor in broken if anchor):
                set_at(result, path, values[path])
        return result


def set_at(target: dict[str, Any], path: Path, value: Any) -> None:
    """Put a value where its path says."""
    for name in path[:-1]:
        target = target.setdefault(name, {})
    if path:
        target[path[-1]] = value


def merge(target: dict[str, Any], source: Mapping[str, Any]) -> None:
    """Copy nested dicts, so that no schema is ever changed."""
    for name, value in source.items():
        if isinstance(value, Mapping):
            merge(target.setdefault(name, {}), value)
        else:
            target[name] = value


def read_tools(tools: Any) -> list[OfferedTool]:
    """Read tools in OpenAI's form; what has no name is passed over, as is a second tool of the same name."""
    found: dict[str, OfferedTool] = {}
    for tool in tools if isinstance(tools, Sequence) and not isinstance(tools, str) else ():
        if not isinstance(tool, Mapping):
            continue
        function = tool.get("function")
        source = function if isinstance(function, Mapping) else tool
        name = source.get("name")
        if isinstance(name, str) and name and name not in found:
            root = source.get("parameters")
            root = root if isinstance(root, Mapping) else {}
            fixed: dict[str, Any] = {}
            leaves = islice(_leaves(_resolved(root, root), root, (), (), fixed), _MAX_PARAMETERS)
            found[name] = OfferedTool(name, _text(source.get("description")), tuple(leaves), fixed)
    return list(found.values())


def _leaves(
    schema: Mapping[str, Any],
    root: Mapping[str, Any],
    path: Path,
    anchor: Path,
    fixed: dict[str, Any],
    depth: int = 0,
) -> Iterator[Parameter]:
    """The single values of an object schema; what every call has and has one possible value goes into `fixed`."""
    needed = schema.get("required")
    names = [name for name in needed if isinstance(name, str)] if isinstance(needed, list) else []
    properties = schema.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    for name in [*properties, *(name for name in names if name not in properties)]:
        if not isinstance(name, str):
            continue
        own = _resolved(properties.get(name), root)
        here = (*path, name)
        own_anchor = anchor if name in names else None
        kind = _type_of(own)
        # The one choice of an inner object tells its kind; that of a whole call is still the user's to name.
        only = own["const"] if "const" in own else _only(own.get("enum")) if depth else None
        if only is not None and own_anchor == ():
            set_at(fixed, here, only)
        elif kind == "object":
            if own_anchor == ():  # when it needs nothing, the empty one will do and makes nothing up
                set_at(fixed, here, {})
            if depth < _MAX_DEPTH:
                yield from _leaves(own, root, here, here if own_anchor is None else own_anchor, fixed, depth + 1)
        elif kind == "array":
            in_common: dict[str, Any] = {}
            yield Parameter(here, own, own_anchor, kind, _items(own, root, in_common, depth), in_common)
        else:
            yield Parameter(here, own, own_anchor, kind)


def _items(
    schema: Mapping[str, Any], root: Mapping[str, Any], fixed: dict[str, Any], depth: int
) -> tuple[Parameter, ...]:
    """What one item of an array is made of; nothing when the rules cannot make one."""
    own = _resolved(schema.get("items"), root)
    kind = _type_of(own)
    if kind == "object" and depth < _MAX_DEPTH:
        return tuple(islice(_leaves(own, root, (), (), fixed, depth + 1), _MAX_PARAMETERS))
    return () if kind in ("array", "object") else (Parameter((), own, (), kind),)


def _resolved(schema: Any, root: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """A schema with its reference followed and one of its alternatives chosen: the first that is not null."""
    if not isinstance(schema, Mapping) or depth > 8:
        return {}
    own = dict(schema)
    others: list[Any] = [_referred(own.pop("$ref"), root)] if "$ref" in own else []
    parts = own.pop("allOf", None)
    others.extend(parts if isinstance(parts, list) else [])
    for name in ("anyOf", "oneOf"):
        options = own.pop(name, None)
        if isinstance(options, list):
            read = [_resolved(option, root, depth + 1) for option in options[:20]]
            others.extend([option for option in read if option.get("type") != "null"][:1])
    for other in others[:20]:
        for key, value in _resolved(other, root, depth + 1).items():
            own.setdefault(key, value)
    kinds = own.get("type")
    if isinstance(kinds, list):
        own["type"] = next((kind for kind in kinds if isinstance(kind, str) and kind != "null"), "string")
    return own


def _referred(reference: Any, root: Mapping[str, Any]) -> Any:
    """The part of the schema that a local reference names."""
    target: Any = root
    steps = reference.removeprefix("#").strip("/").split("/") if isinstance(reference, str) else [""]
    for step in steps:
        target = target.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(target, Mapping) else None
    return target


def _type_of(schema: Mapping[str, Any]) -> str:
    """The type of a schema, or the one that its other keywords imply."""
    kind = schema.get("type")
    if isinstance(kind, str) and kind in _BY_PYTHON_TYPE.values():
        return kind
    if isinstance(schema.get("properties"), Mapping):
        return "object"
    if "items" in schema:
        return "array"
    choices = schema.get("enum")
    example = choices[0] if isinstance(choices, list) and choices else schema.get("default", "")
    return _BY_PYTHON_TYPE.get(type(example), "string")


def _only(choices: Any) -> Any:
    """The one choice of an `enum`, when it has just one."""
    return choices[0] if isinstance(choices, list) and len(choices) == 1 else None


def _text(value: Any) -> str:
    return value.strip()[:2_000] if isinstance(value, str) else ""
