"""What a transcript makes of events that a chat with one tool at a time does not show."""

from __future__ import annotations

import io

from rich.console import Console

from agent_runtime_core.events import TextDelta, ToolCallFinished, ToolCallStarted, ToolOutcome
from agent_runtime_core.messages import ToolCall
from agent_runtime_framework.cli.transcript import Transcript


def test_tool_calls_that_run_side_by_side_each_get_their_line() -> None:
    # Given
    output = io.StringIO()
    transcript = Transcript(Console(file=output, width=80), Console(file=output), echo=True)
    first = ToolCall({"id": "1", "name": "look_up", "arguments": {"name": "Ada"}})
    second = ToolCall({"id": "2", "name": "save", "arguments": {}})

    # When
    transcript.happened(TextDelta(text="One moment."))
    transcript.happened(ToolCallStarted(call=first))
    transcript.happened(ToolCallStarted(call=second))
    transcript.happened(ToolCallFinished(call=second, outcome=ToolOutcome("done")))
    transcript.happened(ToolCallFinished(call=first, outcome=ToolOutcome("Error executing look_up: gone", "failed")))
    transcript.happened(TextDelta(text="Well."))

    # Then
    assert output.getvalue() == (
        "One moment.\n· look_up(name='Ada')\n· save() ✓\n· look_up(name='Ada') ✗ failed: gone\nWell."
    )
