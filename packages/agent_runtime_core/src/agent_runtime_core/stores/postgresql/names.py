"""Texts as PostgreSQL keeps them: bytes, which hold every text, and keys short enough for an index."""

from __future__ import annotations

from hashlib import sha256

__all__ = ["key_of", "key_of_name", "long_name", "long_name_of", "name_of", "whole_name"]

_MAX_KEY_BYTES = 1000
"""An entry of an index has at most 2,704 bytes, and two keys stand in one."""


def key_of(name: str) -> bytes:
    """The text as a key of at most 1,000 bytes, one of its own for every text.

    Keys have the order of the texts' code points; only texts beyond 1,000 bytes that begin alike are ordered
    among themselves by a digest.
    """
    data = _data(name)
    if len(data) < _MAX_KEY_BYTES:
        return data
    digest = sha256(data).digest()
    return data[: _MAX_KEY_BYTES - len(digest)] + digest


def whole_name(name: str) -> bytes:
    """The text, whole; for columns without an index."""
    return _data(name)


def key_of_name(column: str) -> str:
    """The key of a text that stands whole in a column, in the database's words."""
    return f"""CASE WHEN octet_length({column}) < {_MAX_KEY_BYTES} THEN {column}
        ELSE substring({column} FOR {_MAX_KEY_BYTES - sha256().digest_size}) || sha256({column}) END"""


def long_name_of(column: str) -> str:
    """`long_name` of a text that stands whole in a column, in the database's words."""
    return f"CASE WHEN octet_length({column}) >= {_MAX_KEY_BYTES} THEN {column} END"


def long_name(name: str) -> bytes | None:
    """The whole text, where it does not fit into its key; else None."""
    data = _data(name)
    return None if len(data) < _MAX_KEY_BYTES else data


def name_of(key: bytes, whole: bytes | None) -> str:
    """The text that was given for a key."""
    return (key if whole is None else whole).decode("utf-8", "surrogatepass")


def _data(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")
