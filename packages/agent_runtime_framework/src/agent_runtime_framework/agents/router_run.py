"""One run of a router: the run of whichever journey talks, and the changes from one to another between turns."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from agent_runtime_core.errors import AgentRuntimeError, LLMError
from agent_runtime_core.events import RunEvent, RunFinished, ToolOutcome
from agent_runtime_core.messages import MessageDict, ToolCall
from agent_runtime_core.stores import check_json_data
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.agents.conversation import check_state, state_data
from agent_runtime_framework.agents.journey_run import JourneyRun
from agent_runtime_framework.agents.router_state import RouterState, UnderWay
from agent_runtime_framework.agents.routing_tools import CANCEL, CONFIRM_CANCEL, REROUTE, standing_words, ways
from agent_runtime_framework.agents.routing_trace import mark_routing, without_routing
from agent_runtime_framework.agents.turn import Incoming
from agent_runtime_framework.agents.verdict import Verdict
from agent_runtime_framework.config import should_swallow_exceptions
from agent_runtime_framework.executor.delegate import TurnSetup
from agent_runtime_framework.executor.reply import Reply, read_reply
from agent_runtime_framework.state import StateSerializer
from agent_runtime_framework.state.snapshot import StateSnapshot
from agent_runtime_framework.tools import ToolSchema
from agent_runtime_framework.tools.execution import failure_text, unknown_tool_text
from agent_runtime_framework.tools.notes import JourneyNotes

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

    def __init__(
        self,
        router: JourneyRouter,
        ctx: AgentContext,
        incoming: Incoming | None = None,
        verdict: Verdict | None = None,
    ) -> None:
        super().__init__(router, ctx, incoming, verdict)
        self._router = router
        self._held: RouterState  # settled in _take_up()
        self._change: Callable[[], None] | None = None  # what becomes of the stack at the end of the turn
        self._routing_calls: set[str] = set()  # of this turn
        self._turn_start = 0  # the place of the turn's reply in the messages
        self._change_place = 0  # in the messages: what was routed before it is not shown
        self._failure: Exception | None = None  # of a function that takes a result
        self._may_confirm = False  # the user was asked before this run whether to give the journey up
        self._asks_to_cancel = False  # the model was told in this run to ask
        self._ended_by_call = False  # the last call's success ends the run

    @property
    def terminal_tools(self) -> _EndingCall:
        """Tools whose success ends the run: those of the journey that the last call went to."""
        return _EndingCall(self)

    def _take_up(self, state: Any) -> None:
        self._held = state
        self._change_place = len(self.messages)
        self._share_decisions()
        present = self._held.present
        self._may_confirm = present is not None and present.cancel_asked
        self._let_talk()

    def _kept_state(self) -> dict[str, Any]:
        return state_data(self._held)

    def _kept_version(self) -> int:
        return self._router.version

    async def _save(self) -> None:
        await self._router.save_state(self._ctx, self._held)

    def _notes_with(self, approval_id: str) -> JourneyNotes:
        return next((each.notes for each in self._held.stack if approval_id in each.notes.approvals), self._ctx.notes)

    async def begin(self) -> tuple[Sequence[RunEvent], RunFinished | str | None]:
        """As a journey's; a goodbye needs no answer when the last journey has arrived and none is interrupted."""
        opening, ended = await super().begin()
        if ended is None and self._held.arrived and not self._held.stack:
            said = self._ctx.get_user_message()
            if said is not None and self._router.is_closing_message(said):
                ended = "closing_message"
        return opening, ended

    def prepare_turn(self) -> TurnSetup:
        """What the present journey's model sees, the ways to the others beside its own tools."""
        self._hand_over()
        self._turn_start = len(self.messages)
        setup = super().prepare_turn()
        seen = without_routing(self.messages[: self._change_place], _Routing(self._router))
        setup.messages = [_plain(message) for message in [*seen, *self.messages[self._change_place :]]]
        if setup.reply is not None or setup.says is not None:
            return setup
        setup.tools = [*(setup.tools or []), *(each.to_openai_format() for each in self._ways())] or None
        if standing := " ".join(standing_words(self._router, self._held, may_confirm=self._may_confirm)):
            if setup.step_prompt:
                setup.step_prompt = f"{setup.step_prompt}\n\n{standing}"
            else:
                setup.system_prompt = f"{setup.system_prompt}\n\n{standing}" if setup.system_prompt else standing
        return setup

    async def call_tool(self, call: ToolCall, timeout_s: float | None) -> ToolOutcome:
        """Run a call of the present journey's, or note where it leads; behind such a one, nothing else runs."""
        self._ended_by_call = False
        if self._change is not None:
            self._routing_calls.add(call.id)
            return _LED_ELSEWHERE
        if self._router.is_routing_tool(call.name):
            self._routing_calls.add(call.id)
            try:
                return self._routed(call.name)
            except AgentRuntimeError:
                raise
            except Exception as error:  # what the user's guard or start function raises
                if not should_swallow_exceptions():
                    raise
                return ToolOutcome(failure_text(call.name, error), "failed")
        self._ended_by_call = call.name in self._journey.config.terminal_tools | self._journey._ending_tools
        return await super().call_tool(call, timeout_s)

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
        return () if self._held.present is None else super().news()

    def _turn_ended(self, finished: RunFinished | None) -> None:
        """Mark what was routing, and make the change that a call of this turn has asked for."""
        if len(self.messages) > self._turn_start:
            called = map(ToolCall, self.messages[self._turn_start].get("tool_calls") or ())
            self._routing_calls.update(call.id for call in called if self._router.is_routing_tool(call.name))
            mark_routing(self.messages, self._turn_start, self._routing_calls)
        self._routing_calls = set()
        self._turn_start = len(self.messages)
        if finished is not None:
            if finished.messages:
                finished.messages[:] = self.messages[-len(finished.messages) :]
            self._answered(in_words=finished.reason == "text_response")
        try:
            if finished is not None and finished.reason == "text_response" and (found := self._found_by_words()):
                self._change = self._to(found)
            self._hand_over()
        except Exception as error:  # a user's function; what the turn has done is committed all the same
            self._failure = error
        if self._change is not None:
            self._change()
            self._change = None
            self._change_place = len(self.messages)
        if finished is not None:
            self._let_go()

    # Who talks.

    def _let_talk(self) -> None:
        """Let whoever is the present one talk."""
        present = self._held.present
        self._journey = self._router if present is None else self._router.talker(present)
        self._state = self._held if present is None else present.state
        self._ctx.notes.approval_lifetime = self._journey.config.approval_lifetime
        self._asked_at = None  # fixed text is said at the step where it goes on, too

    def _share_decisions(self) -> None:
        """One list of answered approvals for all notes: an answer given twice is known wherever it is looked for."""
        for each in self._held.stack:
            each.notes.decided = self._ctx.notes.decided

    def _interrupt(self) -> None:
        """Put the present journey's notes by; who talks next has none so far. One that has arrived is let go."""
        held, decided = self._held, self._ctx.notes.decided
        present = held.present
        if present is not None:
            present.notes, present.cancel_asked = self._ctx.notes, False
            if present.handed_over:
                held.stack.remove(present)
        self._ctx.notes = JourneyNotes(decided=decided)
        self._may_confirm = self._asks_to_cancel = False

    def _resume(self) -> None:
        """Let the last journey of the stack go on where it was left, or the router when there is none."""
        held = self._held
        held.at_desk = False
        if held.stack:
            present = held.stack[-1]
            present.notes.decided = self._ctx.notes.decided
            self._ctx.notes, present.notes = present.notes, JourneyNotes()
        self._let_talk()

    # The changes.

    def _to(self, journey: str) -> Callable[[], None]:
        """The change to a journey: to its beginning, or to where it was left."""
        held, registered = self._held, self._router.journeys[journey]
        known = held.find(journey)
        if known is not None:
            going_on = known

            def go_on() -> None:
                self._interrupt()
                held.stack.remove(going_on)
                held.stack.append(going_on)
                going_on.news = "The user has come back to this: take it up where it was left."
                self._resume()

            return go_on
        state = registered.agent.get_initial_state() if registered.start is None else registered.start(held.profile)
        check_state(state, decodes=True)

        def begin() -> None:
            self._interrupt()
            held.stack.append(UnderWay(journey, state, registered.agent.version))
            held.arrived = False
            self._resume()

        return begin

    def _to_desk(self) -> None:
        held, left = self._held, self._held.journey
        self._interrupt()
        held.at_desk = True
        held.news = "" if left is None else f"The user has turned away from {left!r} and wants something else."
        self._let_talk()

    def _give_up(self, given_up: UnderWay) -> None:
        held = self._held
        if given_up.handed_over:
            return  # an earlier call of the same reply has brought it to its end
        self._interrupt()
        held.stack.remove(given_up)
        self._tell_next(f"The user has given up {given_up.journey!r}; say that it is cancelled.")

    def _tell_next(self, news: str) -> None:
        """Let whoever is below talk, and know what has become of what was above."""
        if self._held.stack:
            self._held.stack[-1].news = f"{news} Then come back to what you were about, at the step where it was left."
        else:
            self._held.news = news
        self._resume()

    def _hand_over(self) -> None:
        """Hand over the result of a journey that has arrived, and let the one that it has interrupted go on.

        Nothing is changed when a function of the user's raises: then it is tried again in the next run.
        """
        held, present = self._held, self._held.present
        if present is None or present.handed_over:
            return
        registered = self._router.journeys[present.journey]
        talker = self._router.talker(present)
        if not talker.is_terminal_state(present.state):
            return
        result = talker.result(present.state)
        profile = held.profile
        if registered.on_result is not None:
            profile = copy.deepcopy(profile)
            given = registered.on_result(profile, result)
            profile = profile if given is None else given
            check_json_data(StateSerializer.serialize(profile), "profile")
        below = held.stack[-2] if len(held.stack) > 1 else None
        if below is not None:
            snapshot = StateSnapshot(below.state)
            try:
                self._router.talker(below).take_result(below.state, present.journey, result)
                check_state(below.state, decodes=True)
            except BaseException:
                snapshot.restore()
                raise
        held.profile = profile
        present.handed_over = True
        if below is not None:
            self._interrupt()
            self._change_place = len(self.messages)
            self._tell_next(f"The user has finished {present.journey!r}; say so in a few words.")

    def _answered(self, *, in_words: bool) -> None:
        """The run ends: what was news is none any more, and only a question in words has been asked."""
        held, present = self._held, self._held.present
        if present is not None:
            present.cancel_asked = self._asks_to_cancel and in_words
            present.news = "" if in_words else present.news
        elif in_words:
            held.news = ""

    def _let_go(self) -> None:
        """The run ends: a journey that has arrived, and was the only one, is over."""
        held, present = self._held, self._held.present
        if present is not None and present.handed_over:
            self._interrupt()
            held.arrived = True
            self._let_talk()

    # The ways.

    def _routed(self, name: str) -> ToolOutcome:
        """Note the change that a routing tool asks for."""
        if name not in {each.name for each in self._ways()}:
            journey = self._router.routes.resolve_tool_call(name)
            missing = self._router.journeys[journey].missing(self._held.profile) if journey is not None else []
            if missing:
                return ToolOutcome(f"Error: {name} is not available now. It needs: {', '.join(missing)}.", "refused")
            offer = {each.name: each.to_openai_format()["function"] for each in self._ways()}
            return ToolOutcome(unknown_tool_text(name, offer), "refused")
        if name == CANCEL.name:
            self._asks_to_cancel = True
            return ToolOutcome("Nothing is given up yet. Ask the user whether to give it up; call nothing else.")
        if name == CONFIRM_CANCEL.name:
            given_up = self._held.stack[-1]
            self._change = lambda: self._give_up(given_up)
        elif name == REROUTE.name:
            self._change = self._to_desk
        else:
            self._change = self._to(str(self._router.routes.resolve_tool_call(name)))
        return ToolOutcome("")  # no model is shown it, and no user

    def _ways(self) -> list[ToolSchema]:
        return list(ways(self._router, self._held, may_confirm=self._may_confirm))

    def _found_by_words(self) -> str | None:
        """The journey that the user's message leads to by its words, while none talks."""
        if self._held.present is not None or self._verdict is not None:
            return None
        said = self._ctx.get_user_message()
        if said is None:
            return None
        found = self._router.routes.detect_fallback(said)
        registered = None if found is None else self._router.journeys.get(found.journey)
        if registered is None or self._held.find(registered.route.journey) is not None:
            return None
        return None if registered.missing(self._held.profile) else registered.route.journey


class _EndingCall:
    """The names of tools whose success ends the run, as the last call knows them."""

    __slots__ = ("_run",)

    def __init__(self, run: RouterRun) -> None:
        self._run = run

    def __contains__(self, name: object) -> bool:
        return self._run._ended_by_call


class _Routing:
    """The names of a router's own tools."""

    __slots__ = ("_router",)

    def __init__(self, router: JourneyRouter) -> None:
        self._router = router

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._router.is_routing_tool(name)


def _plain(message: MessageDict) -> MessageDict:
    """The message as it is sent: without notes."""
    return {name: value for name, value in message.items() if name != "metadata"} if "metadata" in message else message
