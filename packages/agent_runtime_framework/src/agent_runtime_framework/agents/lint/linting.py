"""`lint_journey`: a journey is looked at without a model, and what is wrong with it is told."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator

from agent_runtime_framework.agents.journey_router import JourneyRouter
from agent_runtime_framework.agents.lint.finding import Finding, Place
from agent_runtime_framework.agents.lint.journey_view import Agent, JourneyView, made
from agent_runtime_framework.agents.lint.prompt_rules import prompt_findings
from agent_runtime_framework.agents.lint.rules import RULES
from agent_runtime_framework.agents.lint.schema_rules import schema_findings
from agent_runtime_framework.agents.lint.source_places import SourcePlaces, silenced_at
from agent_runtime_framework.agents.lint.step_rules import StepRules
from agent_runtime_framework.agents.lint.step_view import CannotLook
from agent_runtime_framework.agents.lint.tool_rules import tool_findings

__all__ = ["lint_journey"]


def lint_journey(agent: Agent | type[Agent]) -> list[Finding]:
    """Everything that is wrong with a journey, or looks as if it were, by file and line.

    Of a router these are the findings of its journeys, each under its own name.

    No model is asked and no tool is run. Of the user's code run the constructor, when a class is given, and the
    methods that tell what holds at a step: `get_initial_state`, `is_terminal_state`, `get_tool_schemas`,
    `get_system_prompt` and `next_step`. They are asked at every step, with the initial state and with sample data in
    its fields. What they raise is a finding.

    A comment `# lint: J103` on the line of a finding silences it.

    Args:
        agent: An agent, or its class, which is made without arguments.
    """
    agent_class = agent if inspect.isclass(agent) else type(agent)
    if issubclass(agent_class, JourneyRouter):
        return _of_router(agent, agent_class)
    return _findings(agent_class, _found(agent))


def _of_router(agent: Agent | type[Agent], router_class: type[JourneyRouter]) -> list[Finding]:
    """The findings of each journey that a router leads to, in the order in which they were added."""
    try:
        router = agent if isinstance(agent, JourneyRouter) else made(router_class)
    except CannotLook as error:
        return _findings(router_class, _cannot_look(router_class, error))
    if not isinstance(router, JourneyRouter) or not router.journeys:
        place = SourcePlaces(router_class, []).of_method("__init__")
        return _findings(router_class, [("J501", place, f"{router_class.__name__} has no journey to lead to.")])
    found = (lint_journey(registered.agent) for registered in router.journeys.values())
    return list(dict.fromkeys(each for findings in found for each in findings))


def _findings(agent_class: type[Agent], found: Iterable[tuple[str, Place, str]]) -> list[Finding]:
    findings: dict[Finding, None] = {}
    for code, place, message in found:
        if code not in silenced_at(place):
            rule = RULES[code]
            findings[
                Finding(
                    code=code,
                    severity=rule.severity,
                    file=place[0],
                    line=place[1],
                    message=message,
                    mend=rule.mend,
                    journey=agent_class.__name__,
                )
            ] = None
    return sorted(findings, key=lambda each: (each.file, each.line, each.code))


def _cannot_look(agent_class: type[Agent], error: CannotLook) -> Iterator[tuple[str, Place, str]]:
    yield error.code, SourcePlaces(agent_class, []).of_method(error.method), f"{error.reason}."


def _found(agent: Agent | type[Agent]) -> Iterator[tuple[str, Place, str]]:
    agent_class = agent if inspect.isclass(agent) else type(agent)
    try:
        view = JourneyView(agent)
    except CannotLook as error:
        yield from _cannot_look(agent_class, error)
        return
    yield from _failures(view)
    yield from StepRules(view).findings()
    yield from tool_findings(view)
    yield from schema_findings(view)
    yield from prompt_findings(view)


def _failures(view: JourneyView) -> Iterator[tuple[str, Place, str]]:
    """What could not be asked: one finding for each reason, however many steps it is true of."""
    steps: dict[tuple[str, Place, str], list[str]] = {}
    for each in view.steps.values():
        for failure in each.failures:
            is_prompt = failure.code == "J401"
            place = view.places.of_prompt(each.step) if is_prompt else view.places.of_method(failure.method)
            steps.setdefault((failure.code, place, failure.reason), []).append(each.name)
    for (code, place, reason), names in steps.items():
        yield code, place, f"{reason}, at step {', '.join(names)}."
