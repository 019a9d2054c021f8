"""The way back in a journey: tools of the framework's own that reopen answers, go back, begin again and cancel."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from agent_runtime_framework.state.snapshot import StateSnapshot
from agent_runtime_framework.tools.correction_tools import NAMES, correction_tool
from agent_runtime_framework.tools.named_fields import declared_depends
from agent_runtime_framework.tools.notes import JourneyNotes
from agent_runtime_framework.tools.retry import ToolRetry
from agent_runtime_framework.tools.spec import ToolSpec
from agent_runtime_framework.tools.travel import Passed
from agent_runtime_framework.tools.written_fields import written_fields

__all__ = ["Corrections"]


class Corrections:
    """What can be corrected in a journey, and how.

    Args:
        specs: The journey's tools, by name.
        tools_class: The class that declares them; None when there is none.
        state_class: The class of the state; None when it is not known.
        step_class: The journey's steps.
    """

    def __init__(
        self,
        specs: Mapping[str, ToolSpec],
        tools_class: type | None,
        state_class: type | None,
        step_class: type[Enum],
    ) -> None:
        self.specs = specs
        self.steps = step_class
        self.depends = declared_depends(state_class)
        self.sets: dict[str, tuple[str, ...]] = {}
        """The fields that each tool sets, by the tool's name."""
        for name, spec in specs.items():
            if spec.sets is not None:
                self.sets[name] = spec.sets
            elif tools_class is not None:
                self.sets[name] = written_fields(spec.function, tools_class, state_class)
        self.setters: dict[str, list[ToolSpec]] = {}
        """The tools that set each field, by the field's name."""
        for name, names in self.sets.items():
            for each in names:
                self.setters.setdefault(each, []).append(specs[name])
        known = [each.name for each in fields(state_class)] if state_class and is_dataclass(state_class) else []
        self.changeable = tuple(
            name for name in known if any(spec.steps is not None for spec in self.setters.get(name, ()))
        )
        """The fields whose answers can be changed, in the order of the state."""
        self.names = tuple(name for name in NAMES if name not in specs)
        """The tools of its own; a tool of the journey that has such a name takes its place."""

    # What is offered.

    def offered(self, state: Any, initial: Any, notes: JourneyNotes) -> list[dict[str, Any]]:
        """The tools that make sense now, in OpenAI's form.

        Args:
            state: The state; the journey is not over.
            initial: The state of a journey that begins.
            notes: What is remembered of the journey beside its state.
        """
        travel = notes.travel
        if travel.cancelled:
            return self._formats({"start_again": ()})
        fields_now = tuple(name for name in self.changeable if self._can_change(name, state, initial, notes))
        has_begun = bool(
            travel.path or travel.ahead or any(self._is_set(name, state, initial, notes) for name in self.setters)
        )
        wanted: dict[str, tuple[str, ...]] = {}
        if self._place_before(notes) is not None:
            wanted["go_back"] = ()
        if fields_now:
            wanted["change_answer"] = fields_now
        if has_begun:
            wanted["start_again"] = wanted["cancel"] = ()
        return self._formats(wanted)

    def all_formats(self) -> list[dict[str, Any]]:
        """All of them, as a journey with `tools="stable"` tells them to the model at every step."""
        return self._formats({name: self.changeable for name in NAMES if name != "change_answer" or self.changeable})

    def _formats(self, wanted: Mapping[str, tuple[str, ...]]) -> list[dict[str, Any]]:
        return [correction_tool(name, wanted[name]) for name in self.names if name in wanted]

    # What they do.

    def run(self, name: str, arguments: Mapping[str, Any], state: Any, initial: Any, notes: JourneyNotes) -> str:
        """Run one of the offered tools on the state and the notes; the result is for the model.

        Raises:
            ToolRetry: It cannot be done now; nothing was changed.
        """
        if name == "change_answer":
            return self._change_answer(str(arguments["field"]), state, initial, notes)
        if name == "go_back":
            return self._go_back(state, initial, notes)
        return self._start_again(state, initial, notes) if name == "start_again" else self._cancel(notes)

    def _change_answer(self, name: str, state: Any, initial: Any, notes: JourneyNotes) -> str:
        travel, here = notes.travel, state.get_step()
        kept = self._kept(notes)
        cleared = [name, *(each for each in self._dependents([name]) if each not in kept)]
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
                lambda passed: self._set_at(passed.step, state, initial, notes),
            )
            state.set_step(target)
            said += f" The journey is at step {target.name} now: save the new answer there, ask for it if need be."
        else:
            said += f" It is asked for when the journey comes to step {target.name} again; first finish this step."
        for each in cleared:
            setattr(state, each, getattr(initial, each))
        travel.answered = [each for each in travel.answered if each not in cleared]
        also = [each for each in was_set if each != name]
        if also:
            said += f" Cleared, because it depends on it: {', '.join(also)}."
        return f"{said} All other answers are kept.{self._not_undone(notes)}{_drop_approvals(notes)}"

    def _go_back(self, state: Any, initial: Any, notes: JourneyNotes) -> str:
        place = self._place_before(notes)
        if place is None:
            raise ToolRetry("There is no step to go back to.")
        travel = notes.travel
        target = self.steps[travel.path[place].step]
        here = state.get_step().name
        travel.back_to(place, here, lambda passed: self._set_at(passed.step, state, initial, notes))
        state.set_step(target)
        return (
            f"The journey is at step {target.name} again. What was answered there is kept until it is saved anew; to "
            f"go on, save it with the tool of this step, changed or not.{self._not_undone(notes)}"
            f"{_drop_approvals(notes)}"
        )

    def _start_again(self, state: Any, initial: Any, notes: JourneyNotes) -> str:
        travel, kept = notes.travel, self._kept(notes)
        values = {name: getattr(state, name) for name in kept if hasattr(state, name)}
        StateSnapshot(initial).give_to(state)
        for name, value in values.items():
            setattr(state, name, value)
        passed = {each.step: each for each in [*travel.ahead, *travel.path]}
        travel.ahead = [each for each in passed.values() if self._ran_once(each.tool, notes)]
        travel.path, travel.resume, travel.cancel_asked, travel.cancelled = [], None, None, False
        travel.answered = [name for name in travel.answered if name in kept]
        return (
            f"Everything begins again at step {state.get_step().name}; the answers are forgotten."
            f"{self._not_undone(notes)}{_drop_approvals(notes)}"
        )

    def _cancel(self, notes: JourneyNotes) -> str:
        travel = notes.travel
        if not travel.may_cancel:
            travel.cancel_asked = travel.message_id
            return (
                "Not cancelled. Ask the user whether they really want to cancel, and wait for their answer: only "
                "after their next message can this be called again and cancel."
            )
        travel.cancelled, travel.cancel_asked, travel.may_cancel = True, None, False
        return f"Cancelled. Tell the user so; ask nothing more.{self._not_undone(notes)}{_drop_approvals(notes)}"

    # What follows from the tools of the journey.

    def before_tool(self, state: Any) -> dict[str, Any]:
        """What has to be known of the state after a tool has run: the values that others depend on, or that do."""
        names = {*self.depends, *(each for sources in self.depends.values() for each in sources)}
        return {name: deepcopy(getattr(state, name, None)) for name in names}

    def after_tool(
        self, name: str, step: Any, before: Mapping[str, Any], state: Any, initial: Any, notes: JourneyNotes
    ) -> None:
        """Follow a tool that has succeeded: clear what depends on what it has changed, and note its move.

        After a correction the journey goes on past the steps that were passed before and are still done.

        Args:
            name: The tool.
            step: Where the journey stood before.
            before: What `before_tool` gave.
            state: The state as the tool has left it.
            initial: The state of a journey that begins.
            notes: What is remembered of the journey beside its state.
        """
        travel = notes.travel
        if before:
            changed = [each for each, value in before.items() if getattr(state, each, None) != value]
            for each in self._dependents(changed):
                if each not in changed and each not in self._kept(notes):
                    setattr(state, each, getattr(initial, each))
                    travel.answered = [other for other in travel.answered if other != each]
        here = state.get_step()
        if here == step:
            return
        spec = self.specs.get(name)
        if spec is not None and len(spec.to) == 1:  # it has done all that its step is for
            untouched = [each for each in self.sets.get(name, ()) if not self._is_set(each, state, initial, notes)]
            travel.answered.extend(untouched)
        travel.passed(step.name, name, here.name)
        if travel.ahead or travel.resume is not None:
            there = travel.forward(here.name, lambda passed: self._is_done(passed, state, initial, notes))
            if there != here.name:
                state.set_step(self.steps[there])

    def _is_done(self, passed: Passed, state: Any, initial: Any, notes: JourneyNotes) -> bool:
        """Whether a step that was passed before has nothing left to ask."""
        if passed.step not in self.steps.__members__ or passed.to not in self.steps.__members__:
            return False
        if self._ran_once(passed.tool, notes):
            return True
        return bool(passed.fields) and all(self._is_set(name, state, initial, notes) for name in passed.fields)

    # What is known of fields and steps.

    def _is_set(self, name: str, state: Any, initial: Any, notes: JourneyNotes) -> bool:
        return name in notes.travel.answered or bool(getattr(state, name, None) != getattr(initial, name, None))

    def _set_at(self, step: str, state: Any, initial: Any, notes: JourneyNotes) -> tuple[str, ...]:
        """The fields that hold something and are set by the tools of a step."""
        member = self.steps.__members__.get(step)
        names = {
            name: None
            for tool, names in self.sets.items()
            if member in (self.specs[tool].steps or ())
            for name in names
        }
        return tuple(name for name in names if self._is_set(name, state, initial, notes))

    def _ran_once(self, tool: str, notes: JourneyNotes) -> bool:
        return tool in notes.once and tool in self.specs and self.specs[tool].once

    def _kept(self, notes: JourneyNotes) -> set[str]:
        """The fields of tools that have run and run only once: nothing could set them again."""
        return {name for tool, names in self.sets.items() if self._ran_once(tool, notes) for name in names}

    def _target(self, name: str, notes: JourneyNotes) -> Any:
        """The step at which a field is asked for: the last one on the path, or the first by declaration."""
        specs = [spec for spec in self.setters[name] if not self._ran_once(spec.name, notes)]
        steps = {step.name: step for spec in specs for step in spec.steps or ()}
        on_path = (steps[each.step] for each in reversed(notes.travel.path) if each.step in steps)
        return next(on_path, next(iter(steps.values()), None))

    def _can_change(self, name: str, state: Any, initial: Any, notes: JourneyNotes) -> bool:
        """Whether a field is set, can be set again, and not by a tool that is at hand anyway."""
        here = state.get_step()
        return self._is_set(name, state, initial, notes) and not any(
            spec.belongs_to(here) or self._ran_once(spec.name, notes) for spec in self.setters[name]
        )

    def _place_before(self, notes: JourneyNotes) -> int | None:
        """Where on the path the last step is that can be gone through again."""
        path = notes.travel.path
        for place in range(len(path) - 1, -1, -1):
            if path[place].step in self.steps.__members__ and not self._ran_once(path[place].tool, notes):
                return place
        return None

    def _dependents(self, names: list[str]) -> list[str]:
        """The fields that depend on these, directly or not."""
        found = list(names)
        for name in found:  # it grows on the way
            found.extend(each for each, sources in self.depends.items() if name in sources and each not in found)
        return found[len(names) :]

    def _not_undone(self, notes: JourneyNotes) -> str:
        done = [name for name in self.specs if self._ran_once(name, notes)]
        if not done:
            return ""
        return f" Done already, not undone, and not to be done again: {', '.join(done)}."


def _drop_approvals(notes: JourneyNotes) -> str:
    """Take back what waits for a person: they were asked about something that holds no more."""
    if not notes.approvals:
        return ""
    notes.approvals.clear()
    return " What waited for a person's approval waits no more; it has to be asked for again."
