"""One run of a journey: what the engine asks of it, from loading the state to the last commit."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Container, Sequence
from decimal import Decimal
from functools import partial
from inspect import isawaitable, iscoroutine
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from agent_runtime_core.errors import ConfigError, LLMError
from agent_runtime_core.events import RunEvent, RunFinished, RunStarted, StepChanged, ToolOutcome
from agent_runtime_core.interfaces import Answered, Begun
from agent_runtime_core.messages import AgentMessage, MessageDict, ToolCall
from agent_runtime_framework.agents.context import AgentContext, AgentResult
from agent_runtime_framework.agents.conversation import check_state, shown, state_data
from agent_runtime_framework.agents.corrections import corrections_of, hear
from agent_runtime_framework.agents.cost import with_costs
from agent_runtime_framework.agents.ending_tools import EndingTools
from agent_runtime_framework.agents.fixed_text import fixed_text
from agent_runtime_framework.agents.kept_context import KeptContext
from agent_runtime_framework.agents.lease import Lease
from agent_runtime_framework.agents.run_record import replayed, run_record
from agent_runtime_framework.agents.step_hooks import moved_on, with_hooks
from agent_runtime_framework.agents.stored_history import RunHistory
from agent_runtime_framework.agents.stored_state import journey_of
from agent_runtime_framework.agents.turn import Incoming, begun_turn
from agent_runtime_framework.agents.verdict import Verdict
from agent_runtime_framework.executor.engine import TurnSetup
from agent_runtime_framework.executor.llm_call import LLMClient
from agent_runtime_framework.executor.reply import Reply, read_reply
from agent_runtime_framework.prompts import PromptTemplate
from agent_runtime_framework.tools import BaseJourneyTools, ToolResult
from agent_runtime_framework.tools.approval import Approval
from agent_runtime_framework.tools.correction_tools import CANCELLED_PROMPT
from agent_runtime_framework.tools.corrections import Corrections
from agent_runtime_framework.tools.execution import call_tool
from agent_runtime_framework.tools.notes import JourneyNotes

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["JourneyRun", "result_of"]


class JourneyRun:
    """The engine's delegate for a journey: one state object, looked at anew at every turn.

    Args:
        agent: The journey.
        ctx: The request.
        incoming: The user's message to a conversation that the agent keeps: then the run holds the conversation's
            lease and every turn is committed. None when the caller keeps the messages: then only the state is saved,
            at the end.
        verdict: A person's answer to a call that waits for them, when the message tells of one.
    """

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
        self._incoming = incoming
        self._verdict = verdict
        self._lease: Lease | None = None
        self.cancelled = ctx.cancelled
        """Whether the request was taken back."""
        self.client: LLMClient = agent.llm_client  # type: ignore[assignment]  # settled in begin()
        """The model."""
        self.messages: list[MessageDict] = []
        """The conversation, the user's new message and all of this run included."""
        self.listened = True
        """Whether anybody hears of the run before its end."""
        self._committed = 0  # how many of the messages are in the store
        self._state: Any = None
        self._told_step: Any = None  # the step that the events have told so far
        self._tools: Any = None
        self._offered: list[dict[str, Any]] = []
        self._own_offer = 0  # so many of the offered tools are the journey's own
        self._offer_is_old = False  # a tool has run since the journey was asked
        self._asked_at: Any = None  # the step at which the run began, or its last turn
        self._corrections: Corrections | None = None
        self._costs: dict[int, tuple[Decimal | None, str]] = {}  # by place in the messages

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
        self.client = agent._model()
        answered: Answered | None = None
        said_already: str | None = None  # what a run had said that broke off right before its end
        if self._incoming is None:
            self.messages = ctx.wire_messages()
        else:
            agent._check_state_class()
            answer = await self._turn(self._incoming)
            if isinstance(answer, Answered):
                answered = answer
            else:
                log = agent._conversation_log()
                log.opened(ctx, answer.checkpoint)
                history = RunHistory(log, ctx, answer.lease)
                self.messages = shown(await agent.config.history_policy.fit(history), ctx.conversation_id)
                self._committed = len(self.messages)
                if isinstance(ctx, KeptContext):
                    ctx.show(self.messages)
                if not answer.placed:
                    said_already = _last_words(self.messages)
        state = await agent.load_state(ctx)
        if state is None:
            state = agent.get_initial_state()
        self._journey = journey_of(agent, ctx.checkpoint)
        self._corrections = await corrections_of(self._journey)
        if answered is None:
            hear(ctx, self.messages, self._verdict)
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
            said = ctx.get_user_message()
            if said is not None and self._journey.is_closing_message(said):
                return opening, "closing_message"
        return opening, None

    def _take_up(self, state: Any) -> None:
        """Go on with the stored state."""
        self._state = state
        self._ctx.notes.approval_lifetime = self._agent.config.approval_lifetime

    def _kept_state(self) -> dict[str, Any]:
        """What is stored as the state."""
        return state_data(self._state)

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

    async def _turn(self, incoming: Incoming) -> Begun | Answered:
        """Wait for the message's turn, and hold the conversation's lease from then on."""
        agent, ctx = self._agent, self._ctx
        log, config = agent._conversation_log(), agent.config
        conversation_id = str(ctx.conversation_id)
        limit = config.history_policy.max_messages
        answer = await begun_turn(
            log.store,
            ctx.owner,
            conversation_id,
            log.agent_key,
            incoming,
            lease_seconds=config.lease_seconds,
            max_messages=None if limit is None else limit + 1,  # those before, and the new one
        )
        if isinstance(answer, Begun):
            self._lease = Lease(log.store, ctx.owner, conversation_id, token=answer.lease, seconds=config.lease_seconds)
        return answer

    async def _decide(self, verdict: Verdict) -> None:
        """Store a person's answer before anything comes of it."""
        notes = self._notes_with(verdict.approval_id)
        approval = notes.approvals.get(verdict.approval_id)
        if approval is None or approval.granted_by is not None or self._lease is None:
            return  # it was stored by an earlier run that broke off
        notes.decide(approval, verdict.granted, verdict.by)
        log = self._agent._conversation_log()
        await log.commit(self._ctx, self._kept_state(), state_version=self._kept_version(), lease=self._lease.token)

    async def _ended_before(self, response: str) -> RunFinished:
        """The end of a run whose last words are stored, and its end is not."""
        finished = RunFinished(response=response, reason="text_response", messages=[], usage={}, replayed=True)
        finished.state = await self.finish_run(finished)
        return finished

    def prepare_turn(self) -> TurnSetup:
        """The prompt and the tools of the step as it is now."""
        agent, state = self._journey, self._state
        self._ctx.notes.travel.heard.begin_turn()
        self._tools = self._new_tools()
        offered = self._read_offer()
        granted = self._ctx.notes.granted()
        if granted is not None:  # a person has said yes: what they have seen is what runs
            return TurnSetup(None, None, {}, None, _reply_of(granted, self.messages))
        if agent.says is not None and not self._is_cancelled:
            words = self._fixed_words()
            if words is not None:
                return TurnSetup(None, None, {}, says=words)
        prompt: Any = CANCELLED_PROMPT if self._is_cancelled else agent.get_system_prompt(state)
        if prompt.__class__ is not str:
            prompt = _checked_prompt(agent, prompt)
        if agent.tools == "stable" and agent.declared.tools:
            offered = [spec.to_openai_format() for spec in agent.declared.tools.values()]
            if self._corrections is not None:
                offered += self._corrections.all_formats()
        if agent.instructions is None:
            return TurnSetup(prompt, offered or None, {})
        instructions = agent.instructions
        if isinstance(instructions, PromptTemplate):
            instructions = instructions.render()
        return TurnSetup(instructions, offered or None, {}, prompt)

    def _fixed_words(self) -> str | None:
        """What the journey says here without the model: at a step just come to, and always at a talking step."""
        agent, state = self._journey, self._state
        came, self._asked_at = state.get_step() != self._asked_at, state.get_step()
        words = fixed_text(agent.says or {}, state)
        if words is None:
            return None
        talks = agent._talks_at(state, self._offered[: self._own_offer]) and not agent.is_terminal_state(state)
        return words if came or talks else None

    async def call_tool(self, call: ToolCall, timeout_s: float | None) -> ToolOutcome:
        """Run a call, if its tool is offered now: an earlier call of the same reply may have changed the offer."""
        offered = self._read_offer() if self._offer_is_old else self._offered
        self._offer_is_old = True
        offer = {each["function"]["name"]: each["function"] for each in offered}
        if len(offer) != len(offered):
            names = ", ".join(each["function"]["name"] for each in offered)
            raise ConfigError(f"{type(self._journey).__name__} offers two tools of one name: {names}.")
        outcome = await call_tool(
            call,
            self._with_hooks if self._journey.step_hooks else self._run_tool,
            offer=offer,
            timeout_s=timeout_s,
            state=self._state,
            notes=self._ctx.notes,
            check=None if self._incoming is None else self._check_state,
        )
        if outcome.status == "failed":  # it was undone: what the tools hold of the state is not the state's any more
            self._tools = self._new_tools()
        granted = self._ctx.notes.granted()
        if granted is not None and call.id == f"approved_{granted.approval_id}":  # it could not run any more
            del self._ctx.notes.approvals[granted.approval_id]
        return outcome

    async def _with_hooks(self, name: str, arguments: dict[str, Any]) -> Any:
        """Run a tool and the hooks of the steps that it leaves and enters: one thing, done or undone."""
        work = partial(self._run_tool, name, arguments)
        return await with_hooks(self._journey, self._state, self._ctx, work)

    def _new_tools(self) -> Any:
        """The journey's tools on the present state; those of ours know what the journey has done so far."""
        tools = self._journey.create_tools(self._state, self._ctx)
        if isinstance(tools, BaseJourneyTools):
            tools._notes = self._ctx.notes
        return tools

    def _check_state(self, state: Any) -> None:
        """Make sure that what a tool has left can be stored, and read again."""
        check_state(state, decodes=self._agent._reads_with_from_dict)

    def reply_instead(self, error: LLMError) -> Reply | None:
        """Nothing: a journey whose model cannot be asked says so."""
        return None

    def note_cost(self, cost: Decimal | None, model: str) -> None:
        """Keep what the next reply has cost: it is stored with it."""
        self._costs[len(self.messages)] = (cost, model)

    def news(self) -> Sequence[RunEvent]:
        """The step, when it is another than the one that was told."""
        before, now = self._told_step, self._state.get_step()
        if now == before:
            return ()
        self._told_step = now
        return (StepChanged(from_step=before, to_step=now),)

    async def finish_turn(self, finished: RunFinished | None) -> Sequence[RunEvent]:
        """Leave a talking step that has spoken, and commit. The last commit gives the conversation back."""
        talked = (
            finished is not None
            and self._journey._talks_at(self._state, self._offered[: self._own_offer])
            and not self._is_cancelled
            and finished.reason == "text_response"
            and self.messages[-1]["content"]
        )
        if talked:
            await self._leave_talking_step()
        self._turn_ended(finished)
        if self._incoming is not None:
            # A `save_state` of the user's own belongs to the run: the conversation is given back behind it.
            await self._commit(finished if self._agent._saves_with_turns else None)
        return self.news() if talked else ()

    async def finish_run(self, finished: RunFinished) -> dict[str, Any]:
        """Save the state, unless there was nothing to do, and give the conversation back if no turn has."""
        held = self._lease is not None and self._lease.token is not None
        if finished.reason != "closing_message" and not (held and self._agent._saves_with_turns):
            await self._save()
        if held:
            await self._commit(finished)
        return self._kept_state()

    async def _save(self) -> None:
        """Let the journey save its state."""
        await self._agent.save_state(self._ctx, self._state)

    async def leave(self) -> None:
        """Give the conversation back if the run broke off."""
        if self._lease is not None and self._lease.token is not None:
            await self._lease.give_back()

    async def _commit(self, finished: RunFinished | None) -> None:
        """Store the state and the messages that are new, and the run's end when it is known."""
        assert self._lease is not None  # as every run has that keeps the conversation
        new = self.messages[self._committed :]
        if self._costs:
            new = with_costs(new, self._committed, self._costs)
        await self._agent._conversation_log().commit(
            self._ctx,
            self._kept_state(),
            new,
            state_version=self._kept_version(),
            lease=self._lease.token,
            finish=None if finished is None else run_record(finished),
        )
        self._committed = len(self.messages)
        if finished is not None:
            self._lease.ended()

    async def _leave_talking_step(self) -> None:
        """Move on from a step that offers no tools and is not terminal: nothing else could."""
        if not self._journey.is_terminal_state(self._state):
            target = self._journey.next_step(self._state)
            if target is not None:
                await moved_on(self._journey, self._state, self._ctx, target)

    def _read_offer(self) -> list[dict[str, Any]]:
        """Ask the journey for its tools as they are now."""
        self._offer_is_old = False
        schemas = () if self._is_cancelled else self._journey.get_tool_schemas(self._state)
        try:
            self._offered = [schema.to_openai_format() for schema in schemas]
        except (AttributeError, TypeError) as error:
            raise ConfigError(
                f"{type(self._journey).__name__}.get_tool_schemas() gave {schemas!r:.100} at step "
                f"{self._state.get_step()!r}; it must give a list of ToolSchema, empty when there are none."
            ) from error
        self._own_offer = len(self._offered)
        if self._corrections is not None and not self._journey.is_terminal_state(self._state):
            begin, notes = self._first_state, self._ctx.notes
            self._offered = self._corrections.beside(self._offered, self._state, begin, notes)
        return self._offered

    def _first_state(self) -> Any:
        """The state of the journey as it begins."""
        return self._journey.get_initial_state()

    @property
    def _is_cancelled(self) -> bool:
        """Whether the user has cancelled the journey."""
        return self._corrections is not None and self._ctx.notes.travel.cancelled

    async def _run_tool(self, name: str, arguments: dict[str, Any]) -> Any:
        """Run an offered tool: one of the journey, or a correction."""
        agent, corrections, state, notes = self._journey, self._corrections, self._state, self._ctx.notes
        if corrections is None:
            return await agent.execute_tool(self._tools, name, arguments)
        if name in corrections.names and all(
            each["function"]["name"] != name for each in self._offered[: self._own_offer]
        ):
            return corrections.run(name, arguments, state, self._first_state, notes)
        step, before = state.get_step(), corrections.before_tool(state, notes)
        result = await agent.execute_tool(self._tools, name, arguments)
        if result.__class__ is not str and isawaitable(result):  # an `await` was forgotten
            result = await result
        if not (isinstance(result, ToolResult) and not result.success):
            corrections.after_tool(name, step, before, state, self._first_state, notes)
        return result


