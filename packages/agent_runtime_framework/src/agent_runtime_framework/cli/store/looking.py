"""`agent-runtime store info`, `list`, `show` and `versions`: what is there."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from agent_runtime_core.housekeeping import (
    each_conversation,
    find_conversation,
    key_without_state,
    missing_messages,
    readable_states,
)
from agent_runtime_core.interfaces import CheckpointStore, ConversationInfo, VersionInfo
from agent_runtime_core.messages import MessageDict
from agent_runtime_framework.cli.failure import FAILED
from agent_runtime_framework.cli.store.opening import (
    JSON,
    Conversation,
    Owner,
    StoreURL,
    counted,
    no_conversation,
    print_json,
    print_line,
    with_store,
)
from agent_runtime_framework.cli.terminal_text import one_line

__all__ = ["info", "list_conversations", "show", "versions"]


def info(store: StoreURL, json: JSON = False) -> None:
    """Show how much a store holds."""
    found = with_store(store, lambda opened: opened.info())
    if json:
        print_json(asdict(found))
        return
    size = "not known" if found.size_bytes is None else f"{found.size_bytes:,} bytes"
    print_line(f"backend        {found.backend}")
    print_line(f"conversations  {found.conversations:,}")
    print_line(f"messages       {found.messages:,}")
    print_line(f"size           {size}")
    if found.schema:
        print_line(f"schema         {found.schema}")


def list_conversations(
    store: StoreURL,
    owner: Annotated[
        str | None, typer.Option(metavar="OWNER", help="Only those of this owner; all without it.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each.")] = False,
) -> None:
    """List the conversations, by owner and then id."""

    async def listed(opened: CheckpointStore) -> None:
        async with aclosing(each_conversation(opened, owner=owner)) as conversations:
            async for each in conversations:
                if json:
                    print_json(_as_json(each))
                else:
                    print_line(_as_line(each))

    with_store(store, listed)


def show(
    conversation: Conversation,
    store: StoreURL,
    owner: Owner = "",
    last: Annotated[int, typer.Option(metavar="N", min=0, help="How many of the last messages.")] = 20,
    json: JSON = False,
) -> None:
    """Show a conversation: its states and its last messages. Exit code 1 when some of that cannot be read."""

    async def shown(opened: CheckpointStore) -> tuple[ConversationInfo, dict[str, Any], list[MessageDict], list[str]]:
        found = await find_conversation(opened, conversation, owner=owner)
        if found is None:
            raise no_conversation(conversation, owner)
        states, unreadable = await readable_states(opened, found)
        checkpoint = await opened.load(conversation, key_without_state(found), max_messages=last, owner=owner)
        unreadable += missing_messages(min(last, checkpoint.message_count), len(checkpoint.messages))
        return found, states, checkpoint.messages, unreadable

    found, states, messages, unreadable = with_store(store, shown)
    if json:
        problems = {"unreadable": unreadable} if unreadable else {}
        print_json({**_as_json(found), "states": states, "messages": messages, **problems})
    else:
        _print_shown(found, states, messages)
    for problem in unreadable:
        typer.echo(one_line(problem), err=True)
    if unreadable:
        raise typer.Exit(FAILED)


def _print_shown(found: ConversationInfo, states: dict[str, Any], messages: list[MessageDict]) -> None:
    print_line(_as_line(found))
    for agent_key, kept in states.items():
        print_line(f"{one_line(agent_key)}, version {kept['state_version']}: {one_line(str(kept['state']))}")
    for message in messages:
        print_line(f"{one_line(str(message.get('role')))}: {one_line(_words(message))}")


def versions(conversation: Conversation, store: StoreURL, owner: Owner = "", json: JSON = False) -> None:
    """List the versions of a conversation that `rewind` and `fork` can go back to."""

    async def found(opened: CheckpointStore) -> list[VersionInfo]:
        return await opened.versions(conversation, owner=owner)

    listed = with_store(store, found)
    if not listed:
        raise no_conversation(conversation, owner)
    for each in listed:
        if json:
            print_json({**asdict(each), "committed_at": each.committed_at.isoformat()})
        else:
            agents = f", state of {one_line(', '.join(each.agent_keys))}" if each.agent_keys else ""
            print_line(f"{each.version}  {_time(each.committed_at)}  {counted(each.message_count, 'message')}{agents}")


def _as_json(info: ConversationInfo) -> dict[str, Any]:
    times = {"created_at": info.created_at.isoformat(), "updated_at": info.updated_at.isoformat()}
    return {**asdict(info), **times}


def _as_line(info: ConversationInfo) -> str:
    owner = f"{one_line(info.owner)}/" if info.owner else ""
    agents = f", {one_line(', '.join(info.agent_keys))}" if info.agent_keys else ""
    messages = counted(info.message_count, "message")
    return (
        f"{owner}{one_line(info.conversation_id)}  {_time(info.updated_at)}  {messages}, version {info.version}{agents}"
    )


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%SZ")


def _words(message: MessageDict) -> str:
    content = message.get("content")
    words = content if isinstance(content, str) else "" if content is None else str(content)
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        names = [str(call.get("function", {}).get("name")) for call in calls if isinstance(call, dict)]
        words = f"{words} [calls {', '.join(names)}]"
    return words
