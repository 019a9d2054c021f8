"""One run of a journey: what the engine asks of it, from loading the state to the last commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from agent_runtime_core.errors import LLMError
from agent_runtime_core.events import RunEvent, RunFinished, RunStarted, StepChanged, ToolOutcome
from agent_runtime_core.interfaces import Answered
from agent_runtime_core.messages import MessageDict, ToolCall
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.agents.conversation import check_state, state_data
from agent_runtime_framework.agents.corrections import (
    corrections_of,
    followed,
    has_corrections,
    hear,
    known_corrections,
)
from agent_runtime_framework.agents.ending_tools import EndingTools
from agent_runtime_framework.agents.fixed_text import fixed_text
from agent_runtime_framework.agents.held_conversation import HeldConversation
from agent_runtime_framework.agents.journalled_run import JournalledRun
from agent_runtime_framework.agents.offer import NO_OFFER, Offer, offer_of
from agent_runtime_framework.agents.run_record import last_words, replayed
from agent_runtime_framework.agents.step_hooks import moved_on, with_hooks
from agent_runtime_framework.agents.stored_state import journey_of
from agent_runtime_framework.agents.turn import Incoming
from agent_runtime_framework.agents.turn_setup import approved_call, question
from agent_runtime_framework.agents.verdict import Verdict
from agent_runtime_framework.executor.delegate import TurnSetup
from agent_runtime_framework.executor.llm_call import LLMClient
from agent_runtime_framework.executor.reply import Reply
from agent_runtime_framework.tools import BaseJourneyTools
from agent_runtime_framework.tools.corrections import Corrections
from agent_runtime_framework.tools.execution import call_tool
from agent_runtime_framework.tools.notes import JourneyNotes

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["JourneyRun"]


class JourneyRun(JournalledRun):
    """The engine's delegate for a journey: one state object, looked at anew at every turn.

    Args:
        agent: The journey.
        ctx: The request.
        incoming: The user's message to a conversation that the agent keeps: then the run holds the conversation's
            lease and every turn is committed. None when the caller keeps the messages: then only the state is saved,
            at the end.
        verdict: A person's answer to a call that waits for them, when the message tells of one.
    """

    listened = True
    """Whether anybody hears of the run before its end."""
    _always_hears = False  # whether what a run answers matters beside corrections
    _told_step: Any  # the step that the events have told so far
    _asked_at: Any  # the step at which the run began, or its last turn
    _offer: Offer = NO_OFFER

    def __init__(
        self,
        agent: JourneyAgent[Any, Any, Any],
        ctx: AgentContext,
        incoming: Incoming | None = None,
        verdict: Verdict | None = None,
    ) -> None:
        self._agent = agent
        self._journey = agent  # who says steps, prompts and tools: an older one, where the conversation stays with it
        self._ctx = ctx
        self._kept = None if incoming is None else HeldConversation(agent, ctx, incoming)
        self._verdict = verdict
        self.cancelled = ctx.cancelled
        """Whether the request was taken back."""
        self.client: LLMClient = agent.llm_client  # type: ignore[assignment]  # settled in begin()
        """The model."""
        self.messages: list[MessageDict] = []
        """The conversation, the user's new message and all of this run included."""
        self._offer_is_old = False  # a tool has run since the journey was asked
        self._corrections: Corrections | None = None

    @property
    def run_id(self) -> UUID:
        """Names the run."""
        return self._ctx.run_id

    @property
    def conversation_id(self) -> UUID | str | None:
        """Names the conversation."""
        return self._ctx.conversation_id

    @property
    def terminal_tools(self) -> Container[str]:
        """Tools whose success ends the run."""
        return EndingTools(lambda: self._journey)

    async def begin(self) -> tuple[Sequence[RunEvent], RunFinished | str | None]:
        """Take the conversation and load messages and state.

        A goodbye after the journey's end needs no answer, and a message that was answered has one.
        """
        agent, ctx = self._agent, self._ctx
        ctx.checkpoint = None  # of an earlier run of the same context; the conversation may have gone on since
        self.client = agent._model(ctx)
        if self._journal is not None:
            self.client = self._journal.client(self.client, self)
        answered: Answered | None = None
        said_already: str | None = None  # what a run had said that broke off right before its end
        kept = self._kept
        if kept is None:
            self.messages = ctx.wire_messages()
        else:
            agent._check_state_class()
            answer = await kept.take()
            if isinstance(answer, Answered):
                answered = answer
            else:
                self.messages = await kept.messages(answer)
                if not answer.placed:
                    said_already = last_words(self.messages)
        state = await agent.load_state(ctx)
        if state is None:
            state = agent.get_initial_state()
        if agent.pinned:
            self._journey = journey_of(agent, ctx.checkpoint)
        if has_corrections(self._journey):
            self._corrections = known_corrections(self._journey) or await corrections_of(self._journey)
        if answered is None and (self._corrections is not None or self._always_hears):
            hear(ctx, self.messages, is_users=kept is None or kept.incoming.is_users)
        self._take_up(state)
        if self._verdict is not None and answered is None:
            await self._decide(self._verdict)
        self._told_step = self._asked_at = step = state.get_step()
        opening: Sequence[RunEvent] = ()
        if self.listened:
            told = RunStarted(run_id=ctx.run_id, conversation_id=ctx.conversation_id, agent_key=agent.key, step=step)
            opening = (told,)
        if answered is not None:
            return opening, replayed(answered, state_data(state))
        if said_already is not None:
            return opening, await self._ended_before(said_already)
        if self._journey.is_terminal_state(state):
            said = None if self._verdict is not None else ctx.get_user_message()  # an answer is no goodbye
            if said is not None and self._journey.is_closing_message(said):
                return opening, "closing_message"
        return opening, None

    def _take_up(self, state: Any) -> None:
        """Go on with the stored state."""
        self._state = state
        self._ctx.notes.approval_lifetime = self._agent.config.approval_lifetime

    def _whole_state(self) -> Any:
        """The state object of all that the agent keeps of the conversation."""
        return self._state

    def _kept_state(self) -> dict[str, Any]:
        """What is stored as the state."""
        return state_data(self._whole_state())

    def _kept_version(self) -> int:
        """The version that the stored state is of."""
        return self._journey.version

    def _notes_with(self, approval_id: str) -> JourneyNotes:
        """The notes that a call which waits for a person is in."""
        return self._ctx.notes

    def _turn_ended(self, finished: RunFinished | None) -> None:
        """What else belongs to a turn, right before its commit."""
        if finished is not None:
            self._ctx.notes.travel.end_run(in_words=finished.reason == "text_response")

    async def _decide(self, verdict: Verdict) -> None:
        """Store a person's answer before anything comes of it."""
        notes = self._notes_with(verdict.approval_id)
        approval = notes.approvals.get(verdict.approval_id)
        if approval is None or approval.granted_by is not None or self._kept is None:
            return  # it was stored by an earlier run that broke off
        notes.decide(approval, verdict.granted, verdict.by)
        await self._kept.commit_state(self._kept_state(), state_version=self._kept_version())

    async def _ended_before(self, response: str) -> RunFinished:
        """The end of a run whose last words are stored, and its end is not."""
        finished = RunFinished(response=response, reason="text_response", messages=[], usage={}, replayed=True)
        finished.state = await self.finish_run(finished)
        return finished

    def prepare_turn(self) -> TurnSetup:
        """The prompt and the tools of the step as it is now."""
        journey, state, corrections, notes = self._journey, self._state, self._corrections, self._ctx.notes
        self._calls = 0
        if corrections is not None:
            notes.travel.heard.begin_turn()
        self._tools = self._new_tools()
        self._offer = offer = offer_of(journey, state, corrections, notes, self._first_state)
        self._offer_is_old = False
        if notes.approvals and (granted := notes.granted()) is not None:  # what a person has said yes to is what runs
            return TurnSetup(None, None, reply=approved_call(granted, self.messages))
        if journey.says is not None and not self._is_cancelled:
            words = self._fixed_words()
            if words is not None:
                return TurnSetup(None, None, says=words)
        return question(journey, state, offer, corrections, notes)

    def _fixed_words(self) -> str | None:
        """What the journey says here without the model: at a step just come to, and always at a talking step."""
        agent, state = self._journey, self._state
        came, self._asked_at = state.get_step() != self._asked_at, state.get_step()
        words = fixed_text(agent.says or {}, state)
        if words is None:
            return None
        talks = agent._talks_at(state, self._offer.own_tools) and not agent.is_terminal_state(state)
        return words if came or talks else None

    async def call_tool(self, call: ToolCall, timeout_s: float | None) -> ToolOutcome:
        """Run a call, if its tool is offered now: an earlier call of the same reply may have changed the offer."""
        journey, state, corrections, notes = self._journey, self._state, self._corrections, self._ctx.notes
        if self._offer_is_old:
            self._offer = offer_of(journey, state, corrections, notes, self._first_state)
        self._offer_is_old = True
        self._calls += 1
        if isinstance(self._tools, BaseJourneyTools):
            self._tools._place = self._place_of(call)
        invoke: Callable[[str, dict[str, Any]], Awaitable[Any]]
        if journey.step_hooks:
            invoke = self._with_hooks
        elif corrections is not None:
            invoke = self._run_tool
        else:
            invoke = partial(journey.execute_tool, self._tools)
        offer, check = self._offer.by_name(journey), None if self._kept is None else self._check_state
        writes_notes = corrections is not None or getattr(self._tools, "tool_specs", None)  # nothing else does
        noted = notes if writes_notes else None

        def work() -> Awaitable[ToolOutcome]:
            return call_tool(call, invoke, offer=offer, timeout_s=timeout_s, state=state, notes=noted, check=check)

        if self._journal is None or not self._offer.is_own(call.name):
            outcome = await work()
        else:
            outcome = await self._journal.tool(self, call, work)
        if outcome.status == "failed":  # it was undone: what the tools hold of the state is not the state's any more
            self._tools = self._new_tools()
        if notes.approvals and (granted := notes.granted()) is not None:
            if call.id == f"approved_{granted.approval_id}":  # it could not run any more
                del notes.approvals[granted.approval_id]
        return outcome

    async def _with_hooks(self, name: str, arguments: dict[str, Any]) -> Any:
        """Run a tool and the hooks of the steps that it leaves and enters: one thing, done or undone."""
        work = partial(self._run_tool, name, arguments)
        return await with_hooks(self._journey, self._state, self._ctx, work)

    def _check_state(self, state: Any) -> None:
        """Make sure that what a tool has left can be stored, and read again."""
        check_state(state, decodes=self._agent._reads_with_from_dict)

    def reply_instead(self, error: LLMError) -> Reply | None:
        """Nothing: a journey whose model cannot be asked says so."""
        return None

    def note_cost(self, cost: Decimal | None, model: str) -> None:
        """Keep what the next reply has cost: it is stored with it."""
        if self._kept is not None:
            self._kept.note_cost(len(self.messages), cost, model)

    def news(self) -> Sequence[RunEvent]:
        """The step, when it is another than the one that was told."""
        before, now = self._told_step, self._state.get_step()
        if now == before:
            return ()
        self._told_step = now
        return (StepChanged(from_step=before, to_step=now),)

    async def finish_turn(self, finished: RunFinished | None) -> Sequence[RunEvent]:
        """Leave a talking step that has spoken, and commit. The last commit gives the conversation back."""
        talked = finished is not None and finished.reason == "text_response" and self._has_talked()
        if talked and not self._journey.is_terminal_state(self._state):
            await self._leave_talking_step()
        self._turn_ended(finished)
        if self._kept is not None:
            # A `save_state` of the user's own belongs to the run: the conversation is given back behind it.
            await self._commit(self._kept, finished if self._agent._saves_with_turns else None)
        return self.news() if talked else ()

    async def finish_run(self, finished: RunFinished) -> dict[str, Any]:
        """Save the state, unless there was nothing to do, and give the conversation back if no turn has."""
        kept, saves_with_turns = self._kept, self._agent._saves_with_turns
        if finished.reason != "closing_message" and (kept is None or not saves_with_turns):
            await self._agent.save_state(self._ctx, self._whole_state())
        if kept is None:
            return self._kept_state()
        if kept.is_held:
            await self._commit(kept, finished)
        return kept.state if saves_with_turns else self._kept_state()

    async def leave(self) -> None:
        """Give the conversation back if the run broke off."""
        if self._kept is not None:
            await self._kept.give_back()

    async def _commit(self, kept: HeldConversation, finished: RunFinished | None) -> None:
        """Store the state and the messages that are new, and the run's end when it is known."""
        await kept.commit(self._kept_state(), self.messages, finished, state_version=self._kept_version())

    def _has_talked(self) -> bool:
        """Whether the text that ends the run was said in a talking step."""
        said = self.messages[-1]["content"]
        return bool(said) and self._journey._talks_at(self._state, self._offer.own_tools) and not self._is_cancelled

    async def _leave_talking_step(self) -> None:
        """Move on from a step that offers no tools and is not terminal: nothing else could."""
        target = self._journey.next_step(self._state)
        if target is not None:
            await moved_on(self._journey, self._state, self._ctx, target)

    def _first_state(self) -> Any:
        """The state of the journey as it begins."""
        return self._journey.get_initial_state()

    @property
    def _is_cancelled(self) -> bool:
        """Whether the user has cancelled the journey."""
        return self._corrections is not None and self._ctx.notes.travel.cancelled

    async def _run_tool(self, name: str, arguments: dict[str, Any]) -> Any:
        """Run an offered tool: one of the journey, or a correction."""
        corrections, notes, work = self._corrections, self._ctx.notes, self._journey.execute_tool
        if corrections is None:
            return await work(self._tools, name, arguments)
        if name in corrections.names and not self._offer.is_own(name):
            return corrections.run(name, arguments, self._state, self._first_state, notes)
        own = partial(work, self._tools, name, arguments)
        return await followed(corrections, self._state, self._first_state, notes, name, own)