def _checked_prompt(agent: JourneyAgent[Any, Any, Any], prompt: Any) -> str | None:
    """The prompt, if it is a text or there is none.

    Raises:
        ConfigError: It is something else.
    """
    if prompt is None or isinstance(prompt, str):
        return prompt
    if iscoroutine(prompt):
        prompt.close()
        prompt = "a coroutine (it is asked without await: leave out the `async`)"
    raise ConfigError(f"{type(agent).__name__}.get_system_prompt() must give a text, and gave {prompt!s:.100}.")


def _reply_of(approval: Approval, messages: list[MessageDict]) -> Reply:
    """The approved call, as if the model had made it now."""
    function = {"name": approval.tool, "arguments": json.dumps(approval.arguments, ensure_ascii=False)}
    call = {"id": f"approved_{approval.approval_id}", "type": "function", "function": function}
    return read_reply(SimpleNamespace(message={"content": None, "tool_calls": [call]}, usage=None), messages)


def _last_words(messages: list[MessageDict]) -> str | None:
    """The assistant's text that a conversation ends with, or None when it ends with something else."""
    last = messages[-1] if messages else {}
    said = last.get("content")
    if last.get("role") == "assistant" and not last.get("tool_calls") and isinstance(said, str):
        return said
    return None


async def result_of(events: AsyncGenerator[RunEvent, None]) -> AgentResult:
    """A run's stream read to its end."""
    last: RunEvent | None = None
    try:
        async for last in events:  # noqa: B007  # only the last one is wanted
            pass
    finally:
        await events.aclose()
    assert type(last) is RunFinished  # as every run ends that does not raise
    metadata: dict[str, Any] = {"stopped_reason": last.reason, "tool_calls_made": last.tool_calls_made}
    if last.cost is not None:
        metadata["cost"] = str(last.cost)
    if last.replayed:
        metadata["replayed"] = True
    if last.reason.startswith("approval:"):
        metadata["approval_id"] = last.reason.partition(":")[2]
    return AgentResult(
        response=last.response,
        messages=list(map(AgentMessage.from_dict, last.messages)),
        state=last.state,
        usage=None if last.reason == "closing_message" else last.usage,
        metadata=metadata,
    )
