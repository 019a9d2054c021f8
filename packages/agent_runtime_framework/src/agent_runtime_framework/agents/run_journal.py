"""What a run tells to whoever remembers it beyond its process, and asks of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from agent_runtime_core.events import ToolOutcome
from agent_runtime_core.interfaces import CheckpointStore
from agent_runtime_core.messages import ToolCall
from agent_runtime_framework.executor.llm_call import LLMClient

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journalled_run import JournalledRun

__all__ = ["RunJournal"]


class RunJournal(Protocol):
    """Keeps what the model and the tools of a run have come to until the store has it.

    What is committed needs no journal: a run that is done again goes on from the last commit. So the journal is about
    one turn at a time, and names everything by the version that the turn builds on.
    """

    def client(self, client: LLMClient, run: JournalledRun) -> LLMClient:
        """A client that asks the model only for what the journal does not hold."""
        ...

    async def before_taking(self, store: CheckpointStore, owner: str, conversation_id: str) -> None:
        """The run is about to take its conversation: whoever held it for an earlier attempt lets go of it."""
        ...

    async def taken(self, lease: int) -> None:
        """The conversation was taken, with this lease."""
        ...

    async def tool(self, run: JournalledRun, call: ToolCall, work: Callable[[], Awaitable[ToolOutcome]]) -> ToolOutcome:
        """What a call of an offered tool comes to: done now, or by an earlier attempt; then its state is the run's."""
        ...

    async def before_commit(self) -> None:
        """A turn is about to be committed: what was told of it has to outlive the process, too."""
        ...
