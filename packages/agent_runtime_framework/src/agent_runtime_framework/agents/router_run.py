"""One run of a router: the run of whichever journey talks, and the changes from one to another between turns."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from agent_runtime_core.errors import AgentRuntimeError, LLMError
from agent_runtime_core.events import RunEvent, RunFinished, ToolOutcome
from agent_runtime_core.messages import ToolCall
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.agents.conversation import without_metadata
from agent_runtime_framework.agents.corrections import corrections_of, known_corrections
from agent_runtime_framework.agents.journey_run import JourneyRun
from agent_runtime_framework.agents.journey_stack import JourneyStack
from agent_runtime_framework.agents.router_state import RouterState
from agent_runtime_framework.agents.routing_tools import REROUTE, standing_words, ways
from agent_runtime_framework.agents.routing_trace import mark_routing, without_routing
from agent_runtime_framework.agents.turn import Incoming
from agent_runtime_framework.agents.verdict import Verdict
from agent_runtime_framework.config import should_swallow_exceptions
from agent_runtime_framework.executor.delegate import TurnSetup
from agent_runtime_framework.executor.reply import Reply, read_reply
from agent_runtime_framework.tools.correction_tools import CANCEL, correction_tool
from agent_runtime_framework.tools.corrections import asked_first
from agent_runtime_framework.tools.execution import failure_text, unknown_tool_text
from agent_runtime_framework.tools.notes import JourneyNotes
from agent_runtime_framework.tools.retry import ToolRetry

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_router import JourneyRouter

__all__ = ["RouterRun"]

_LOGGER = logging.getLogger("agent_runtime_framework.agents.router")

_LED_ELSEWHERE = ToolOutcome("Error: not run, because an earlier call of this reply has led elsewhere.", "refused")


class RouterRun(JourneyRun):
    """The engine's delegate for a router.

    It is the run of the journey that talks, or of the router itself while none does. Who talks changes only between
    two turns, right before the commit: within a turn every call goes to the journey that was asked, and what is
    stored is always either before a change or behind it.

    Args:
        router: The router.
        ctx: The request.
        incoming: The user's message; see `JourneyRun`.
        verdict: A person's answer; see `JourneyRun`.
    """

    _always_hears = True

    def __init__(
        self,
        router: JourneyRouter,
        ctx: AgentContext,
        incoming: Incoming | None = None,
        verdict: Verdict | None = None,
    ) -> None:
        super().__init__(router, ctx, incoming, verdict)
        self._router = router
        self._stack: JourneyStack  # settled in _take_up()
        self._change: Callable[[], None] | None = None  # what becomes of the stack at the end of the turn
        self._routing_calls: set[str] = set()  # of this turn
        self._turn_start = 0  # the place of the turn's reply in the messages
        self._change_place = 0  # in the messages: what was routed before it is not shown
        self._failure: Exception | None = None  # of a function that takes a result

    @property
    def _held(self) -> RouterState:
        """What the router holds of the conversation."""
        return self._stack.held

    def _take_up(self, state: Any) -> None:
        self._stack = JourneyStack(self._router, state, self._ctx)
        self._change_place = len(self.messages)
        self._let_talk()

    def _whole_state(self) -> RouterState:
        return self._held

    def _let_talk(self) -> None:
        """Be the run of whoever talks now."""
        present = self._stack.present
        self._journey = self._router if present is None else self._router.talker(present)
        self._state = self._held if present is None else present.state
        start = None if present is None else self._router.journeys[present.journey].start
        self._corrections = known_corrections(self._journey, start_differs=start is not None)
        self._ctx.notes.approval_lifetime = self._journey.config.approval_lifetime
        self._asked_at = None  # fixed text is said at the step where it goes on, too

    def _first_state(self) -> Any:
        present = self._stack.present
        return super()._first_state() if present is None else self._stack.first_state(present.journey)

    def _kept_version(self) -> int:
        return self._router.version

    def _notes_with(self, approval_id: str) -> JourneyNotes:
        return self._stack.notes_with(approval_id)

    async def begin(self) -> tuple[Sequence[RunEvent], RunFinished | str | None]:
        """As a journey's; a goodbye needs no answer when the last journey has arrived and none is interrupted."""
        for each in self._router.journeys.values():
            await corrections_of(each.agent)  # their classes are read here: who talks changes without waiting
            for older in each.agent.pinned.values():
                await corrections_of(older)
        opening, ended = await super().begin()
        if ended is None and self._held.arrived and not self._held.stack:
            said = None if self._verdict is not None else self._ctx.get_user_message()
            if said is not None and self._router.is_closing_message(said):
                ended = "closing_message"
        return opening, ended

    def prepare_turn(self) -> TurnSetup:
        """What the present journey's model sees, the ways to the others beside its own tools."""
        self._hand_over()
        self._turn_start = len(self.messages)
        setup = super().prepare_turn()
        seen = without_routing(self.messages[: self._change_place], _Routing(self._router))
        setup.messages = [without_metadata(message) for message in [*seen, *self.messages[self._change_place :]]]
        if setup.reply is not None or setup.says is not None:
            return setup
        tools = {each["function"]["name"]: each for each in [*(setup.tools or []), *self._ways()]}
        setup.tools = list(tools.values()) or None
        if standing := " ".join(standing_words(self._router, self._held)):
            if setup.step_prompt:
                setup.step_prompt = f"{setup.step_prompt}\n\n{standing}"
            else:
                setup.system_prompt = f"{setup.system_prompt}\n\n{standing}" if setup.system_prompt else standing
        return setup

    async def call_tool(self, call: ToolCall, timeout_s: float | None) -> ToolOutcome:
        """Run a call of the present journey's, or note where it leads; behind such a one, nothing else runs."""
        if self._change is not None:
            self._routing_calls.add(call.id)
            return _LED_ELSEWHERE
        if not self._leads_on(call.name):
            return await super().call_tool(call, timeout_s)
        try:
            outcome = self._led_on(call.name)
        except ToolRetry as error:
            return ToolOutcome(f"Error: {error.advice}", "invalid")
        except AgentRuntimeError:
            raise
        except Exception as error:  # what the user's guard or start function raises
            if not should_swallow_exceptions():
                raise
            outcome = ToolOutcome(failure_text(call.name, error), "failed")
        if self._change is not None:
            self._routing_calls.add(call.id)
        return outcome

    def reply_instead(self, error: LLMError) -> Reply | None:
        """The way that the user's words lead, where the model could not be asked for it; None inside of a journey."""
        found = self._found_by_words()
        if found is None:
            return None
        name = self._router.journeys[found].route.name
        kind = type(error).__name__
        _LOGGER.warning("The model could not be asked where to lead the user (%s): %r, by keywords", kind, name)
        call = {"id": f"routed_{len(self.messages)}", "type": "function", "function": {"name": name, "arguments": "{}"}}
        return read_reply(SimpleNamespace(message={"content": None, "tool_calls": [call]}, usage=None), self.messages)

    async def finish_turn(self, finished: RunFinished | None) -> Sequence[RunEvent]:
        """As a journey's; the step that is told is the one of the journey that talks now.

        Raises:
            Exception: What a function raised that takes a journey's result; the turn is committed, and the result will
                be handed over in the next run.
        """
        news = await super().finish_turn(finished)
        if self._failure is not None:
            raise self._failure
        return [*news, *self.news()]

    def news(self) -> Sequence[RunEvent]:
        """The step, when it is another than the one that was told, and a journey talks."""
        return () if self._stack.present is None else super().news()

    def _turn_ended(self, finished: RunFinished | None) -> None:
        """Mark what was routing, and make the change that a call of this turn has asked for."""
        self._mark_routing()
        super()._turn_ended(finished)
        in_words = finished is not None and finished.reason == "text_response"
        if finished is not None and finished.messages:
            finished.messages[:] = self.messages[-len(finished.messages) :]
        if in_words:
            self._held.news = ""
        try:
            if in_words and (found := self._found_by_words()):
                self._change = self._stack.leading_to(found)
            self._hand_over()
        except Exception as error:  # a user's function; what the turn has done is committed all the same
            self._failure = error
        if self._change is not None:
            self._change()
            self._change = None
            self._change_place = len(self.messages)
            self._let_talk()
        if finished is not None and self._stack.let_go():
            self._let_talk()

    def _mark_routing(self) -> None:
        """Mark the calls of this turn that have led elsewhere, or could not."""
        if len(self.messages) > self._turn_start:
            called = map(ToolCall, self.messages[self._turn_start].get("tool_calls") or ())
            self._routing_calls.update(call.id for call in called if self._router.is_routing_tool(call.name))
            mark_routing(self.messages, self._turn_start, self._routing_calls)
        self._routing_calls = set()
        self._turn_start = len(self.messages)

    def _hand_over(self) -> None:
        """Hand over what a journey has come to that has arrived, and let the one below go on."""
        if self._stack.hand_over():
            self._change_place = len(self.messages)
            self._let_talk()

    # The ways.

    def _leads_on(self, name: str) -> bool:
        """Whether a call is not for the present journey: a journey's own tool of the name goes before giving it up."""
        if name == CANCEL:
            return CANCEL not in self._journey.declared.tools and not self._offer.is_own(name)
        return self._router.is_routing_tool(name)

    def _led_on(self, name: str) -> ToolOutcome:
        """Note the change that a call asks for.

        Raises:
            ToolRetry: It cannot be made on this message any more.
        """
        offer = {each["function"]["name"]: each["function"] for each in self._ways()}
        journey = self._router.routes.resolve_tool_call(name)
        if name not in offer:
            missing = self._router.journeys[journey].missing(self._held.profile) if journey is not None else []
            if missing:
                return ToolOutcome(f"Error: {name} is not available now. It needs: {', '.join(missing)}.", "refused")
            return ToolOutcome(unknown_tool_text(name, offer), "refused")
        if name == CANCEL:
            question = asked_first(CANCEL, self._ctx.notes)
            if question is not None:
                return ToolOutcome(question)
            given_up = self._held.stack[-1]
            self._change = lambda: self._stack.give_up(given_up)
        else:
            self._change = self._stack.to_desk if name == REROUTE.name else self._stack.leading_to(str(journey))
        return ToolOutcome("")  # no model is shown it, and no user

    def _ways(self) -> list[dict[str, Any]]:
        """The tools that lead on, in OpenAI's form: to other journeys, and out of the present one."""
        found = [each.to_openai_format() for each in ways(self._router, self._held)]
        present = self._stack.present
        if present is not None and not present.handed_over and self._ctx.notes.travel.heard.is_message:
            found.append(correction_tool(CANCEL))
        return found

    def _found_by_words(self) -> str | None:
        """The journey that the user's message leads to by its words, while none talks."""
        said = None if self._stack.present is not None or self._verdict is not None else self._ctx.get_user_message()
        found = None if said is None else self._router.routes.detect_fallback(said)
        registered = None if found is None else self._router.journeys.get(found.journey)
        if registered is None or self._held.find(registered.route.journey) is not None:
            return None
        return None if registered.missing(self._held.profile) else registered.route.journey


class _Routing:
    """The names of a router's own tools."""

    __slots__ = ("_router",)

    def __init__(self, router: JourneyRouter) -> None:
        self._router = router

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._router.is_routing_tool(name)
