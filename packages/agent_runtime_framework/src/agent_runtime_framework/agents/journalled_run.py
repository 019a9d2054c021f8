"""What a run shows to whoever remembers it, and how it goes on with what was remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agent_runtime_core.messages import MessageDict, ToolCall
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.agents.conversation import state_data
from agent_runtime_framework.agents.held_conversation import HeldConversation
from agent_runtime_framework.agents.run_journal import RunJournal
from agent_runtime_framework.state.snapshot import StateSnapshot
from agent_runtime_framework.tools import BaseJourneyTools
from agent_runtime_framework.tools.call_place import CallPlace
from agent_runtime_framework.tools.notes import JourneyNotes
from agent_runtime_framework.tools.spec import ToolSpec

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["JournalledRun"]


class JournalledRun:
    """A run as its journal knows it: by versions, by the numbers of its calls, by what a tool has left."""

    cancelled: Callable[[], bool]
    """Whether the request was taken back."""
    messages: list[MessageDict]
    """The conversation, the user's new message and all of this run included."""
    _journey: JourneyAgent[Any, Any, Any]  # who says steps, prompts and tools
    _ctx: AgentContext
    _kept: HeldConversation | None  # None when the caller keeps the messages
    _state: Any
    _tools: Any
    _journal: RunJournal | None = None
    _calls = 0  # of tools, in this turn

    @property
    def version(self) -> int:
        """The version of the conversation that the present turn builds on; 0 when nothing is kept."""
        return 0 if self._ctx.checkpoint is None else self._ctx.checkpoint.version

    @property
    def call_number(self) -> int:
        """Which tool call of the present turn this is; the first is 1."""
        return self._calls

    def keep_journal(self, journal: RunJournal, cancelled: Callable[[], bool]) -> None:
        """Let a journal remember the run, and somebody else say whether it is to stop; before it begins.

        Args:
            journal: The journal.
            cancelled: Asked before every LLM call.
        """
        self._journal, self.cancelled = journal, cancelled
        if self._kept is not None:
            self._kept.journal = journal

    def declared_tool(self, name: str) -> ToolSpec | None:
        """A tool of the present journey's as it is declared; None for one that it only describes."""
        return self._journey.declared.tools.get(name)

    @property
    def notes(self) -> JourneyNotes:
        """What is remembered of the present journey beside its state."""
        return self._ctx.notes

    def left_by_tool(self) -> dict[str, Any]:
        """The present journey's state and notes, as JSON data."""
        return self._ctx.notes.put_into(state_data(self._state))

    def take_over(self, left: dict[str, Any]) -> None:
        """Let state and notes be what a tool has left at an earlier attempt."""
        data = dict(left)
        self._ctx.notes.take_over(JourneyNotes.taken_from(data))
        StateSnapshot(type(self._state).from_dict(data)).give_to(self._state)
        self._tools = self._new_tools()

    def _place_of(self, call: ToolCall) -> CallPlace:
        """Where the present call stands: by the version where one is kept, by the run where not."""
        version = None if self._kept is None else self.version
        return CallPlace(self._ctx, version, len(self.messages), self._calls, call)

    def _new_tools(self) -> Any:
        """The journey's tools on the present state; those of ours know what the journey has done so far."""
        tools = self._journey._make_tools(self._state, self._ctx)
        if isinstance(tools, BaseJourneyTools):
            tools._notes = self._ctx.notes
        return tools
