"""A run context for tests: it remembers what an agent has emitted and kept."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from uuid import UUID, uuid4

from agent_runtime_core.interfaces import EventType, Tool, ToolRegistry
from agent_runtime_core.messages import MessageDict

__all__ = ["MockRunContext", "create_test_context"]


@dataclass
class MockRunContext:
    """A `RunContext` that records, and sends nothing anywhere."""

    input_messages: list[MessageDict] = field(default_factory=list)
    """The conversation up to the user's last message."""
    params: dict[str, Any] = field(default_factory=dict)
    """Parameters of this run."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Notes of the host."""
    run_id: UUID = field(default_factory=uuid4)
    """The run."""
    conversation_id: UUID | None = None
    """The conversation that it belongs to, if any."""
    tool_registry: ToolRegistry = field(default_factory=ToolRegistry)
    """The tools that the host offers."""
    _events: list[tuple[str, dict[str, Any]]] = field(default_factory=list, init=False, repr=False)
    _checkpoints: list[dict[str, Any]] = field(default_factory=list, init=False, repr=False)
    _cancelled: bool = field(default=False, init=False, repr=False)

    @property
    def tools(self) -> ToolRegistry:
        """The same as `tool_registry`."""
        return self.tool_registry

    async def emit(self, event_type: EventType | str, payload: dict[str, Any]) -> None:
        """Record the event under its name."""
        name = event_type.value if isinstance(event_type, Enum) else str(event_type)
        self._events.append((str(name), dict(payload)))

    async def emit_user_message(self, content: str) -> None:
        """Record an `assistant.message`."""
        await self.emit(EventType.ASSISTANT_MESSAGE, {"content": content})

    async def emit_error(self, error: str, details: dict[str, Any] | None = None) -> None:
        """Record an `error`."""
        await self.emit(EventType.ERROR, {"message": error, "details": details or {}})

    async def checkpoint(self, state: dict[str, Any]) -> None:
        """Keep a copy of the state."""
        self._checkpoints.append(copy.deepcopy(state))

    async def get_state(self) -> dict[str, Any] | None:
        """A copy of the last state that was kept, or None."""
        return copy.deepcopy(self._checkpoints[-1]) if self._checkpoints else None

    def cancelled(self) -> bool:
        """Whether `cancel()` was called."""
        return self._cancelled

    def is_cancelled(self) -> bool:
        """The same as `cancelled()`."""
        return self._cancelled

    def cancel(self) -> None:
        """Ask the run to stop."""
        self._cancelled = True

    def get_events(self, event_type: EventType | str | None = None) -> list[tuple[str, dict[str, Any]]]:
        """The recorded events as `(name, payload)`, in their order; only those of one type when it is given."""
        if event_type is None:
            return list(self._events)
        wanted = event_type.value if isinstance(event_type, Enum) else event_type
        return [(name, payload) for name, payload in self._events if name == wanted]

    def get_checkpoints(self) -> list[dict[str, Any]]:
        """All states that were kept, in their order."""
        return list(self._checkpoints)

    def clear(self) -> None:
        """Forget events, states and the wish to stop."""
        self._events.clear()
        self._checkpoints.clear()
        self._cancelled = False


def create_test_context(
    message: str,
    *,
    tools: list[Tool] | None = None,
    metadata: dict[str, Any] | None = None,
    params: dict[str, Any] | None = None,
) -> MockRunContext:
    """A context in which a user has said one thing.

    Args:
        message: What the user says.
        tools: Tools that the host offers.
        metadata: Notes of the host.
        params: Parameters of the run.
    """
    ctx = MockRunContext(
        input_messages=[{"role": "user", "content": message}], metadata=metadata or {}, params=params or {}
    )
    for tool in tools or ():
        ctx.tool_registry.register(tool)
    return ctx
