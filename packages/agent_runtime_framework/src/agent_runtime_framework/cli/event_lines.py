"""A chat as JSON: one event a line, for programs."""

from __future__ import annotations

import json
from typing import TextIO

from rich.console import Console

from agent_runtime_core.events import RunEvent
from agent_runtime_framework.cli.chat_view import ChatView
from agent_runtime_framework.cli.failure import OutputClosed
from agent_runtime_framework.cli.screen import show_failure

__all__ = ["EventLines"]


class EventLines(ChatView):
    """Writes each event as one line of JSON, and nothing else; failures go to the error output.

    Args:
        output: Where the lines go.
        errors: The error output.
    """

    takes_commands = False

    def __init__(self, output: TextIO, errors: Console) -> None:
        self._output = output
        self._errors = errors

    def happened(self, event: RunEvent) -> None:
        """Write the event; ASCII only, so that no encoding and no control character can break the line.

        Raises:
            OutputClosed: Nobody reads the output any more.
        """
        line = json.dumps(event.to_dict(), default=str)  # a step's value may be any object
        try:
            self._output.write(f"{line}\n")
            self._output.flush()
        except BrokenPipeError:
            raise OutputClosed from None

    def interrupted(self) -> None:
        """Say it on the error output."""
        self._errors.out("Cancelled.", highlight=False)

    def failed(self, error: Exception) -> None:
        """Say it on the error output; the event `run_failed` was written before, if a run had begun."""
        show_failure(self._errors, error)
