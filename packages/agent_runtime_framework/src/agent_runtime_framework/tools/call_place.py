"""Where in a conversation a tool call stands, and the key that names it to the outside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from agent_runtime_core.messages import ToolCall

__all__ = ["CallPlace"]

_KEYS = UUID("6f0f2a0c-6d0b-4a53-9d5e-2d7f6f1c7a11")
"""The namespace of the keys."""


@dataclass(slots=True)
class CallPlace:
    """A tool call at its place: a run that is done again comes to the same place, and no other call has it.

    One is made for each call, and few are asked for their key: so it holds what there is, and no way back to the run.
    """

    ctx: Any
    """The request: whose conversation it is, and which run."""
    version: int | None
    """The version of the conversation that the turn builds on; None when the caller keeps the messages."""
    message_count: int
    """How many messages the run has had before."""
    number: int
    """Which call of its turn it is."""
    call: ToolCall
    """The call."""

    def key(self) -> str:
        """A UUID as text, made of the place, the tool and its arguments."""
        ctx = self.ctx
        if self.version is None:
            scope = [str(ctx.run_id), str(self.message_count)]
        else:
            scope = [ctx.owner, str(ctx.conversation_id), str(self.version)]
        arguments = json.dumps(self.call.arguments, sort_keys=True, default=str)
        return str(uuid5(_KEYS, json.dumps([*scope, self.number, self.call.name, arguments])))
