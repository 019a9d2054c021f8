"""What a host runs, what it hands in, and what comes back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from agent_runtime_core.interfaces.tools import ToolRegistry
from agent_runtime_core.messages import MessageDict

__all__ = ["AgentRuntime", "ErrorInfo", "EventType", "EventVisibility", "RunContext", "RunResult"]


class EventVisibility(StrEnum):
    """For whom a host's event is meant."""

    INTERNAL = "internal"
    DEBUG = "debug"
    USER = "user"


class EventType(StrEnum):
    """The events that a host passes on, as `RunContext.emit` gets them."""

    RUN_STARTED = "run.started"
    RUN_HEARTBEAT = "run.heartbeat"
    RUN_SUCCEEDED = "run.succeeded"
    RUN_FAILED = "run.failed"
    RUN_CANCELLED = "run.cancelled"
    RUN_TIMED_OUT = "run.timed_out"
    ASSISTANT_DELTA = "assistant.delta"
    ASSISTANT_MESSAGE = "assistant.message"
    TOOL_CALL = "tool.call"
    TOOL_RESULT = "tool.result"
    PROGRESS_UPDATE = "progress.update"
    STATE_CHECKPOINT = "state.checkpoint"
    CHECKPOINT = "state.checkpoint"  # another name of STATE_CHECKPOINT
    ERROR = "error"
    STEP_STARTED = "step.started"
    STEP_COMPLETED = "step.completed"
    STEP_FAILED = "step.failed"
    STEP_SKIPPED = "step.skipped"
    STEP_RETRYING = "step.retrying"


@dataclass
class RunResult:
    """What a run came to."""

    final_output: dict[str, Any] = field(default_factory=dict)
    """The answer; `response` holds the text for the user."""
    final_messages: list[MessageDict] = field(default_factory=list)
    """The messages that the run has added to the conversation."""
    usage: dict[str, Any] = field(default_factory=dict)
    """Token counts, summed over the run."""
    artifacts: dict[str, Any] = field(default_factory=dict)
    """Whatever else the run has made, by name."""


@dataclass
class ErrorInfo:
    """Why a run failed, as a host stores and shows it."""

    type: str
    """The name of the exception's class."""
    message: str
    """The exception's text."""
    stack: str = ""
    """The traceback, when it is kept."""
    retriable: bool = True
    """Whether another attempt may succeed."""
    details: dict[str, Any] = field(default_factory=dict)
    """Anything else, by name."""


class RunContext(Protocol):
    """One run as its host hands it to an agent: what came in, and the ways to speak back."""

    @property
    def run_id(self) -> UUID:
        """The run."""
        ...

    @property
    def conversation_id(self) -> UUID | None:
        """The conversation that it belongs to, if any."""
        ...

    @property
    def input_messages(self) -> list[MessageDict]:
        """The conversation up to the user's last message."""
        ...

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of this run."""
        ...

    @property
    def metadata(self) -> dict[str, Any]:
        """Notes of the host."""
        ...

    @property
    def tool_registry(self) -> ToolRegistry:
        """The tools that the host offers."""
        ...

    async def emit(self, event_type: EventType | str, payload: dict[str, Any]) -> None:
        """Pass an event on to whoever follows the run."""
        ...

    async def emit_user_message(self, content: str) -> None:
        """Show a text to the user: an `assistant.message` with `{"content": content}`."""
        ...

    async def emit_error(self, error: str, details: dict[str, Any] | None = None) -> None:
        """Report an error: an `error` with `{"message": error, "details": details or {}}`."""
        ...

    async def checkpoint(self, state: dict[str, Any]) -> None:
        """Keep this state for the run; the last one counts."""
        ...

    async def get_state(self) -> dict[str, Any] | None:
        """The last state that was kept, or None."""
        ...

    def cancelled(self) -> bool:
        """Whether somebody has asked the run to stop."""
        ...


class AgentRuntime(ABC):
    """An agent as hosts run it."""

    @property
    @abstractmethod
    def key(self) -> str:
        """The name under which hosts find it; a plain class attribute will do."""

    @abstractmethod
    async def run(self, ctx: RunContext) -> RunResult:
        """Do one run, from the user's message to the answer.

        Raises:
            Exception: The run failed; the host asks `on_error` what to make of it.
        """

    async def cancel(self, ctx: RunContext) -> None:
        """Clean up after a run that was cancelled; there is nothing to clean up by default."""
        return None

    async def on_error(self, ctx: RunContext, error: Exception) -> ErrorInfo | None:
        """Describe an error of `run` for the host; by default as one that may be tried again."""
        return ErrorInfo(type=type(error).__name__, message=str(error), retriable=True)
