"""The entry point of `agent-runtime`: runs a command and ends with an exit code, never with a traceback."""

from __future__ import annotations

import io
import os
import sys

__all__ = ["main"]

_EXTRA = ("typer", "rich", "prompt_toolkit")


def main() -> None:
    """Run the command line in `sys.argv` and exit.

    Exit codes: 0 done, 1 something went wrong on the way, 2 it could not begin (the line on the error output
    says what to change), 130 Ctrl-C.
    """
    _ready_streams()
    try:
        code = _run()
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"Error: agent-runtime needs {_package(error)}, which is not installed. "
            f"Install the extra: pip install 'agent_runtime_framework[cli]'\n"
        )
        code = 2
    _let_go_of_output()
    sys.exit(code)


def _run() -> int:
    """The exit code of the command.

    Raises:
        ModuleNotFoundError: A package of the extra `cli` is not installed.
    """
    from asyncio import CancelledError

    from agent_runtime_framework.cli.app import app
    from agent_runtime_framework.cli.failure import FAILED, INTERRUPTED, CommandError, OutputClosed
    from agent_runtime_framework.cli.screen import Screen, show_failure

    try:
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED if end.code else 0
    except CommandError as error:
        show_failure(Screen(stderr=True), error)
        return error.exit_code
    except OutputClosed:
        return FAILED
    except (KeyboardInterrupt, CancelledError):
        return INTERRUPTED
    except Exception as error:  # the last line of defence: whatever it is, it is told in one line
        if isinstance(error, ModuleNotFoundError) and _package(error) in _EXTRA:
            raise
        show_failure(Screen(stderr=True), error)
        return FAILED
    return 0


def _package(error: ModuleNotFoundError) -> str:
    return (error.name or "").partition(".")[0]


def _ready_streams() -> None:
    """Streams that take any text: a character that the terminal lacks is no reason to stop."""
    if sys.stdout is None:  # closed by whoever started us
        sys.stdout = open(os.devnull, "w")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _let_go_of_output() -> None:
    """Flush what is left; when nobody reads it any more, do so quietly."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
