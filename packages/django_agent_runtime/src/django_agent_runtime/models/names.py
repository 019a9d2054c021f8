"""Texts as a database keeps them: no null bytes, no lone surrogates, and keys short enough for an index."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from django.db import models

__all__ = [
    "ANSWERS",
    "KEY_LENGTH",
    "ConversationNameField",
    "NameField",
    "answer_key",
    "key_of",
    "long_name",
    "name_of",
]

KEY_LENGTH = 255
"""Two keys of this length stand in one entry of an index, which PostgreSQL limits to 2,704 bytes."""

ANSWERS = "approval:"
"""What such names begin with; no owner's key does."""

# Escapes keep the order of code points: each is a character of its own place in the order and one that tells which.
_BELOW, _ABOVE = "\x01", "\ud7ff"
_SPECIAL = re.compile(f"[\0{_BELOW}{_ABOVE}\ud800-\udfff]")
_ESCAPED = re.compile(f"{_BELOW}(.)|{_ABOVE}(.)", re.DOTALL)
_FIRST_SURROGATE, _SHIFT = 0xD800, 0x100


def _escaped(found: re.Match[str]) -> str:
    character = found.group()
    if character in ("\0", _BELOW):
        return _BELOW + ("\x01" if character == "\0" else "\x02")
    if character == _ABOVE:
        return _ABOVE + "\x02"
    return _ABOVE + chr(ord(character) - _FIRST_SURROGATE + _SHIFT)


def _unescaped(found: re.Match[str]) -> str:
    below, above = found.groups()
    if below is not None:
        return "\0" if below == "\x01" else _BELOW
    return _ABOVE if above == "\x02" else chr(ord(above) - _SHIFT + _FIRST_SURROGATE)


def _storable(name: str) -> str:
    return _SPECIAL.sub(_escaped, name)


def key_of(name: str) -> str:
    """The text as a key of at most 255 characters, one of its own for every text.

    Keys have the order of the texts' code points; only longer texts that begin alike are ordered among themselves by a
    digest. Ordinary texts are their own keys.
    """
    text = _storable(name)
    if len(text) < KEY_LENGTH:
        return text
    digest = sha256(text.encode()).hexdigest()
    return text[: KEY_LENGTH - len(digest)] + digest


def answer_key(approval_id: str) -> str:
    """What the runs that carry out a person's answer to this go by, as agents name the message that tells of it."""
    return key_of(f"{ANSWERS}{approval_id}")


def long_name(name: str) -> str | None:
    """The whole text, storable, where it does not fit into its key; else None."""
    text = _storable(name)
    return None if len(text) < KEY_LENGTH else text


def name_of(key: str, whole: str | None) -> str:
    """The text that was given for a key."""
    return _ESCAPED.sub(_unescaped, key if whole is None else whole)


if TYPE_CHECKING:
    _CharField = models.CharField[str, str]
else:
    _CharField = models.CharField


class NameField(_CharField):
    """A key that the database compares by code points, whatever its language is set to."""

    _COLLATIONS = {"postgresql": "C", "mysql": "utf8mb4_bin"}  # noqa: RUF012 - a constant

    def db_parameters(self, connection):  # type: ignore[no-untyped-def]  # as Django writes it
        """The column, with the collation of its database."""
        return {**super().db_parameters(connection), "collation": self._COLLATIONS.get(connection.vendor)}


class ConversationNameField(NameField):
    """The name of a conversation in the store: where none was given, its id as text."""

    def pre_save(self, model_instance, add):  # type: ignore[no-untyped-def]  # as Django writes it
        """The name as it is stored."""
        if not getattr(model_instance, self.attname):
            setattr(model_instance, self.attname, str(model_instance.pk))
        return super().pre_save(model_instance, add)
