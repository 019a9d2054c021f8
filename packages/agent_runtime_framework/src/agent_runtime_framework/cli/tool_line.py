"""A tool call in a few words: what was called with what, and what it came to."""

from __future__ import annotations

from agent_runtime_core.events import ToolOutcome
from agent_runtime_core.messages import ToolCall
from agent_runtime_framework.cli.marks import Marks
from agent_runtime_framework.cli.terminal_text import one_line

__all__ = ["call_text", "outcome_text"]


def call_text(call: ToolCall, marks: Marks) -> str:
    """The call as one would write it, long arguments shortened: `save_name(name='Ada')`."""
    if call.problem is None:
        given = [f"{one_line(str(name), 30)}={one_line(repr(value), 40)}" for name, value in call.arguments.items()]
    else:
        given = [one_line(str(call.raw_arguments), 80)]
    return f"{marks.tool} {one_line(call.name, 60) or '?'}({one_line(', '.join(given), 160)})"


def outcome_text(call: ToolCall, outcome: ToolOutcome, marks: Marks) -> str:
    """That it worked, or how it did not and why; what a tool that worked said is for the model to tell."""
    if outcome.status == "ok":
        return marks.ok
    if outcome.status == "pending":
        return f"{marks.dot} waits for a person"
    why = outcome.content.removeprefix(f"Error executing {call.name}: ").removeprefix("Error: ")
    return f"{marks.failed} {outcome.status}: {one_line(why, 160)}"
