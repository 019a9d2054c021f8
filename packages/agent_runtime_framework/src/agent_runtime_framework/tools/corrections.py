"""The way back in a journey: tools of the framework's own that reopen answers, go back, begin again and cancel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import lru_cache
from typing import Any

from agent_runtime_framework.state.snapshot import StateSnapshot
from agent_runtime_framework.tools.answers import Answers
from agent_runtime_framework.tools.correction_tools import ASK_FIRST, NAMES, correction_tool
from agent_runtime_framework.tools.notes import JourneyNotes
from agent_runtime_framework.tools.retry import ToolRetry
from agent_runtime_framework.tools.travel import Passed

__all__ = ["Corrections", "asked_first"]

_COMBINATIONS_KEPT = 256

_TOO_LATE = (
    "nothing was corrected: a correction has to come before anything else that is done on a message of the user. If "
    "they have asked for it, ask them to say it once more."
)


class Corrections:
    """What can be corrected in a journey, and how. One object serves all conversations of a class.

    Args:
        answers: The fields, and the tools that set them.
        untouched: A state of a journey that begins, when all of them are alike; None when the journey has to be
            asked each time.
        writes_offer: Whether the journey writes its offer of tools itself, where any name may stand.
    """

    def __init__(self, answers: Answers, untouched: Any = None, *, writes_offer: bool = True) -> None:
        self.answers = answers
        self.steps = answers.steps.__members__
        self.names = tuple(name for name in NAMES if name not in answers.specs)
        """The tools of its own; a tool of the journey that has such a name takes its place."""
        self._untouched = untouched
        self._writes_offer = writes_offer
        self._formats = lru_cache(_COMBINATIONS_KEPT)(self._made_formats)

    def for_any_start(self) -> Corrections:
        """The same for a journey that may begin with another state."""
        return self if self._untouched is None else Corrections(self.answers, writes_offer=self._writes_offer)

    def _initial(self, begin: Callable[[], Any]) -> Any:
        """A state of a journey that begins; it is only read."""
        return begin() if self._untouched is None else self._untouched

    # What is offered.

    def offered(self, state: Any, begin: Callable[[], Any], notes: JourneyNotes) -> tuple[dict[str, Any], ...]:
        """The tools that make sense now, in OpenAI's form; the same objects where the same ones do.

        Args:
            state: The state; the journey is not over.
            begin: Makes the state of a journey that begins.
            notes: What is remembered of the journey beside its state.
        """
        travel = notes.travel
        if not travel.heard.is_message:
            return ()
        if travel.cancelled:
            return self._formats(("start_again",), ())
        initial = self._initial(begin)
        fields_now: tuple[str, ...] = ()
        for name in self.answers.changeable_at(state.get_step()):
            if self._is_set(name, state, initial, notes) and not self._is_final(name, notes):
                fields_now += (name,)
        names: tuple[str, ...] = ()
        if self._place_before(notes) is not None:
            names = ("go_back",)
        if fields_now:
            names += ("change_answer",)
        if (
            fields_now
            or travel.path
            or travel.ahead
            or any(self._is_set(each, state, initial, notes) for each in self.answers.setters)
        ):
            names += ("start_again", "cancel")
        return self._formats(names, fields_now) if names else ()

    def beside(
        self, own: list[dict[str, Any]], state: Any, begin: Callable[[], Any], notes: JourneyNotes
    ) -> list[dict[str, Any]]:
        """The journey's own offer, and behind it what `offered` gives; of two with one name the journey's."""
        added = self.offered(state, begin, notes)
        if not added:
            return own
        if self._writes_offer:
            names = {each["function"]["name"] for each in own}
            return [*own, *(each for each in added if each["function"]["name"] not in names)]
        return [*own, *added]

    def all_formats(self) -> tuple[dict[str, Any], ...]:
        """All of them, as a journey with `tools="stable"` tells them to the model at every step."""
        changeable = self.answers.changeable
        return self._formats(tuple(name for name in NAMES if name != "change_answer" or changeable), changeable)

    def _made_formats(self, names: tuple[str, ...], fields_now: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
        return tuple(correction_tool(name, fields_now) for name in self.names if name in names)

    # What they do.

    def run(
        self, name: str, arguments: Mapping[str, Any], state: Any, begin: Callable[[], Any], notes: JourneyNotes
    ) -> str:
        """Run one of the offered tools on the state and the notes; the result is for the model.

        Raises:
            ToolRetry: It cannot be done now; nothing was changed.
        """
        question = asked_first(name, notes)
        if question is not None:
            return question
        if name == "change_answer":
            return self._change_answer(str(arguments["field"]), state, begin, notes)
        if name == "go_back":
            return self._go_back(state, begin, notes)
        return self._start_again(state, begin, notes) if name == "start_again" else self._cancel(notes)

    def _change_answer(self, name: str, state: Any, begin: Callable[[], Any], notes: JourneyNotes) -> str:
        travel, here, initial = notes.travel, state.get_step(), self._initial(begin)
        kept = self._kept(notes)
        cleared = [name, *(each for each in self.answers.dependents([name]) if each not in kept)]
        was_set = [each for each in cleared if self._is_set(each, state, initial, notes)]
        said = f"Reopened: {name}."
        target = self._target(name, notes)
        if target is None:
            raise ToolRetry(f"{name} cannot be changed any more.")
        place = next((n for n, each in enumerate(travel.path) if each.step == target.name), None)
        if place is not None or all(each.step != target.name for each in travel.ahead):
            travel.back_to(
                len(travel.path) if place is None else place,
                here.name,
                lambda passed: self._held_at(passed.step, state, initial, notes),
            )
            state.set_step(target)
            said += f" The journey is at step {target.name} now: save the new answer there, ask for it if need be."
        else:
            said += f" It is asked for when the journey comes to step {target.name} again; first finish this step."
        for each in cleared:
            _clear(state, each, initial)
        travel.answered = [each for each in travel.answered if each not in cleared]
        also = [each for each in was_set if each != name]
        if also:
            said += f" Cleared, because it depends on it: {', '.join(also)}."
        return f"{said} All other answers are kept.{self._not_undone(notes)}{_drop_approvals(notes)}"

    def _go_back(self, state: Any, begin: Callable[[], Any], notes: JourneyNotes) -> str:
        place = self._place_before(notes)
        if place is None:
            raise ToolRetry("There is no step to go back to.")
        travel, initial = notes.travel, self._initial(begin)
        target = self.steps[travel.path[place].step]
        here = state.get_step().name
        travel.back_to(place, here, lambda passed: self._held_at(passed.step, state, initial, notes))
        state.set_step(target)
        return (
            f"The journey is at step {target.name} again. What was answered there is kept until it is saved anew; to "
            f"go on, save it with the tool of this step, changed or not.{self._not_undone(notes)}"
            f"{_drop_approvals(notes)}"
        )

    def _start_again(self, state: Any, begin: Callable[[], Any], notes: JourneyNotes) -> str:
        travel, kept = notes.travel, self._kept(notes)
        values = {name: getattr(state, name) for name in kept if hasattr(state, name)}
        StateSnapshot(begin()).give_to(state)
        for name, value in values.items():
            setattr(state, name, value)
        passed = {each.step: each for each in [*travel.ahead, *travel.path]}
        travel.ahead = [each for each in passed.values() if self._ran_once(each.tool, notes)]
        travel.path, travel.resume, travel.cancelled = [], None, False
        travel.answered = [name for name in travel.answered if name in kept]
        return (
            f"Everything begins again at step {state.get_step().name}; the answers are forgotten."
            f"{self._not_undone(notes)}{_drop_approvals(notes)}"
        )

    def _cancel(self, notes: JourneyNotes) -> str:
        notes.travel.cancelled = True
        return f"Cancelled. Tell the user so; ask nothing more.{self._not_undone(notes)}{_drop_approvals(notes)}"

    # What follows from the tools of the journey.

    def before_tool(self, state: Any, notes: JourneyNotes) -> dict[str, Any]:
        """What has to be known of the state after a tool has run: the values that others depend on, or that do."""
        notes.travel.heard.began_with = notes.travel.heard.began_with or "tool"
        return {name: deepcopy(getattr(state, name, None)) for name in self.answers.watched}

    def after_tool(
        self,
        name: str,
        step: Any,
        before: Mapping[str, Any],
        state: Any,
        begin: Callable[[], Any],
        notes: JourneyNotes,
    ) -> None:
        """Follow a tool that has succeeded: clear what depends on what it has changed, and note its move.

        After a correction the journey goes on past the steps that were passed before and are still done.

        Args:
            name: The tool.
            step: Where the journey stood before.
            before: What `before_tool` gave.
            state: The state as the tool has left it.
            begin: Makes the state of a journey that begins.
            notes: What is remembered of the journey beside its state.
        """
        travel, answers = notes.travel, self.answers
        if before:
            changed = [each for each, value in before.items() if getattr(state, each, None) != value]
            made = {*changed, *answers.set_by.get(name, ())}  # by this very call, which knows what it was made of
            for each in answers.dependents(changed) if changed else ():
                if each not in made and each not in self._kept(notes):
                    _clear(state, each, self._initial(begin))
                    travel.answered = [other for other in travel.answered if other != each]
        here = state.get_step()
        if here == step:
            return
        initial = self._initial(begin)
        spec = answers.specs.get(name)
        if spec is not None and len(spec.to) == 1:  # it has done all that its step is for
            set_here = answers.set_by.get(name, ())
            travel.answered += [each for each in set_here if not self._is_set(each, state, initial, notes)]
        travel.passed(step.name, name, here.name)
        if travel.ahead or travel.resume is not None:
            there = travel.forward(here.name, lambda passed: self._is_done(passed, state, initial, notes))
            if there != here.name:
                state.set_step(self.steps[there])

    def _is_done(self, passed: Passed, state: Any, initial: Any, notes: JourneyNotes) -> bool:
        """Whether a step that was passed before has nothing left to ask."""
        if passed.step not in self.steps or passed.to not in self.steps:
            return False
        if self._ran_once(passed.tool, notes):
            return True
        return bool(passed.fields) and all(self._is_set(name, state, initial, notes) for name in passed.fields)

    # What is known of fields and steps.

    def _is_set(self, name: str, state: Any, initial: Any, notes: JourneyNotes) -> bool:
        return name in notes.travel.answered or bool(getattr(state, name, None) != getattr(initial, name, None))

    def _held_at(self, step: str, state: Any, initial: Any, notes: JourneyNotes) -> tuple[str, ...]:
        """The fields that hold something and are set by the tools of a step."""
        names = self.answers.set_at(self.steps.get(step))
        return tuple(name for name in names if self._is_set(name, state, initial, notes))

    def _ran_once(self, tool: str, notes: JourneyNotes) -> bool:
        return tool in notes.once and tool in self.answers.once

    def _kept(self, notes: JourneyNotes) -> set[str]:
        """The fields of tools that have run and run only once: nothing could set them again."""
        set_by = self.answers.set_by
        return {name for tool in self.answers.once if tool in notes.once for name in set_by.get(tool, ())}

    def _is_final(self, name: str, notes: JourneyNotes) -> bool:
        """Whether a tool has set the field that runs only once."""
        return bool(notes.once) and any(self._ran_once(spec.name, notes) for spec in self.answers.setters[name])

    def _target(self, name: str, notes: JourneyNotes) -> Any:
        """The step at which a field is asked for: the last one on the path, or the first by declaration."""
        specs = [spec for spec in self.answers.setters[name] if not self._ran_once(spec.name, notes)]
        steps = {step.name: step for spec in specs for step in spec.steps or ()}
        on_path = (steps[each.step] for each in reversed(notes.travel.path) if each.step in steps)
        return next(on_path, next(iter(steps.values()), None))

    def _place_before(self, notes: JourneyNotes) -> int | None:
        """Where on the path the last step is that can be gone through again."""
        path = notes.travel.path
        for place in range(len(path) - 1, -1, -1):
            if path[place].step in self.steps and not self._ran_once(path[place].tool, notes):
                return place
        return None

    def _not_undone(self, notes: JourneyNotes) -> str:
        done = [name for name in self.answers.once if name in notes.once]
        if not done:
            return ""
        return f" Done already, not undone, and not to be done again: {', '.join(done)}."


def asked_first(name: str, notes: JourneyNotes) -> str | None:
    """What the model has to do before a correction; None when it may be done now.

    Raises:
        ToolRetry: Something else was done on the user's message before.
    """
    travel = notes.travel
    if not travel.heard.may_correct:
        raise ToolRetry(_TOO_LATE)
    travel.heard.began_with = travel.heard.began_with or "correction"
    loses_all = name in ASK_FIRST and not travel.cancelled
    return ASK_FIRST[name] if loses_all and not travel.is_confirmed(name) else None


def _clear(state: Any, name: str, initial: Any) -> None:
    """Let a field hold what it holds when a journey begins."""
    setattr(state, name, deepcopy(getattr(initial, name)))


def _drop_approvals(notes: JourneyNotes) -> str:
    """Take back what waits for a person: they were asked about something that holds no more."""
    if not notes.approvals:
        return ""
    notes.approvals.clear()
    return " What waited for a person's approval waits no more; it has to be asked for again."
