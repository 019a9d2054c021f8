"""Failures in one line: what a command says instead of a traceback, and its exit codes."""

from __future__ import annotations

import os
import sysconfig
import traceback
from pathlib import Path

import agent_runtime_core
from agent_runtime_core.errors import AgentRuntimeError
from agent_runtime_framework.cli.terminal_text import one_line, plain

__all__ = [
    "CANNOT_START",
    "FAILED",
    "INTERRUPTED",
    "CommandError",
    "OutputClosed",
    "details",
    "located",
    "sentence",
]

FAILED = 1
"""Exit code: something went wrong while the command ran."""
CANNOT_START = 2
"""Exit code: the command could not begin; the line says what to change."""
INTERRUPTED = 130
"""Exit code: Ctrl-C (128 + SIGINT, as shells have it)."""

# Code that the user did not write: an error is told at the user's own line that led there.
_NOT_THE_USERS = tuple(
    os.path.realpath(folder) + os.sep
    for folder in (
        str(Path(__file__).parents[1]),
        str(Path(str(agent_runtime_core.__file__)).parent),
        *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")),
    )
)


class CommandError(Exception):
    """A command cannot do what was asked; the text is the one line to show.

    Args:
        message: What happened, with which value, and what to do.
        exit_code: What the process ends with.
    """

    def __init__(self, message: str, *, exit_code: int = CANNOT_START) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class OutputClosed(Exception):
    """Nobody reads the output any more (`| head -1`)."""


def sentence(error: BaseException) -> str:
    """The error in one line: our own errors in their words, any other with its type and the user's line."""
    if isinstance(error, (AgentRuntimeError, CommandError)):
        return one_line(str(error)) or type(error).__name__
    return located(error)


def located(error: BaseException) -> str:
    """The error in one line, as `file:line: Type: message`; the place is the user's own line, if any."""
    message = str(error)
    if isinstance(error, SyntaxError):
        message, place = error.msg, _spot(error.filename, error.lineno)
    else:
        place = _place(error)
    kind = type(error).__name__
    return one_line(f"{place}{kind}: {message}" if message else f"{place}{kind}")


def details(error: BaseException) -> str:
    """The whole traceback, fit for a terminal."""
    return plain("".join(traceback.format_exception(error)))


def _place(error: BaseException) -> str:
    """Where the user's own code last stood, as `file:line: `, or nothing."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith("<") and not os.path.realpath(frame.filename).startswith(_NOT_THE_USERS):
            return _spot(frame.filename, frame.lineno)
    return ""


def _spot(filename: str | None, line: int | None) -> str:
    if not filename:
        return ""
    try:
        here = Path.cwd()
    except OSError:  # the directory was removed while we stand in it
        here = Path(os.devnull)
    path = Path(filename)
    path = path.relative_to(here) if path.is_relative_to(here) else path
    return f"{path}:{line}: " if line else f"{path}: "
