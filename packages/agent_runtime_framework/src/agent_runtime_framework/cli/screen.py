"""The two outputs of a command: what it shows, and what went wrong."""

from __future__ import annotations

from rich.console import Console

from agent_runtime_framework.cli.failure import OutputClosed, details, sentence
from agent_runtime_framework.config import is_debug

__all__ = ["Screen", "show_failure"]


class Screen(Console):
    """A console that says so when nobody reads it any more."""

    def on_broken_pipe(self) -> None:
        """Leave it to the caller to end; rich would exit from within.

        Raises:
            OutputClosed: Always.
        """
        raise OutputClosed


def show_failure(errors: Console, error: BaseException) -> None:
    """One line for an error; in debug mode the whole traceback before it."""
    if is_debug():
        errors.out(details(error), highlight=False, end="")
    errors.out(f"Error: {sentence(error)}", style="red", highlight=False)
