"""What the user types: lines from a terminal, or lines that are piped in."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TextIO

from agent_runtime_framework.cli.marks import marks_for
from agent_runtime_framework.cli.step_line import StepLine
from agent_runtime_framework.cli.terminal_text import question_line

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.formatted_text import StyleAndTextTuples

__all__ = ["PipedInput", "TerminalInput", "UserInput", "is_terminal"]


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person sits at the other end of a stream."""
    return stream is not None and not stream.closed and stream.isatty()


class UserInput(Protocol):
    """Where the user's lines come from."""

    interactive: bool
    """Whether somebody is there to try again after an error, and to leave."""

    def read(self, runner: asyncio.Runner, steps: StepLine) -> str | None:
        """The next line, or None when the user leaves."""
        ...

    def confirm(self, runner: asyncio.Runner, question: str) -> bool | None:
        """Whether the person at the other end says yes; None when nobody answers."""
        ...


class PipedInput:
    """Lines from a pipe or a file; blank ones are passed over."""

    interactive = False

    def read(self, runner: asyncio.Runner, steps: StepLine) -> str | None:
        """The next line, or None at the end of the input."""
        # Read outside the event loop: there, Ctrl-C only cancels a task, and a waiting read does not notice.
        while sys.stdin is not None and (line := sys.stdin.readline()):
            if line.strip():
                return line.rstrip("\r\n")
        return None

    def confirm(self, runner: asyncio.Runner, question: str) -> bool | None:
        """None: a line of a pipe was written before the question, and is no answer to it."""
        return None


class _Interrupted(Exception):
    """Ctrl-C while typing."""


class _Left(Exception):
    """Ctrl-D on an empty line."""


class TerminalInput:
    """Lines that are typed, with a history and the journey's steps below.

    Args:
        on_stdout: Whether the prompt may go to the standard output; if not, it goes to the error output and
            what was typed is taken off the screen again, because it is shown elsewhere.
    """

    interactive = True

    def __init__(self, *, on_stdout: bool) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.history import InMemoryHistory
        from prompt_toolkit.output import create_output
        from prompt_toolkit.styles import Style

        output = sys.stdout if on_stdout else sys.stderr
        self._marks = marks_for(output.encoding)
        self._session: PromptSession[str] = PromptSession(
            history=InMemoryHistory(),
            output=create_output(stdout=output),
            erase_when_done=not on_stdout,
            interrupt_exception=_Interrupted,
            eof_exception=_Left,
            style=Style.from_dict(
                {
                    "bottom-toolbar": "noreverse",
                    "mark": "bold ansicyan",
                    "passed": "ansigreen",
                    "current": "bold",
                    "ahead": "ansibrightblack",
                    "arrow": "ansibrightblack",
                }
            ),
        )

    def read(self, runner: asyncio.Runner, steps: StepLine) -> str | None:
        """The next line, or None when the user leaves: Ctrl-D, or Ctrl-C with nothing typed."""
        toolbar = self._toolbar(steps)
        while True:
            try:
                # In the agent's own loop: what it does in the background goes on while the user thinks.
                line = runner.run(
                    self._session.prompt_async([("", "\n"), ("class:mark", "> ")], bottom_toolbar=toolbar)
                )
            except _Left:
                return None
            except _Interrupted:
                if not self._session.default_buffer.text:
                    return None
                continue
            if line.strip():
                return line

    def confirm(self, runner: asyncio.Runner, question: str) -> bool | None:
        """True for `y` or `yes`, None for Ctrl-C and Ctrl-D, False for all else."""
        message: StyleAndTextTuples = [("", f"{question_line(question)} "), ("class:mark", "[y/N] ")]
        try:
            answer = runner.run(self._session.prompt_async(message))
        except (_Left, _Interrupted):
            return None
        return answer.strip().lower() in ("y", "yes")

    def _toolbar(self, steps: StepLine) -> Callable[[], StyleAndTextTuples]:
        def pieces() -> StyleAndTextTuples:
            width = self._session.output.get_size().columns
            return [(f"class:{kind}", text) for kind, text in steps.pieces(self._marks, width=width)]

        return pieces
