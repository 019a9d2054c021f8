"""A conversation while a run holds it: taken with the user's message, committed turn by turn, given back."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from agent_runtime_core.events import RunFinished
from agent_runtime_core.interfaces import Answered, Begun
from agent_runtime_core.messages import MessageDict
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.agents.conversation import ConversationLog, shown
from agent_runtime_framework.agents.cost import with_costs
from agent_runtime_framework.agents.kept_context import KeptContext
from agent_runtime_framework.agents.lease import Lease
from agent_runtime_framework.agents.run_journal import RunJournal
from agent_runtime_framework.agents.run_record import run_record
from agent_runtime_framework.agents.stored_history import RunHistory
from agent_runtime_framework.agents.turn import Incoming, begun_turn
from agent_runtime_framework.memory.history_policy import HistoryPolicy

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["HeldConversation"]


class HeldConversation:
    """What a run has of a conversation that its agent keeps.

    Args:
        agent: Whose conversation it is.
        ctx: The request.
        incoming: The user's message.
    """

    __slots__ = ("_agent", "_costs", "_ctx", "_lease", "_log", "_policy", "_stored", "incoming", "journal", "state")

    def __init__(self, agent: JourneyAgent[Any, Any, Any], ctx: AgentContext, incoming: Incoming) -> None:
        self._agent = agent
        self._ctx = ctx
        self.state: dict[str, Any] = {}
        """What the last commit has stored of the state."""
        self.incoming = incoming
        """The user's message."""
        self.journal: RunJournal | None = None
        """What remembers the run beyond its process; None when nothing does."""
        self._log: ConversationLog  # both are known once the conversation is taken
        self._policy: HistoryPolicy
        self._lease: Lease | None = None
        self._stored = 0  # how many of the run's messages are in the store
        self._costs: dict[int, tuple[Decimal | None, str]] = {}  # by place in the messages

    @property
    def is_held(self) -> bool:
        """Whether nobody else can write to it: from `take` to the commit of the run's end."""
        return self._lease is not None and self._lease.token is not None

    async def take(self) -> Begun | Answered:
        """Wait for the message's turn, and hold the conversation's lease from then on.

        Raises:
            ConfigError: The agent's key is empty.
        """
        log, config = self._agent._conversation_log(), self._agent.config
        self._log, self._policy = log, config.history_policy
        owner, conversation_id = self._ctx.owner, str(self._ctx.conversation_id)
        limit = self._policy.max_messages
        if self.journal is not None:
            await self.journal.before_taking(log.store, owner, conversation_id)
        answer = await begun_turn(
            log.store,
            owner,
            conversation_id,
            log.agent_key,
            self.incoming,
            lease_seconds=config.lease_seconds,
            max_messages=None if limit is None else limit + 1,  # those before, and the new one
        )
        if isinstance(answer, Begun):
            self._lease = Lease(log.store, owner, conversation_id, token=answer.lease, seconds=config.lease_seconds)
            log.opened(self._ctx, answer.checkpoint)
            if self.journal is not None:
                await self.journal.taken(answer.lease)
        return answer

    async def messages(self, begun: Begun) -> list[MessageDict]:
        """Those that the model sees of the conversation that was taken; they become the context's, too."""
        ctx = self._ctx
        history = RunHistory(self._log, ctx, begun.lease)
        messages = shown(await self._policy.fit(history), ctx.conversation_id)
        self._stored = len(messages)
        if isinstance(ctx, KeptContext):
            ctx.show(messages)
        return messages

    def note_cost(self, place: int, cost: Decimal | None, model: str) -> None:
        """Keep what the reply at that place of the messages has cost: it is stored with it."""
        self._costs[place] = (cost, model)

    async def commit(
        self, state: dict[str, Any], messages: list[MessageDict], finished: RunFinished | None, *, state_version: int
    ) -> None:
        """Store the state and the messages that are new, and the run's end when it is known: then it is given back.

        Args:
            state: The state as it is now.
            messages: All of the run's messages.
            finished: The run's end, when this is the last commit.
            state_version: The journey's version that gave the state.
        """
        assert self._lease is not None  # as every run has that has taken its conversation
        if self.journal is not None:
            await self.journal.before_commit()
        new = messages[self._stored :]
        if self._costs:
            new = with_costs(new, self._stored, self._costs)
        await self._log.commit(
            self._ctx,
            state,
            new,
            state_version=state_version,
            lease=self._lease.token,
            finish=None if finished is None else run_record(finished),
        )
        self.state = state
        self._stored = len(messages)
        if finished is not None:
            self._lease.ended()

    async def commit_state(self, state: dict[str, Any], *, state_version: int) -> None:
        """Store the state alone."""
        assert self._lease is not None
        await self._log.commit(self._ctx, state, state_version=state_version, lease=self._lease.token)

    async def give_back(self) -> None:
        """End the hold of a run that broke off."""
        if self._lease is not None and self._lease.token is not None:
            await self._lease.give_back()
