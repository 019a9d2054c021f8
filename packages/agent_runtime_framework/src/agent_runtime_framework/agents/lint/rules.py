"""The table of codes: each rule with its severity, what it finds and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agent_runtime_framework.agents.lint.finding import Severity

__all__ = ["RULES", "Rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One code."""

    code: str
    """`J` and three digits; the first one names the group."""
    severity: Severity
    """How bad a finding is."""
    finds: str
    """What is found, in a few words."""
    mend: str
    """How to mend it: one sentence."""


_TABLE: tuple[Rule, ...] = (
    # J0: the journey cannot be looked at.
    Rule("J001", "error", "class that lacks methods", "Write the methods, or say enough for their defaults."),
    Rule("J002", "error", "journey without a start", "Let get_initial_state() give a state at a member of the enum."),
    Rule("J003", "error", "method that raises at a step", "Let it answer at every step of the journey."),
    Rule("J004", "error", "method that answers with the wrong thing", "Return what the method's annotation says."),
    Rule(
        "J005", "error", "agent that cannot be made", "Let its constructor work without arguments, or lint an object."
    ),
    Rule("J006", "note", "steps that are no enum", "Make the steps members of an enum, so that they can be looked at."),
    # J1: steps.
    Rule("J101", "error", "step without a way out", "Offer a tool there that moves on, or make the step terminal."),
    Rule("J102", "warning", "unreachable step", "Let a tool lead there, or take the step out."),
    Rule(
        "J103",
        "note",
        "talking step that moves on",
        "If it is meant so, silence it on its line; otherwise offer the tool that the step needs.",
    ),
    Rule("J104", "error", "loop without an exit", "Let a tool of the loop lead to a step outside of it."),
    Rule("J105", "warning", "terminal step with tools", "Offer no tools there, or let the step not be terminal."),
    Rule("J106", "error", "no step ends the journey", "Let is_complete() or is_terminal() be true at the last step."),
    # J2: tools.
    Rule("J201", "warning", "tool that no step offers", "Offer it at a step, or begin its name with an underscore."),
    Rule("J202", "error", "undeclared move", "Name every step that the tool may lead to in @tool(to=...)."),
    Rule("J203", "warning", "declared move that is never made", "Set the step in the tool, or take it out of to=."),
    Rule("J204", "error", "two tools of one name", "Give each tool a name of its own."),
    Rule(
        "J205",
        "note",
        "side effect without once",
        "Write @tool(once=True) if a second call would do harm; otherwise silence it on its line.",
    ),
    Rule("J206", "error", "requirement that the state lacks", "Name a field of the state in requires=."),
    Rule("J207", "error", "move to a step that does not exist", "Name a member of the step enum."),
    # J3: what the model is told of the tools.
    Rule("J301", "error", "offered tool without a method", "Write the method, or correct the name in the schema."),
    Rule("J302", "error", "parameter that the method does not take", "Give schema and method the same names."),
    Rule(
        "J303",
        "error",
        "parameter that the method needs",
        "Make it required in the schema, or give it a default in the method.",
    ),
    Rule("J304", "error", "parameter of another type than the method's", "Give schema and method the same type."),
    Rule("J305", "warning", "parameter without a description", "Say in a few words what the model should put there."),
    Rule("J306", "warning", "tool without a description", "Say what it does, and when to call it."),
    # J4: prompts.
    Rule("J401", "error", "step without a prompt", "Write what the model should do at this step."),
    Rule(
        "J402", "warning", "prompt that names a tool its step lacks", "Offer the tool at the step, or do not name it."
    ),
    Rule("J403", "error", "template variable that nothing supplies", "Give it a value, or a default in the template."),
    # J5: routers.
    Rule("J501", "error", "router without journeys", "Let its constructor add them, or lint an object that has them."),
)

RULES: Final[dict[str, Rule]] = {rule.code: rule for rule in _TABLE}
"""All rules by code."""
