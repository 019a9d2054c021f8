"""A message as it is stored, and what may be stored as one."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent_runtime_core.messages import MessageDict
from agent_runtime_framework.memory.copying import copied

__all__ = ["StoredMessage", "message_dict", "with_roles"]

_LOGGER = logging.getLogger(__name__)


@dataclass
class StoredMessage:
    """One message of a stored conversation: nothing of it is lost on the way in or out."""

    role: str
    """`system`, `user`, `assistant` or `tool`."""
    content: Any = None
    """The text, or content parts, or None (an assistant that only calls tools)."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Notes of the application."""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    """For an assistant message: the tool calls, as the model gave them."""
    tool_call_id: str | None = None
    """For a tool message: the call that it answers."""
    name: str | None = None
    """For a tool message: the tool's name."""
    extra: dict[str, Any] = field(default_factory=dict)
    """What else the message holds, by key: some vendors want their own additions back."""

    def to_dict(self) -> MessageDict:
        """`role`, and each other field that is set; the entries of `extra` stand beside them."""
        data: MessageDict = {"role": self.role}
        if self.content is not None:
            data["content"] = self.content
        if self.metadata:
            data["metadata"] = self.metadata
        if self.tool_calls:
            data["tool_calls"] = self.tool_calls
        if self.tool_call_id:
            data["tool_call_id"] = self.tool_call_id
        if self.name:
            data["name"] = self.name
        data.update(self.extra)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StoredMessage:
        """Read what `to_dict` gives, or any message in its wire form.

        Raises:
            KeyError: There is no `role`.
        """
        return cls(
            data["role"],
            data.get("content"),
            data.get("metadata") or {},
            data.get("tool_calls") or [],
            data.get("tool_call_id"),
            data.get("name"),
            {key: value for key, value in data.items() if key not in _FIELDS},
        )


_FIELDS = frozenset({"role", "content", "metadata", "tool_calls", "tool_call_id", "name"})


def message_dict(message: Any) -> MessageDict:
    """A message to be stored, as a dict of its own: from a dict, a `StoredMessage` or an `AgentMessage`.

    Raises:
        TypeError: It is none of them.
        ValueError: It has no role.
    """
    if isinstance(message, Mapping):
        data = dict(message)
    elif hasattr(message, "to_dict") and not isinstance(message, type):
        data = dict(message.to_dict())
        # An AgentMessage leaves its notes out of the wire form; they are worth keeping.
        if metadata := getattr(message, "metadata", None):
            data.setdefault("metadata", metadata)
    else:
        raise TypeError(f"a message is a dict, a StoredMessage or an AgentMessage, not {type(message).__name__}.")
    if not isinstance(data.get("role"), str):
        raise ValueError(f"a message needs a 'role'; this one has only {sorted(map(str, data))}.")
    if data.get("tool_calls"):
        data["tool_calls"] = [_call_dict(call) for call in data["tool_calls"]]
    own: MessageDict = copied(data)
    return own


def _call_dict(call: Any) -> Any:
    """A tool call as a dict; the objects of `LLMResponse.tool_calls` can be stored, too."""
    return call.to_dict() if hasattr(call, "to_dict") else call


def with_roles(stored: Iterable[Any], conversation_id: str) -> list[MessageDict]:
    """Those of the stored messages that have a role; what somebody else has left there without one is logged."""
    messages = []
    for position, message in enumerate(stored):
        if isinstance(message, Mapping) and isinstance(message.get("role"), str):
            messages.append(dict(message))
        else:
            _LOGGER.warning(
                "What is number %d of those read of conversation %r is no message, for it has no role, and was left "
                "out; the store keeps it.",
                position,
                conversation_id,
            )
    return messages
