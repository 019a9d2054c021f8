"""What a run is given, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent_runtime_core.messages import MessageDict

__all__ = ["RunInput"]

_KEYS = ("messages", "params", "conversation_id")


@dataclass(frozen=True, kw_only=True)
class RunInput:
    """The input of a run."""

    messages: list[MessageDict]
    """The conversation up to the user's last message."""
    params: dict[str, Any]
    """Parameters of this run."""
    conversation_id: Any
    """The conversation, or None."""

    @classmethod
    def read(cls, data: Mapping[str, Any] | None) -> RunInput:
        """The input in `{"messages": [...], "params": {...}, "conversation_id": ...}`; every key may be missing.

        Raises:
            TypeError: It is no such dict; the text says what is wrong.
        """
        if data is None:
            data = {}
        if not isinstance(data, Mapping):
            raise TypeError(f"input_data is of type {type(data).__name__}; give a dict with some of {_KEYS}")
        unknown = [key for key in data if key not in _KEYS]
        if unknown:
            raise TypeError(f"input_data has {unknown}, which no run gets; it may have {_KEYS}")
        messages = data.get("messages")
        messages = [] if messages is None else messages
        if not isinstance(messages, list) or not all(isinstance(message, Mapping) for message in messages):
            raise TypeError("input_data['messages'] must be a list of dicts such as {'role': 'user', 'content': 'Hi'}")
        params = data.get("params")
        params = {} if params is None else params
        if not isinstance(params, Mapping):
            raise TypeError(f"input_data['params'] is of type {type(params).__name__}; give a dict")
        return cls(messages=list(messages), params=dict(params), conversation_id=data.get("conversation_id"))
