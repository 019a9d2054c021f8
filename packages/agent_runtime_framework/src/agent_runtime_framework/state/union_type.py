"""A value of one type or another, as JSON data that says which."""

from __future__ import annotations

from typing import Annotated, Any, Optional

from agent_runtime_framework.state.stored_type import Kind, Misfit, Reader, StoredType, Unstorable, kind_of, misfit

__all__ = ["union_type"]

_NATIVE: dict[Any, Kind] = {str: "str", int: "int", float: "float", bool: "bool"}


def union_type(members: list[StoredType]) -> StoredType:
    """One of several types.

    Data that says by its kind which member it is stays as the member writes it. Where two members have a kind in
    common, `str`, `int`, `float` and `bool` still do; a value of another member becomes `{"$name": data}`.

    Raises:
        Unstorable: Two members have the same name.
    """
    nullable = any(member.python_type is type(None) for member in members)
    others = [member for member in members if member.python_type is not type(None)]
    if len(others) == 1:
        inner = others[0]
        return StoredType(
            name=f"{inner.name} | None",
            write=lambda value: None if value is None else inner.write(value),
            annotation=Optional[inner.annotation],  # noqa: UP045 - `|` does not take every annotation
            kinds=inner.kinds | {"null"},
            as_is=inner.as_is | {type(None)},
        )
    union = _Union(others, nullable)
    return StoredType(
        name=union.name,
        write=union.write,
        annotation=Annotated[Any, Reader(union.read)],
        kinds=union.kinds,
    )


class _Union:
    """How each member is written and read."""

    def __init__(self, members: list[StoredType], nullable: bool) -> None:
        self.name = " | ".join([*(member.name for member in members), *(["None"] if nullable else [])])
        self._members = members
        self._nullable = nullable
        plain = [member for member in members if _is_plain(member, members, nullable)]
        self._tag_of = {id(member): f"${member.name}" for member in members if member not in plain}
        self._tagged = {f"${member.name}": member for member in members if member not in plain}
        if len(self._tagged) < len(self._tag_of):
            raise Unstorable(f"two members of {self.name} have the same name, so that data could not say which it is")
        self._in_reading_order = [*plain, *self._tagged.values()]
        kinds: set[Kind] = {kind for member in plain for kind in member.kinds}
        if self._tagged:
            kinds.add("dict")
        if nullable:
            kinds.add("null")
        self.kinds = frozenset(kinds)
        self._adapters: dict[int, Any] = {}

    def write(self, value: Any) -> Any:
        if value is None and self._nullable:
            return None
        kind = type(value)
        exact = [member for member in self._members if member.python_type is kind]
        for member in (*exact, *(member for member in self._members if member not in exact)):
            try:
                data = member.write(value)
            except Misfit:
                continue
            tag = self._tag_of.get(id(member))
            return data if tag is None else {tag: data}
        raise misfit(value, self.name)

    def read(self, data: Any) -> Any:
        if data is None and self._nullable:
            return None
        if type(data) is dict and len(data) == 1:
            (tag,) = data
            if tag in self._tagged:
                return self._read_as(self._tagged[tag], data[tag])
        kind = kind_of(data)
        # Data of an older version, or written by hand, may lack its tag; the first member that takes it has it.
        # An int is read as a float only where no member takes ints.
        candidates = [member for member in self._in_reading_order if kind in member.kinds]
        candidates += [member for member in self._in_reading_order if member not in candidates]
        for member in candidates:
            try:
                return self._read_as(member, data)
            except ValueError:  # pydantic's errors are ValueErrors, too
                continue
        raise Misfit(f"is not {self.name}")

    def _read_as(self, member: StoredType, data: Any) -> Any:
        adapter = self._adapters.get(id(member))
        if adapter is None:
            from agent_runtime_framework.state.pydantic_adapter import adapter_of

            adapter = self._adapters[id(member)] = adapter_of(member.annotation)
        return adapter.validate_python(data)


def _is_plain(member: StoredType, members: list[StoredType], nullable: bool) -> bool:
    """Whether data of this member needs no tag."""
    if member.python_type in _NATIVE:
        return True
    taken: set[Kind] = {kind for other in members if other is not member for kind in other.kinds}
    # Tags are dicts: as soon as one other member may need one, a dict would not say what it is.
    if "dict" in member.kinds and len(members) > 1:
        taken_by_others = [other for other in members if other is not member and other.python_type not in _NATIVE]
        if taken_by_others:
            return False
    return not (member.kinds & taken) and not (nullable and "null" in member.kinds)
