"""The journeys under way in one run of a router: who talks, and what becomes of them when that changes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent_runtime_core.stores import check_json_data
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.agents.conversation import check_state
from agent_runtime_framework.agents.router_state import RouterState, UnderWay
from agent_runtime_framework.state import StateSerializer
from agent_runtime_framework.state.snapshot import StateSnapshot
from agent_runtime_framework.tools.notes import JourneyNotes

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_router import JourneyRouter

__all__ = ["JourneyStack"]


class JourneyStack:
    """What can happen to the journeys of a conversation. Each leaves the stack in order, or changes nothing.

    The notes of the journey that talks are those of the context, as they are for a journey without a router.

    Args:
        router: The router.
        held: What it holds of the conversation.
        ctx: The request; its notes are those of the journey that talks.
    """

    def __init__(self, router: JourneyRouter, held: RouterState, ctx: AgentContext) -> None:
        self.held = held
        self._router = router
        self._ctx = ctx
        for each in held.stack:  # one list for all: an answer given twice is known wherever it is looked for
            each.notes.decided = ctx.notes.decided
        if held.present is not None:
            held.present.notes = ctx.notes

    @property
    def present(self) -> UnderWay | None:
        """The journey that talks; None when the router does."""
        return self.held.present

    def first_state(self, journey: str) -> Any:
        """The state with which a journey begins here."""
        registered = self._router.journeys[journey]
        return registered.agent.get_initial_state() if registered.start is None else registered.start(self.held.profile)

    def notes_with(self, approval_id: str) -> JourneyNotes:
        """The notes that a call which waits for a person is in, also when its journey is interrupted."""
        notes = (each.notes for each in self.held.stack if approval_id in each.notes.approvals)
        return next(notes, self._ctx.notes)

    # The changes that a call asks for. They are made at the end of its turn.

    def leading_to(self, journey: str) -> Callable[[], None]:
        """The change to a journey: to where it was left, or to its beginning.

        Raises:
            Exception: What the function raises that makes its first state; or the state cannot be stored.
        """
        known = self.held.find(journey)
        if known is not None:
            return lambda: self._go_on(known)
        state = self.first_state(journey)
        check_state(state, decodes=True)
        begun = UnderWay(journey, state, self._router.journeys[journey].agent.version)
        begun.notes.decided = self._ctx.notes.decided
        return lambda: self._begin(begun)

    def _go_on(self, known: UnderWay) -> None:
        self._interrupt()
        self.held.stack.remove(known)
        self.held.stack.append(known)
        self._let_talk("The user has come back to this: take it up where it was left.")

    def _begin(self, begun: UnderWay) -> None:
        self._interrupt()
        self.held.stack.append(begun)
        self.held.arrived = False
        self._let_talk("The user has just come to this.")

    def to_desk(self) -> None:
        """Let the router talk; the present journey is interrupted."""
        left = self.held.journey
        self._interrupt()
        turned = "" if left is None else f"The user has turned away from {left!r} and wants something else."
        self._let_talk(turned, at_desk=True)

    def give_up(self, given_up: UnderWay) -> None:
        """Forget a journey, unless an earlier call of the same reply has brought it to its end."""
        if not given_up.handed_over:
            self.held.stack.remove(given_up)
            self._go_below(f"The user has given up {given_up.journey!r}; say that it is cancelled.")

    # The end of a journey.

    def hand_over(self) -> bool:
        """Hand over the result of a journey that has arrived; whether the one that it had interrupted goes on.

        Nothing is changed when a function of the user's raises: then it is tried again in the next run.
        """
        held, present = self.held, self.present
        if present is None or present.handed_over:
            return False
        talker = self._router.talker(present)
        if not talker.is_terminal_state(present.state):
            return False
        result = talker.result(present.state)
        profile = self._profile_with(present.journey, result)
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
        if below is None:
            return False  # it says its closing words itself
        held.stack.remove(present)
        self._go_below(f"The user has finished {present.journey!r}; say so in a few words.")
        return True

    def _profile_with(self, journey: str, result: Any) -> Any:
        """What a journey's result makes of the profile; the present one stays as it is."""
        put = self._router.journeys[journey].on_result
        if put is None:
            return self.held.profile
        profile = copy.deepcopy(self.held.profile)
        given = put(profile, result)
        profile = profile if given is None else given
        check_json_data(StateSerializer.serialize(profile), "profile")
        return profile

    def let_go(self) -> bool:
        """A run ends: a journey that has arrived, and was the only one, is over; whether there was one."""
        present = self.present
        if present is None or not present.handed_over:
            return False
        self.held.stack.remove(present)
        self.held.arrived = True
        self._let_talk("")
        return True

    # Who talks.

    def _interrupt(self) -> None:
        """The present journey talks no more: what its user was asked is over, and so is one that has arrived."""
        present = self.present
        if present is not None:
            present.notes.travel.asked = None
            if present.handed_over:
                self.held.stack.remove(present)

    def _go_below(self, news: str) -> None:
        """Let whoever is below talk, and know what has become of what was above."""
        back = " Then come back to what you were about, at the step where it was left." if self.held.stack else ""
        self._let_talk(f"{news}{back}")

    def _let_talk(self, news: str, *, at_desk: bool = False) -> None:
        """Let the last journey of the stack talk, or the router; the context has its notes from then on."""
        held, before = self.held, self._ctx.notes
        held.at_desk, held.news = at_desk, news
        notes = JourneyNotes(decided=before.decided) if held.present is None else held.present.notes
        # It answers the same message. What another one has asked the user is no question of its own.
        notes.travel.heard = replace(before.travel.heard, confirms=None, asks=None)
        self._ctx.notes = notes
