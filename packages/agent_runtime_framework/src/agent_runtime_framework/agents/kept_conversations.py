"""Conversations that an agent keeps: messages go in, answers come out, and what was stored can be looked at."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any, Generic, TypeVar, overload
from uuid import UUID, uuid4

from agent_runtime_core.events import RunEvent
from agent_runtime_core.interfaces import (
    AgentRuntime,
    CheckpointStore,
    ErrorInfo,
    OnBusy,
    RunContext,
    RunResult,
)
from agent_runtime_core.messages import AgentMessage, whole_text
from agent_runtime_framework.agents.agent import BaseAgent
from agent_runtime_framework.agents.config import JourneyConfig, checked_on_busy
from agent_runtime_framework.agents.context import AgentContext, AgentResult, checked_owner
from agent_runtime_framework.agents.cost import conversation_cost
from agent_runtime_framework.agents.hosted_run import described, run_hosted
from agent_runtime_framework.agents.journey_run import JourneyRun
from agent_runtime_framework.agents.kept_context import KeptContext
from agent_runtime_framework.agents.run_result import result_of
from agent_runtime_framework.agents.turn import Incoming
from agent_runtime_framework.agents.verdict import ApprovalNotFound, Verdict
from agent_runtime_framework.agents.verdict_events import verdict_events
from agent_runtime_framework.memory.message import with_roles
from agent_runtime_framework.state import BaseJourneyState
from agent_runtime_framework.tools.approval import Approval
from agent_runtime_framework.tools.notes import JourneyNotes

__all__ = ["KeptConversations"]

StateT = TypeVar("StateT", bound=BaseJourneyState[Any])


class KeptConversations(BaseAgent, AgentRuntime, Generic[StateT]):
    """An agent that keeps its conversations in a store, and that hosts can run."""

    store: CheckpointStore
    """Where conversations are kept."""
    config: JourneyConfig
    """Settings."""

    @property
    @abstractmethod
    def keeps_in_its_memory(self) -> bool:
        """Whether conversations are kept in this object's memory, because no store was given."""

    @abstractmethod
    def use_store(self, store: CheckpointStore) -> None:
        """Keep conversations in this store from now on.

        Raises:
            ConfigError: The agent was given another store.
        """

    @abstractmethod
    async def load_state(self, ctx: AgentContext) -> StateT | None:
        """The stored state of the conversation, or None."""

    @abstractmethod
    def _run_of(
        self, ctx: AgentContext, incoming: Incoming | None = None, verdict: Verdict | None = None
    ) -> JourneyRun:
        """What the engine asks in one run."""

    @abstractmethod
    def _events(self, run: JourneyRun, *, streaming: bool, listened: bool = False) -> AsyncGenerator[RunEvent, None]:
        """All that happens in a run; only its end when nobody listens."""

    # Runs: the caller keeps the messages, or a host has made the run.

    @overload
    async def run(self, ctx: AgentContext) -> AgentResult: ...

    @overload
    async def run(self, ctx: RunContext) -> RunResult: ...

    async def run(self, ctx: Any) -> Any:
        """Answer the messages in `ctx`; the state is loaded before and saved after, under `ctx.conversation_id`.

        Args:
            ctx: The request; or the context of a host's run, and then the host gets its events and a `RunResult`, see
                `run_hosted`.
        """
        if not isinstance(ctx, AgentContext):
            return await run_hosted(self, ctx)
        return await result_of(self._events(self._run_of(ctx), streaming=False))

    def run_stream(self, ctx: AgentContext) -> AsyncGenerator[RunEvent, None]:
        """The same as `run`, as events while they happen."""
        return self._events(self._run_of(ctx), streaming=True)

    async def on_error(self, ctx: RunContext, error: Exception) -> ErrorInfo:
        """Describe an error of `run` for a host; one that would only come again is not to be tried again."""
        return described(error)

    # Conversations: the agent keeps the messages.

    async def send(
        self,
        conversation_id: UUID | str,
        text: str,
        *,
        message_id: UUID | str | None = None,
        on_busy: OnBusy | None = None,
        owner: UUID | str = "",
    ) -> AgentResult:
        """Give the user's message to the conversation, run, and return what came of it.

        The message is stored before the model is asked; after every turn, state and new messages are committed in one
        transaction. If the run fails, the conversation stands where its last commit left it and can be sent to again:
        the model then sees this message, too. One run at a time: see `on_busy`.

        Args:
            conversation_id: The conversation.
            text: The message.
            message_id: Names the message within the conversation, so that it can be sent again when the answer did
                not arrive: an answered message gets the stored answer (`metadata["replayed"]` is then True) and
                nothing runs; one whose run broke off is taken up where that run was. It is never stored twice.
            on_busy: What becomes of the message while a run of the conversation is on; see `JourneyConfig.on_busy`,
                which holds when None. A waiting call that is cancelled takes its message back.
            owner: Whose conversation it is; under another owner the same id is another conversation.

        Raises:
            LLMError: The model could not be asked.
            ConversationBusy: A run is on, and the message was not to wait. Nothing was stored.
            StoreConflict: Somebody else has written to the conversation during the run; `LeaseLost`: another run
                has taken it over.
            StateDecodeError: The stored state cannot be read.
            StoreError: The store failed.
        """
        run = self._conversation(conversation_id, text, message_id, on_busy, owner)
        return await result_of(self._events(run, streaming=False))

    def stream(
        self,
        conversation_id: UUID | str,
        text: str,
        *,
        message_id: UUID | str | None = None,
        on_busy: OnBusy | None = None,
        owner: UUID | str = "",
    ) -> AsyncGenerator[RunEvent, None]:
        """The same as `send`, as events while they happen; text comes as it is written where the client streams.

        Close the generator to end the run early: the last commit stays.
        """
        return self._events(self._conversation(conversation_id, text, message_id, on_busy, owner), streaming=True)

    async def pending_approvals(self, conversation_id: UUID | str, *, owner: UUID | str = "") -> list[Approval]:
        """The tool calls of a conversation that wait for a person to say yes or no, and still can be answered."""
        notes = await self._stored_notes(conversation_id, owner)
        return [each for each in notes.approvals.values() if each.granted_by is None and not each.is_over()]

    async def approve(
        self, conversation_id: UUID | str, approval_id: str, granted: bool, *, by: str, owner: UUID | str = ""
    ) -> AgentResult:
        """Answer for a person whether a tool that waits for them may run, and go on with the conversation.

        If they say yes, the tool runs with the arguments they were shown, once, if it is still offered at the step
        where the journey stands then; the model goes on from its result. If they say no, the model is told so. The
        answer is stored before anything comes of it; giving it again returns the stored reply and runs nothing.

        Args:
            conversation_id: The conversation.
            approval_id: What they answer: `metadata["approval_id"]` of the run that asked, or `pending_approvals`.
            granted: Whether they say yes.
            by: Who they are; it is stored with the conversation.
            owner: Whose conversation it is.

        Raises:
            ApprovalNotFound: Nothing waits under this id, or not any more.
            LLMError: The model could not be asked; the answer is stored.
            StoreError: The store failed.
        """
        return await result_of(self._approving(conversation_id, approval_id, granted, by, owner, streaming=False))

    def approve_stream(
        self, conversation_id: UUID | str, approval_id: str, granted: bool, *, by: str, owner: UUID | str = ""
    ) -> AsyncGenerator[RunEvent, None]:
        """The same as `approve`, as events while they happen, as `stream` gives them."""
        return self._approving(conversation_id, approval_id, granted, by, owner, streaming=True)

    def _approving(
        self,
        conversation_id: UUID | str,
        approval_id: str,
        granted: bool,
        by: str,
        owner: UUID | str,
        *,
        streaming: bool,
    ) -> AsyncGenerator[RunEvent, None]:
        """The run of a person's answer, or what is stored of it."""
        verdict = Verdict(approval_id, bool(granted), by)

        async def begin(message_id: str) -> JourneyRun:
            return await self._verdict_run(conversation_id, verdict, message_id, owner)

        return verdict_events(self, conversation_id, verdict, owner, begin, streaming=streaming)

    async def _verdict_run(
        self,
        conversation_id: UUID | str,
        verdict: Verdict,
        message_id: str,
        owner: UUID | str,
        *,
        run_id: UUID | None = None,
        ctx: AgentContext | None = None,
    ) -> JourneyRun:
        """The run in which a person's answer is stored and carried out; a new id names it when none is given.

        Raises:
            ApprovalNotFound: Nothing waits under this id, or not any more.
        """
        notes = await self._stored_notes(conversation_id, owner)
        approval = notes.approvals.get(verdict.approval_id)
        if verdict.approval_id not in notes.decided and (approval is None or approval.is_over()):
            raise ApprovalNotFound(
                f"no call of conversation {str(conversation_id)!r} waits for approval {verdict.approval_id!r}: it was "
                f"never asked for, was answered long ago, or its time has run out. pending_approvals() lists "
                f"what waits."
            )
        message = {"role": "user", "content": whole_text(verdict.message(approval))}
        incoming = Incoming(message=message, message_id=message_id, remember=True, on_busy="queue", is_users=False)
        if ctx is None:
            ctx = AgentContext(run_id or uuid4(), conversation_id, [], owner=checked_owner(owner))
        return self._run_of(ctx, incoming, verdict)

    async def _is_decided(self, conversation_id: UUID | str, verdict: Verdict, owner: UUID | str) -> bool:
        """Whether an answer of a person to this approval is stored."""
        return verdict.approval_id in (await self._stored_notes(conversation_id, owner)).decided

    async def _stored_notes(self, conversation_id: UUID | str, owner: UUID | str) -> JourneyNotes:
        checkpoint = await self.store.load(str(conversation_id), self.key, max_messages=0, owner=checked_owner(owner))
        return JourneyNotes.taken_from(dict(checkpoint.state or {}))

    async def get_state(self, conversation_id: UUID | str, *, owner: UUID | str = "") -> StateT | None:
        """The state of a conversation, or None when there is none yet.

        Raises:
            StateDecodeError: The stored state cannot be read.
        """
        return await self.load_state(AgentContext(uuid4(), conversation_id, [], owner=checked_owner(owner)))

    async def is_cancelled(self, conversation_id: UUID | str, *, owner: UUID | str = "") -> bool:
        """Whether the user has cancelled the journey of a conversation, and not begun again since."""
        return (await self._stored_notes(conversation_id, owner)).travel.cancelled

    async def get_history(self, conversation_id: UUID | str, *, owner: UUID | str = "") -> list[AgentMessage]:
        """All stored messages of a conversation, oldest first; what is no message is left out, and logged."""
        stored = await self.store.history(str(conversation_id), owner=checked_owner(owner))
        return [AgentMessage.from_dict(message) for message in with_roles(stored, str(conversation_id))]

    async def get_cost(self, conversation_id: UUID | str, *, owner: UUID | str = "") -> Decimal | None:
        """What the stored replies of a conversation have cost in US dollars.

        Counted are those that came while costs were counted (`JourneyConfig.pricing` or `RunLimits.max_cost`). None
        when the price of one of them is not known. It reads the whole history.
        """
        return conversation_cost(await self.store.history(str(conversation_id), owner=checked_owner(owner)))

    def _conversation(
        self,
        conversation_id: UUID | str,
        text: str,
        message_id: UUID | str | None,
        on_busy: OnBusy | None,
        owner: UUID | str,
        *,
        is_users: bool = True,
        run_id: UUID | None = None,
    ) -> JourneyRun:
        """The run that answers a message.

        Args:
            conversation_id: The conversation.
            text: The message.
            message_id: Its id; None for one that nobody sends again.
            on_busy: What becomes of it while a run is on.
            owner: Whose conversation it is.
            is_users: Whether the user has written it; otherwise code has, and nothing in it is the user's wish.
            run_id: Names the run; a new id when None.
        """
        if not isinstance(text, str):
            raise TypeError(f"a message is a text, not {type(text).__name__}")
        if conversation_id is None or not str(conversation_id):
            raise ValueError("the conversation id is empty; give the conversation a name, such as str(uuid4())")
        if message_id is not None and not str(message_id):
            raise ValueError("message_id is empty; give the message a name, such as str(uuid4()), or leave it out")
        run_id = run_id or uuid4()
        incoming = Incoming(
            message={"role": "user", "content": whole_text(text)},
            message_id=str(run_id if message_id is None else message_id),
            remember=message_id is not None,
            on_busy=self.config.on_busy if on_busy is None else checked_on_busy(on_busy),
            is_users=is_users,
        )
        return self._run_of(KeptContext(run_id, conversation_id, [], owner=checked_owner(owner)), incoming)
