"""The typed events that tell a run; every stream of a run ends with one `RunFinished` or `RunFailed`.

Events are facts: do not change them. (They are not frozen, because a frozen dataclass takes twice as long to make
and a run makes half a dozen of them per LLM call.)
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, Literal
from uuid import UUID

from agent_runtime_core.messages import MessageDict, ToolCall, Usage

__all__ = [
    "LLMCallFinished",
    "LLMCallStarted",
    "RunEvent",
    "RunFailed",
    "RunFinished",
    "RunStarted",
    "StepChanged",
    "TextDelta",
    "ToolCallFinished",
    "ToolCallStarted",
    "ToolOutcome",
    "ToolStatus",
    "TurnFinished",
]

ToolStatus = Literal["ok", "failed", "refused", "invalid", "pending"]
"""`ok`: it ran. `failed`: it raised or ran out of time. `refused`: not offered now. `invalid`: wrong arguments.
`pending`: it waits for a person."""


@dataclass(slots=True)
class ToolOutcome:
    """What a tool call came to: the text that the model reads, and whether the tool did its work."""

    content: str
    """The tool message's content; starts with `Error` unless the tool worked or chose its own words of failure."""
    status: ToolStatus = "ok"
    approval_id: str | None = None
    """For a call that waits for a person: what their answer names."""
    question: str | None = None
    """For a call that waits for a person: what they are asked, in words that code has made of the arguments."""


class _Event:
    """What all events share: `kind` tells them apart, `to_dict()` is their JSON form."""

    __slots__ = ()
    kind: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        """The event as JSON-ready data, `kind` first."""
        data: dict[str, Any] = {"kind": self.kind}
        for each in fields(self):  # type: ignore[arg-type]  # every event is a dataclass
            data[each.name] = getattr(self, each.name)
        return data


@dataclass(slots=True, kw_only=True)
class RunStarted(_Event):
    """A journey's run begins: the state is loaded, nothing was asked of a model yet."""

    kind: ClassVar[Literal["run_started"]] = "run_started"
    run_id: UUID | str
    conversation_id: UUID | str | None
    agent_key: str
    step: Any
    """The step that the journey stands at."""

    def to_dict(self) -> dict[str, Any]:
        """Ids as texts."""
        return {
            "kind": self.kind,
            "run_id": str(self.run_id),
            "conversation_id": None if self.conversation_id is None else str(self.conversation_id),
            "agent_key": self.agent_key,
            "step": _plain(self.step),
        }


@dataclass(slots=True, kw_only=True)
class LLMCallStarted(_Event):
    """The model is about to be asked: one turn of the engine begins."""

    kind: ClassVar[Literal["llm_call_started"]] = "llm_call_started"
    turn: int
    """Turns of this run before this one."""
    messages: list[MessageDict]
    """What the model gets, system prompt included; do not change it."""
    tools: list[dict[str, Any]] | None
    """The tools offered now, in OpenAI's form; None when there are none."""
    client: Any = field(default=None, repr=False, compare=False)
    """Who asks: an `LLMClient`, or the like of it."""

    @property
    def model(self) -> str:
        """The model that the client asks when none is named; empty when it does not say."""
        return _text(self.client, "default_model")

    @property
    def provider(self) -> str:
        """Who serves the client; empty when it does not say."""
        return _text(self.client, "provider")

    def to_dict(self) -> dict[str, Any]:
        """Counts and names only: the conversation is not repeated at every turn."""
        names = [tool["function"]["name"] for tool in self.tools or []]
        return {"kind": self.kind, "turn": self.turn, "message_count": len(self.messages), "tools": names}


@dataclass(slots=True, kw_only=True)
class TextDelta(_Event):
    """A piece of the model's text, as it arrives."""

    kind: ClassVar[Literal["text_delta"]] = "text_delta"
    text: str


@dataclass(slots=True, kw_only=True)
class LLMCallFinished(_Event):
    """The model has answered in full, with text or with tool calls."""

    kind: ClassVar[Literal["llm_call_finished"]] = "llm_call_finished"
    turn: int
    message: MessageDict
    """The assistant message as it enters the history."""
    calls: tuple[ToolCall, ...] = ()
    """Its tool calls, read; empty when the model answered in text."""
    usage: Any
    """The token counts of this call, as the client gave them."""
    response: Any = field(default=None, repr=False, compare=False)
    """What the client gave: an `LLMResponse`, or the like of it."""
    cost: Decimal | None = None
    """What the call has cost in US dollars; None when costs are not counted, or the price is unknown."""

    @property
    def model(self) -> str:
        """The model that answered; empty when the client does not say."""
        return _text(self.response, "model")

    @property
    def finish_reason(self) -> str:
        """Why the model stopped, as the vendor names it; empty when the client does not say."""
        return _text(self.response, "finish_reason")

    def to_dict(self) -> dict[str, Any]:
        """The message and the usage, and what else is known of the reply; the calls are in the message."""
        data = {"kind": self.kind, "turn": self.turn, "message": self.message, "usage": self.usage}
        known = {"model": self.model, "finish_reason": self.finish_reason, "cost": self.cost}
        data.update((name, value) for name, value in known.items() if value not in ("", None))
        return _json_ready(data)


