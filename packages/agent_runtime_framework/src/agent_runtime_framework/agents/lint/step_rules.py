"""Rules on steps: ways in, ways out, ends."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from agent_runtime_framework.agents.journey_agent import JourneyAgent
from agent_runtime_framework.agents.lint.finding import Place
from agent_runtime_framework.agents.lint.journey_view import JourneyView
from agent_runtime_framework.agents.lint.step_view import StepView, ToolView

__all__ = ["StepRules"]


class StepRules:
    """What is wrong with the graph of a journey.

    Where the source of a tool does not tell its moves, it may lead anywhere: then nothing is claimed.

    Args:
        view: The journey.
    """

    def __init__(self, view: JourneyView) -> None:
        self._view = view
        self._all = set(view.steps)
        self._ways = {step: self._ways_out(each) for step, each in view.steps.items()}

    def findings(self) -> Iterator[tuple[str, Place, str]]:
        """Code, place and sentence of each."""
        view = self._view
        place = view.places.of_step
        broken = set(self._not_looked_at)
        if not broken and not any(each.may_end for each in view.steps.values()):
            yield "J106", place(list(view.steps)[-1]), f"At no step of {view.step_class.__name__} is the journey over."
        elif not broken:
            for step in self._dead_ends:
                yield "J101", place(step), self._why_dead(view.steps[step])
            for loop in self._loops:
                names = ", ".join(view.steps[step].name for step in loop)
                yield "J104", place(loop[0]), f"The steps {names} lead to each other and to no end."
        if not broken:
            for step in self._unreachable:
                yield "J102", place(step), f"Nothing leads to step {view.steps[step].name}."
        for step, each in view.steps.items():
            if each.always_talks and each.next is not None and self._moves_on_by_default and not _says(view, step):
                following = view.steps[each.next].name if each.next in view.steps else str(each.next)
                yield (
                    "J103",
                    place(step),
                    f"Step {each.name} offers no tools: the agent speaks once, and the journey goes on to {following}.",
                )
            if each.is_terminal and each.tools:
                yield "J105", place(step), f"At step {each.name} the journey is over, and {_names(each)} offered there."

    @cached_property
    def _not_looked_at(self) -> list[Any]:
        """Steps of which the tools or the end are not known."""
        methods = {"get_tool_schemas", "is_terminal_state", "next_step"}
        return [
            step
            for step, each in self._view.steps.items()
            if any(failure.method in methods for failure in each.failures)
        ]

    @property
    def _moves_on_by_default(self) -> bool:
        return self._view.agent_class.next_step is JourneyAgent.next_step

    def _ways_out(self, each: StepView) -> set[Any]:
        """The other steps that a step may lead to."""
        ways: set[Any] = set()
        for tool in each.tools.values():
            ways |= self._targets(tool)
        if each.may_talk and each.next is not None:
            ways.add(each.next)
        return ways - {each.step}

    def _targets(self, tool: ToolView) -> set[Any]:
        if tool.spec is not None:
            return set(tool.spec.to)
        dispatch = self._view.dispatch
        if dispatch.moves_itself or not dispatch.runs_method_of(tool.name) or self._view.tools_class is None:
            return set(self._all)
        if tool.moves is None:
            return set()  # there is no such method
        return set(tool.moves.steps) if tool.moves.is_complete else set(self._all)

    def _reached_from(self, start: Any, ways: dict[Any, set[Any]]) -> set[Any]:
        reached = {start}
        waiting = [start]
        while waiting:
            for step in ways.get(waiting.pop(), set()) - reached:
                reached.add(step)
                waiting.append(step)
        return reached

    @cached_property
    def _dead_ends(self) -> list[Any]:
        return [step for step, each in self._view.steps.items() if not each.may_end and not self._ways[step]]

    @cached_property
    def _loops(self) -> list[list[Any]]:
        """Groups of steps that lead to each other and nowhere else."""
        ends = {step for step, each in self._view.steps.items() if each.may_end} | set(self._dead_ends)
        found: list[list[Any]] = []
        for step in self._view.steps:
            reached = self._reached_from(step, self._ways)
            in_known = any(step in loop for loop in found)
            if not in_known and not reached & ends and all(step in self._reached_from(o, self._ways) for o in reached):
                found.append([each for each in self._view.steps if each in reached])
        return found

    @cached_property
    def _unreachable(self) -> list[Any]:
        """Steps that nothing leads to; behind a step that is stuck, all that follow count as reached."""
        steps = list(self._view.steps)
        ways = {step: set(targets) for step, targets in self._ways.items()}
        for stuck in [*self._dead_ends, *(loop[-1] for loop in self._loops)]:
            ways[stuck].update(steps[steps.index(stuck) + 1 :])
        reached = self._reached_from(self._view.start, ways)
        return [step for step in steps if step not in reached]

    def _why_dead(self, each: StepView) -> str:
        if each.tools:
            return f"Step {each.name} is no end, and none of its tools moves on ({', '.join(each.tools)})."
        return f"Step {each.name} is no end, offers no tools, and no step follows it."


def _says(view: JourneyView, step: Any) -> bool:
    """Whether the journey has fixed words for a step: then it is meant to talk there."""
    return step in (view.agent_class.says or {})


def _names(each: StepView) -> str:
    return ", ".join(each.tools) + (" is" if len(each.tools) == 1 else " are")
