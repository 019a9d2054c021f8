"""A message as memory keeps it, so that reading knows at a glance which copies have to go deep."""

from __future__ import annotations

from typing import Any

from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores.json_data import ATOMS, check_json_object, checked_copy, fresh_copy

__all__ = ["KeptMessage", "given", "kept", "object_copy"]

KeptMessage = MessageDict | tuple[MessageDict]
"""A message without anything in it that can change is kept as it is; one with lists or dicts in it, in a tuple."""


def kept(message: MessageDict, name: str) -> KeptMessage:
    """The message's own copy, for keeping.

    Raises:
        TypeError: It is no dict of JSON data.
    """
    if message.__class__ is dict:
        for key, value in message.items():
            if value.__class__ not in ATOMS or key.__class__ is not str:
                break
        else:
            return message.copy()
    return (object_copy(message, name),)


def given(message: KeptMessage) -> MessageDict:
    """A copy of a kept message, for the reader."""
    if isinstance(message, dict):
        return message.copy()
    copy: MessageDict = fresh_copy(message[0])
    return copy


def object_copy(value: dict[str, Any], name: str) -> dict[str, Any]:
    """A dict's own copy.

    Raises:
        TypeError: It is no dict of JSON data.
    """
    if not isinstance(value, dict):
        check_json_object(value, name)
    copy: dict[str, Any] = checked_copy(value, name)
    return copy
