"""What all runs in this process share: what came in, whether to stop, and how events are told."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypedDict, Unpack
from uuid import UUID, uuid4

from agent_runtime_core.interfaces.runtime import EventType
from agent_runtime_core.interfaces.tools import ToolRegistry
from agent_runtime_core.messages import MessageDict

__all__ = ["LocalRunContext", "RunOptions"]

_LOGGER = logging.getLogger(__name__)


class RunOptions(TypedDict, total=False):
    """What a run gets besides its id; each may be left out or None."""

    conversation_id: UUID | str | None
    """The conversation that the run belongs to."""
    input_messages: Iterable[MessageDict] | None
    """The conversation up to the user's last message."""
    params: Mapping[str, Any] | None
    """Parameters of this run."""
    metadata: Mapping[str, Any] | None
    """Notes of the host."""
    tool_registry: ToolRegistry | None
    """The tools that the host offers; an empty registry by default."""
    on_event: Callable[[str, dict[str, Any]], object] | None
    """Called with type and payload of an event when it has been kept, in the event loop. It observes: when it raises,
    a warning is logged and the run goes on."""
    system_context: Any
    """Kept for the agent, as `ctx.system_context`."""
    user_context: Any
    """Kept for the agent, as `ctx.user_context`."""
    privacy_config: Any
    """Kept for the agent, as `ctx.privacy_config`."""


class LocalRunContext(ABC):
    """A `RunContext` without a place for events and states: a subclass says where they are kept.

    Args:
        run_id: Names the run; a new UUID when None. Texts are accepted, too.
        **options: What else the run gets, as in `RunOptions`.
    """

    def __init__(self, run_id: UUID | str | None = None, **options: Unpack[RunOptions]) -> None:
        unknown = sorted(set(options) - RunOptions.__optional_keys__)
        if unknown:
            raise TypeError(f"{type(self).__name__}() got unexpected keywords: {', '.join(unknown)}")
        self._run_id = uuid4() if run_id is None else run_id
        self._conversation_id = options.get("conversation_id")
        self._input_messages = list(options.get("input_messages") or ())
        self._params = dict(options.get("params") or {})
        self._metadata = dict(options.get("metadata") or {})
        registry = options.get("tool_registry")
        self._tool_registry = ToolRegistry() if registry is None else registry
        self._on_event = options.get("on_event")
        self._cancelled = False
        self.system_context = options.get("system_context")
        self.user_context = options.get("user_context")
        self.privacy_config = options.get("privacy_config")

    @property
    def run_id(self) -> Any:
        """The run: the UUID or text that it was made with."""
        return self._run_id

    @property
    def conversation_id(self) -> Any:
        """The conversation that it belongs to, as it was given; None for none."""
        return self._conversation_id

    @property
    def input_messages(self) -> list[MessageDict]:
        """The conversation up to the user's last message."""
        return self._input_messages

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of this run."""
        return self._params

    @property
    def metadata(self) -> dict[str, Any]:
        """Notes of the host."""
        return self._metadata

    @property
    def tool_registry(self) -> ToolRegistry:
        """The tools that the host offers."""
        return self._tool_registry

    @property
    def tools(self) -> ToolRegistry:
        """The same as `tool_registry`."""
        return self.tool_registry

    async def emit(self, event_type: EventType | str, payload: dict[str, Any]) -> None:
        """Keep an event, `{"event_type", "payload", "timestamp"}`, and tell `on_event` about it.

        The timestamp is ISO text in UTC. The payload's own keys are copied; what is inside of them is not.
        """
        name = str(event_type.value if isinstance(event_type, Enum) else event_type)
        kept = dict(payload)
        try:
            await self._keep_event({"event_type": name, "payload": kept, "timestamp": datetime.now(UTC).isoformat()})
        except asyncio.CancelledError:
            self._listen(name, kept)  # it was kept nevertheless, and may be the run's last one
            raise
        self._listen(name, kept)

    def _listen(self, name: str, payload: dict[str, Any]) -> None:
        if self._on_event is None:
            return
        try:
            self._on_event(name, payload)
        except Exception as error:  # a listener observes a run and cannot break it
            _LOGGER.warning("on_event failed at %s with %s; the run goes on", name, type(error).__name__)
            _LOGGER.debug("on_event failed at %s", name, exc_info=True)

    async def emit_user_message(self, content: str) -> None:
        """Show a text to the user: an `assistant.message` with `{"content": content}`."""
        await self.emit(EventType.ASSISTANT_MESSAGE, {"content": content})

    async def emit_error(self, error: str, details: dict[str, Any] | None = None) -> None:
        """Report an error: an `error` with `{"message": error, "details": details or {}}`."""
        await self.emit(EventType.ERROR, {"message": error, "details": details or {}})

    def cancel(self) -> None:
        """Ask the run to stop: from now on `cancelled()` says so."""
        self._cancelled = True

    def cancelled(self) -> bool:
        """Whether somebody has asked the run to stop."""
        return self._cancelled

    def is_cancelled(self) -> bool:
        """The same as `cancelled()`."""
        return self.cancelled()

    @abstractmethod
    async def checkpoint(self, state: dict[str, Any]) -> None:
        """Keep a copy of this state for the run; the last one counts.

        Raises:
            TypeError: It is no dict of JSON data; the text says where and why. The state before is kept.
        """

    @abstractmethod
    async def get_state(self) -> dict[str, Any] | None:
        """A copy of the last state that was kept, or None."""

    @abstractmethod
    async def _keep_event(self, event: dict[str, Any]) -> None:
        """Add an event to those of the run. A cancellation is raised when that is done."""
