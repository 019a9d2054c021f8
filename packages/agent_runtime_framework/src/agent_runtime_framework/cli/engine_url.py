"""The engine that a command is told to use, and what may be shown of its URL."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from agent_runtime_core.engines import InProcessRunEngine, RunEngine, open_engine
from agent_runtime_core.errors import AgentRuntimeError
from agent_runtime_framework.cli.failure import CommandError, sentence

__all__ = ["existing_engine", "shared_engine", "shown_engine"]


def shared_engine(url: str) -> RunEngine:
    """The engine of a URL, which other processes can use as well.

    Raises:
        CommandError: There is none of this URL, or it lives in one process.
    """
    try:
        engine = open_engine(url)
    except AgentRuntimeError as error:
        raise CommandError(f"--engine: {sentence(error)}") from error  # the URL may hold a password
    if isinstance(engine, InProcessRunEngine):
        raise CommandError(
            "--engine: the runs of memory:// are in the process that submits them, and no other can see them; give "
            "the URL of a SQLite file or of PostgreSQL."
        )
    return engine


def existing_engine(url: str) -> RunEngine:
    """The same, of which a file is there already: to look at what is not there must not create it.

    Raises:
        CommandError: As above, or there is no such file.
    """
    engine = shared_engine(url)
    scheme, _, rest = url.partition("://")
    if scheme.lower() == "sqlite":
        path = unquote(rest.partition("?")[0])[1:]
        if not Path(path).exists():
            raise CommandError(f"--engine: there is no file {path}.")
    return engine


def shown_engine(url: str) -> str:
    """A URL without user, password and options."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"
