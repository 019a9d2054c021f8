"""JSON as a database keeps it: text that reads back exactly, and columns that take any text."""

from __future__ import annotations

import re
from typing import Any

from django.db import models

from agent_runtime_core.stores.json_data import decoded, encoded

__all__ = ["AnyTextJSONField", "read_document", "to_document"]

# JSON text has no control characters of its own, so one of them can mark what no database takes: half an emoji.
_MARK = "\x1a"
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKED = re.compile(f"{_MARK}([0-9a-f]{{4}})")
_REPLACED = re.compile("[\0\ud800-\udfff]")


def to_document(value: dict[str, Any], name: str) -> str:
    """The dict as compact JSON text, which `read_document` reads back equal.

    Raises:
        TypeError: It is no dict of JSON data; the text says where and why.
    """
    text = encoded(value, name)
    if isinstance(text, str):
        return text
    return _SURROGATE.sub(lambda found: f"{_MARK}{ord(found.group()):04x}", text.decode("utf-8", "surrogatepass"))


def read_document(text: str | None) -> dict[str, Any]:
    """The dict in a text that `to_document` gave.

    Raises:
        ValueError: There is none; somebody else has changed it.
    """
    if not text:
        raise ValueError("there is nothing in it")
    if _MARK in text:
        text = _MARKED.sub(lambda found: chr(int(found.group(1), 16)), text)
    value = decoded(text.encode("utf-8", "surrogatepass"))
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    return value


class AnyTextJSONField(models.JSONField):
    """A JSON column that can be searched, and takes texts with null bytes or half an emoji: U+FFFD stands for those."""

    def get_db_prep_value(self, value, connection, prepared=False):  # type: ignore[no-untyped-def]  # as Django does
        """The value as the database takes it."""
        return super().get_db_prep_value(_clean(value), connection, prepared)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _REPLACED.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(item) for item in value]
    return value
