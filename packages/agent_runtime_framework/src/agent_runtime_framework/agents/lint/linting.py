"""`lint_journey`: a journey is looked at without a model, and what is wrong with it is told."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from agent_runtime_framework.agents.lint.finding import Finding, Place
from agent_runtime_framework.agents.lint.journey_view import Agent, JourneyView
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

    No model is asked and no tool is run. Of the user's code run the constructor, when a class is given, and the
    methods that tell what holds at a step: `get_initial_state`, `is_terminal_state`, `get_tool_schemas`,
    `get_system_prompt` and `next_step`. They are asked at every step, with the initial state and with sample data in
    its fields. What they raise is a finding.

    A comment `# lint: J103` on the line of a finding silences it.

    Args:
        agent: An agent, or its class, which is made without arguments.
    """
    name = agent.__name__ if inspect.isclass(agent) else type(agent).__name__
    findings: dict[Finding, None] = {}
    for code, place, message in _found(agent):
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
                    journey=name,
                )
            ] = None
    return sorted(findings, key=lambda each: (each.file, each.line, each.code))


def _found(agent: Agent | type[Agent]) -> Iterator[tuple[str, Place, str]]:
    agent_class = agent if inspect.isclass(agent) else type(agent)
    try:
        view = JourneyView(agent)
    except CannotLook as error:
        places = SourcePlaces(agent_class, [])
        yield error.code, places.of_method(error.method), f"{error.reason}."
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
