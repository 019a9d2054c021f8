"""What the engine asks, and gets for an answer: the other side of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from agent_runtime_core.errors import LLMError
from agent_runtime_core.events import RunEvent, RunFinished, ToolOutcome
from agent_runtime_core.messages import MessageDict, ToolCall
from agent_runtime_framework.executor.llm_call import LLMClient
from agent_runtime_framework.executor.reply import Reply

__all__ = ["RunDelegate", "TurnSetup"]


@dataclass(slots=True)
class TurnSetup:
    """What the model sees at one turn, beside the messages."""

    system_prompt: str | None
    """Put in front of the messages when it is not empty."""
    tools: list[dict[str, Any]] | None
    """Tools in OpenAI's form; None, never an empty list, when there are none."""
    options: dict[str, Any] | None = None
    """Further keywords for the client, such as `tool_choice`; None when there are none."""
    step_prompt: str | None = None
    """Put behind the messages when it is not empty: what changes comes last, so that all before it can be cached."""
    reply: Reply | None = None
    """What happens at this turn, where code has decided it: then the model is not asked."""
    messages: list[MessageDict] | None = None
    """What the model sees of the conversation, where that is not all of it."""
    says: str | None = None
    """The answer, when the model need not be asked for it: then the run ends with it as with a text of the model."""

    def request(self, messages: list[MessageDict]) -> list[MessageDict]:
        """The messages to send, as a list of their own."""
        if self.messages is not None:
            messages = self.messages
        if self.step_prompt:
            last = {"role": "system", "content": self.step_prompt}
            first = [{"role": "system", "content": self.system_prompt}] if self.system_prompt else []
            return [*first, *messages, last]
        if self.system_prompt:
            return [{"role": "system", "content": self.system_prompt}, *messages]
        return list(messages)


class RunDelegate(Protocol):
    """What a run is about: the engine asks, the delegate knows. One object serves one run."""

    client: LLMClient
    """The model; asked for once `begin` is done."""
    messages: list[MessageDict]
    """The conversation, once `begin` is done; the engine appends to this very list."""

    async def begin(self) -> tuple[Sequence[RunEvent], RunFinished | str | None]:
        """Open the run: events to tell first, and a reason if it is over before the model is asked.

        Where the run was made before, its last event is given instead of a reason: nothing more is asked.
        """
        ...

    def cancelled(self) -> bool:
        """Whether somebody wants the run to end; asked before every LLM call."""
        ...

    def prepare_turn(self) -> TurnSetup:
        """What the model sees now; asked anew before every LLM call."""
        ...

    def reply_instead(self, error: LLMError) -> Reply | None:
        """What happens at this turn, where the model could not be asked; None when the error is to be raised."""
        ...

    async def call_tool(self, call: ToolCall, timeout_s: float | None) -> ToolOutcome:
        """What a tool call comes to, within that many seconds."""
        ...

    def note_cost(self, cost: Decimal | None, model: str) -> None:
        """What the call has cost whose reply comes next in the messages; told only where costs are counted."""
        ...

    def news(self) -> Sequence[RunEvent]:
        """What has changed since it was last asked; asked after every tool call."""
        ...

    async def finish_turn(self, finished: RunFinished | None) -> Sequence[RunEvent]:
        """Nothing dangles: the moment to commit. Gets the last event if this turn ends the run; returns the news."""
        ...

    async def finish_run(self, finished: RunFinished) -> dict[str, Any] | None:
        """Close the run, and return the state to tell, if there is one."""
        ...

    async def leave(self) -> None:
        """Free what the run holds; asked once, whatever became of the run."""
        ...
