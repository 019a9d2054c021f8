"""Names of conversations as Redis orders and keeps them."""

from __future__ import annotations

__all__ = ["as_bytes", "as_text", "first_of", "name_of", "owner_and_id"]

# Bytes are compared one by one: a null byte inside an owner must stay behind the end of a shorter one.
_NULL, _KEPT_NULL, _END, _BEHIND = b"\0", b"\0\xff", b"\0\1", b"\0\2"


def as_bytes(text: str) -> bytes:
    """Any text, also one with lone surrogates, as bytes that are ordered as its code points are."""
    return text.encode("utf-8", "surrogatepass")


def as_text(data: bytes) -> str:
    """The text again."""
    return data.decode("utf-8", "surrogatepass")


def name_of(owner: str, conversation_id: str) -> bytes:
    """A conversation's name in the index: ordered by owner, then id."""
    return as_bytes(owner).replace(_NULL, _KEPT_NULL) + _END + as_bytes(conversation_id)


def owner_and_id(name: bytes) -> tuple[str, str]:
    """Whose conversation a name names, and its id."""
    owner, _, conversation_id = name.partition(_END)
    return as_text(owner.replace(_KEPT_NULL, _NULL)), as_text(conversation_id)


def first_of(owner: str) -> tuple[bytes, bytes]:
    """What all names of an owner's conversations lie between."""
    start = as_bytes(owner).replace(_NULL, _KEPT_NULL)
    return start + _END, start + _BEHIND