@dataclass(slots=True, kw_only=True)
class ToolCallStarted(_Event):
    """A tool call is taken up; it may still be refused."""

    kind: ClassVar[Literal["tool_call_started"]] = "tool_call_started"
    call: ToolCall

    def to_dict(self) -> dict[str, Any]:
        """Id, name and arguments of the call."""
        return _json_ready(
            {
                "kind": self.kind,
                "tool_call_id": self.call.id,
                "name": self.call.name,
                "arguments": self.call.arguments,
            }
        )


@dataclass(slots=True, kw_only=True)
class ToolCallFinished(_Event):
    """A tool call has its result."""

    kind: ClassVar[Literal["tool_call_finished"]] = "tool_call_finished"
    call: ToolCall
    outcome: ToolOutcome

    def to_dict(self) -> dict[str, Any]:
        """Id and name of the call, status and text of its outcome; for one that waits, what the person is asked."""
        data: dict[str, Any] = {
            "kind": self.kind,
            "tool_call_id": self.call.id,
            "name": self.call.name,
            "status": self.outcome.status,
            "result": self.outcome.content,
        }
        if self.outcome.approval_id is not None:
            data["approval"] = {"approval_id": self.outcome.approval_id, "question": self.outcome.question}
        return data


@dataclass(slots=True, kw_only=True)
class StepChanged(_Event):
    """The journey stands at another step."""

    kind: ClassVar[Literal["step_changed"]] = "step_changed"
    from_step: Any
    """The step before."""
    to_step: Any
    """The step now."""

    def to_dict(self) -> dict[str, Any]:
        """Both steps as plain values."""
        return {"kind": self.kind, "from_step": _plain(self.from_step), "to_step": _plain(self.to_step)}


@dataclass(slots=True, kw_only=True)
class TurnFinished(_Event):
    """One LLM call and all its tool calls are done: nothing dangles. With `send` and `stream` it is committed."""

    kind: ClassVar[Literal["turn_finished"]] = "turn_finished"
    turn: int
    reason: str | None = None
    """Why the run ends with this turn; None when it goes on."""


@dataclass(slots=True, kw_only=True)
class RunFinished(_Event):
    """The run has ended, for a reason."""

    kind: ClassVar[Literal["run_finished"]] = "run_finished"
    response: str
    """What to show to the user."""
    reason: str
    """`text_response`, `terminal_tool:NAME`, `approval:ID`, `max_iterations`, `cancelled`, `closing_message` or
    `limit:NAME`."""
    messages: list[MessageDict]
    """The assistant and tool messages of this run, in order."""
    usage: Usage
    """Token counts, summed over the run."""
    tool_calls_made: int = 0
    """Tool calls taken up, refused ones included."""
    state: dict[str, Any] | None = None
    """The journey's state as a dict; None for a run without a journey."""
    cost: Decimal | None = None
    """What the run has cost in US dollars; None when costs are not counted, or one of its calls has no known price."""
    replayed: bool = False
    """Whether nothing ran: the message had been answered before, and this is the stored answer."""

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON data; the cost only when it is known, `replayed` only when it is so."""
        # The class by name: a dataclass with slots is another class than the one that `super()` would look for.
        data = _Event.to_dict(self)
        if self.cost is None:
            del data["cost"]
        if not self.replayed:
            del data["replayed"]
        return _json_ready(data)


@dataclass(slots=True, kw_only=True)
class RunFailed(_Event):
    """The run broke; the error is raised right after this event. What was committed before stays."""

    kind: ClassVar[Literal["run_failed"]] = "run_failed"
    error: Exception

    def to_dict(self) -> dict[str, Any]:
        """The error's type and text."""
        return {"kind": self.kind, "error": type(self.error).__name__, "message": str(self.error)}


def _json_ready(data: dict[str, Any]) -> dict[str, Any]:
    """The data of users, models and vendors as JSON data: what JSON does not know becomes its text."""
    ready: dict[str, Any] = json.loads(json.dumps(data, default=str, skipkeys=True), parse_constant=str)
    return ready


def _text(source: Any, name: str) -> str:
    """An attribute that is a text, else the empty text: clients are what users bring."""
    value = getattr(source, name, None)
    return value if isinstance(value, str) else ""


def _plain(step: Any) -> Any:
    value = step.value if isinstance(step, Enum) else step
    return value if isinstance(value, (str, int, float, type(None))) else str(value)


RunEvent = (
    RunStarted
    | LLMCallStarted
    | TextDelta
    | LLMCallFinished
    | ToolCallStarted
    | ToolCallFinished
    | StepChanged
    | TurnFinished
    | RunFinished
    | RunFailed
)
"""Any event of a run: match on the class, a type checker shows a forgotten case."""
