"""Where in a conversation a tool call stands, and the key that names it to the outside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID, uuid5

from agent_runtime_core.messages import ToolCall

__all__ = ["CallPlace"]

_KEYS = UUID("6f0f2a0c-6d0b-4a53-9d5e-2d7f6f1c7a11")
"""The namespace of the keys."""


@dataclass(frozen=True, slots=True)
class CallPlace:
    """A tool call at its place: a run that is done again comes to the same place, and no other call has it."""

    scope: tuple[str, ...]
    """What the place is in: owner, conversation and version, or a run of its own."""
    number: int
    """Which call of its turn it is."""
    call: ToolCall
    """The call."""

    def key(self) -> str:
        """A UUID as text, made of the place, the tool and its arguments."""
        arguments = json.dumps(self.call.arguments, sort_keys=True, default=str)
        return str(uuid5(_KEYS, json.dumps([*self.scope, self.number, self.call.name, arguments])))
