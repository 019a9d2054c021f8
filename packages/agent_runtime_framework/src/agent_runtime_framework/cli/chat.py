"""`agent-runtime chat`: talk to a journey in the terminal, or pipe a conversation through it."""

from __future__ import annotations

import logging
import os
import secrets
import shlex
import shutil
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

import agent_runtime_core.llm
from agent_runtime_core.errors import AgentRuntimeError, ConfigError
from agent_runtime_core.messages import AgentMessage
from agent_runtime_core.stores import InMemoryCheckpointStore, open_store
from agent_runtime_framework.cli.chat_session import ChatSession
from agent_runtime_framework.cli.chat_view import ChatOpening, ChatView
from agent_runtime_framework.cli.event_lines import EventLines
from agent_runtime_framework.cli.failure import CommandError, sentence
from agent_runtime_framework.cli.screen import Screen
from agent_runtime_framework.cli.target import Agent, load_agent
from agent_runtime_framework.cli.transcript import Transcript
from agent_runtime_framework.cli.user_input import PipedInput, TerminalInput, UserInput, is_terminal

__all__ = ["chat"]


def chat(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="The agent: module:Agent or path/to/file.py[:Agent]. A class, an instance, or a function "
            "that returns one. Without :Agent, the one agent defined there.",
        ),
    ],
    store: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where to keep the conversation, such as sqlite:///journeys.db."),
    ] = None,
    conversation: Annotated[
        str | None, typer.Option(metavar="ID", help="The conversation to open again; a new one without it.")
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who answers, such as openai; offline needs no key (rules, no AI)."),
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="The model that answers.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print each event as one line of JSON.")] = False,
) -> None:
    """Talk to a journey in the terminal, or pipe lines to it."""
    _keep_logs_off_the_screen()
    conversation_id = conversation or secrets.token_hex(4)
    agent = load_agent(target)
    resources = AsyncExitStack()
    resources.push_async_callback(agent.aclose)
    _give_client(agent, provider, model, resources)
    if store is not None:
        _give_store(agent, store, resources)
    saved_in = None if _forgets(agent.store) else store or "the agent's own store"
    options = {"--store": store, "--conversation": conversation_id, "--provider": provider, "--model": model}

    def opening(agent_key: str, history: list[AgentMessage]) -> ChatOpening:
        given = [part for name, value in options.items() if value for part in (name, value)]
        return ChatOpening(
            agent_key=agent_key,
            conversation_id=conversation_id,
            saved_in=saved_in,
            reopen=shlex.join([*_this_command(), "chat", target, *given]) if saved_in else None,
            history=history,
            offline=_is_offline(agent.llm_client),
            expected=conversation is not None,
        )

    errors = Screen(stderr=True)
    source: UserInput = PipedInput()
    on_stdout = is_terminal(sys.stdout) and not json
    if is_terminal(sys.stdin) and (on_stdout or is_terminal(sys.stderr)):
        source = TerminalInput(on_stdout=on_stdout)
    echo = not (source.interactive and on_stdout)
    view: ChatView = EventLines(sys.stdout, errors) if json else Transcript(Screen(), errors, echo=echo)
    raise typer.Exit(ChatSession(agent, conversation_id, source, view, opening, resources).run())


def _this_command() -> list[str]:
    """How a shell finds the command that is running: by name, or in the environment that it runs in."""
    beside = Path(sys.executable).with_name("agent-runtime")
    if shutil.which("agent-runtime") or not beside.exists():
        return ["agent-runtime"]
    return [os.path.relpath(beside)]


def _give_client(agent: Agent, provider: str | None, model: str | None, resources: AsyncExitStack) -> None:
    """The chosen client, or the configured one when the agent brings none.

    Raises:
        CommandError: There is no such client, or it lacks something.
    """
    if agent.llm_client is not None and not provider and not model:
        return
    try:
        agent_runtime_core.get_config()
    except ConfigError as error:  # a variable that no client can do without: no other provider would help
        raise CommandError(sentence(error)) from error
    try:
        client = agent_runtime_core.llm.get_llm_client(provider, model)
    except ConfigError as error:
        hint = "" if provider else " On this command line: --provider offline."
        raise CommandError(sentence(error) + hint) from error
    agent.llm_client = client
    close = getattr(client, "close", None)
    if close is not None:
        resources.push_async_callback(close)


def _is_offline(client: object) -> bool:
    module = sys.modules.get("agent_runtime_core.llm.offline")  # not imported here: it would cost a fifth of the start
    return module is not None and isinstance(client, module.OfflineClient)


def _give_store(agent: Agent, url: str, resources: AsyncExitStack) -> None:
    """The store of this URL.

    Raises:
        CommandError: The URL names none.
    """
    try:
        agent.store = open_store(url)
    except AgentRuntimeError as error:
        raise CommandError(f"--store: {sentence(error)}") from error  # the URL may hold a password
    resources.push_async_callback(agent.store.close)


def _forgets(store: object) -> bool:
    """Whether a store is gone with the process."""
    return isinstance(store, InMemoryCheckpointStore) or getattr(store, "path", None) == ":memory:"


def _keep_logs_off_the_screen() -> None:
    """Warnings are for the log of an application; here they would tear the conversation apart."""
    for name in ("agent_runtime_core", "agent_runtime_framework"):
        handler = logging.StreamHandler() if os.environ.get("AGENT_RUNTIME_LOG_LEVEL") else logging.NullHandler()
        logging.getLogger(name).addHandler(handler)
