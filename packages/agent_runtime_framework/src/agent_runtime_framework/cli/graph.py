"""`agent-runtime graph`: a journey's steps and moves as a picture, and the path that a conversation has taken."""

from __future__ import annotations

import asyncio
import json as json_format
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from agent_runtime_core.errors import AgentRuntimeError
from agent_runtime_core.stores import open_store
from agent_runtime_framework.agents.graph import JourneyGraph
from agent_runtime_framework.agents.path_taken import path_taken
from agent_runtime_framework.cli.failure import FAILED, CommandError, OutputClosed, sentence
from agent_runtime_framework.cli.target import Agent, load_agent

__all__ = ["graph"]


def graph(
    target: Annotated[
        str,
        typer.Argument(metavar="TARGET", help="The agent: module:Agent or path/to/file.py[:Agent], as for chat."),
    ],
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the picture to this file instead of printing Mermaid.")
    ] = None,
    store: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the conversation is kept, such as sqlite:///journeys.db.")
    ] = None,
    conversation: Annotated[
        str | None, typer.Option(metavar="ID", help="Mark the path that this conversation has taken.")
    ] = None,
    owner: Annotated[str, typer.Option(metavar="NAME", help="Whose conversation it is.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the steps and moves as JSON.")] = False,
) -> None:
    """Print a journey's steps and moves as Mermaid, or draw them as SVG."""
    if (store is None) != (conversation is None):
        raise CommandError("--store and --conversation belong together: give both, or neither.")
    if owner and conversation is None:
        raise CommandError("--owner says whose --conversation it is: give --store and --conversation, too.")
    agent = load_agent(target)
    if json and svg is not None:
        raise CommandError("--json and --svg are two forms of the same: give one of them.")
    try:
        found = JourneyGraph.of(agent)
    except AgentRuntimeError as error:
        raise CommandError(sentence(error)) from error
    path: tuple[Any, ...] = ()
    if store is not None and conversation is not None:
        path = asyncio.run(_path(agent, store, conversation, owner))
    if svg is not None:
        _write(svg, found.to_svg(path))
        return
    if json:
        _print(json_format.dumps(found.to_dict(path), ensure_ascii=False, indent=2) + "\n")
    else:
        _print(found.to_mermaid(path))


async def _path(agent: Agent, url: str, conversation_id: str, owner: str) -> tuple[Any, ...]:
    """The path of a stored conversation.

    Raises:
        CommandError: The store cannot be read, or knows nothing of such a conversation of this agent.
    """
    try:
        agent.store = open_store(url)
    except AgentRuntimeError as error:
        raise CommandError(f"--store: {sentence(error)}") from error  # the URL may hold a password
    try:
        path = await path_taken(agent, conversation_id, owner=owner)
    except AgentRuntimeError as error:
        raise CommandError(sentence(error), exit_code=FAILED) from error
    finally:
        await agent.store.close()
    if not path:
        raise CommandError(
            f"the store has no state of {agent.key!r} in conversation {conversation_id!r}"
            + (f" of {owner!r}. " if owner else ". ")
            + "Is it another store, another owner, or another agent?"
        )
    return path


def _write(file: Path, picture: str) -> None:
    try:
        file.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--svg: cannot write {file}: {error.strerror or error}.") from error


def _print(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise OutputClosed from None
