"""A journey whose history tells whether anything was lost or doubled: every message is entered in a ledger, once."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import uuid4

from agent_runtime_core.history import is_sendable
from agent_runtime_core.interfaces import CheckpointStore, LLMClient, LLMResponse, LLMStreamChunk
from agent_runtime_core.messages import MessageDict
from agent_runtime_framework import (
    AgentContext,
    BaseJourneyState,
    BaseJourneyTools,
    JourneyAgent,
    ToolSchema,
    ToolSchemaBuilder,
)

__all__ = ["Clerk", "LedgerAgent", "check_consistent", "check_whole", "done", "entered"]


class Step(str, Enum):
    OPEN = "open"
    CLOSED = "closed"


@dataclass
class Ledger(BaseJourneyState[Step]):
    step: Step = Step.OPEN
    entries: list[str] = field(default_factory=list)

    def is_complete(self) -> bool:
        return self.step is Step.CLOSED

    def to_dict(self) -> dict[str, Any]:
        return {"step": self.step.value, "entries": self.entries}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Ledger:
        return cls(Step(data["step"]), list(data["entries"]))


class Tools(BaseJourneyTools[Ledger]):
    effects: Path | None = None

    async def enter(self, text: str, number: str) -> str:
        if self.effects is not None:
            line = f"{number}\n".encode()
            file = os.open(self.effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            try:
                os.write(file, line)
            finally:
                os.close(file)
        self.state.entries.append(text)
        return text

    async def count(self) -> str:
        return str(len(self.state.entries))


TOOLS = [
    ToolSchemaBuilder("enter").param("text", "string", required=True).param("number", "string", required=True).build(),
    ToolSchemaBuilder("count").build(),
]


class LedgerAgent(JourneyAgent[Ledger, Tools, Step]):
    key = "ledger"
    effects: Path | None = None
    """The file that gets a line, the call's number, for each entry that is made, whatever becomes of it."""

    def get_initial_state(self) -> Ledger:
        return Ledger()

    def get_system_prompt(self, state: Ledger) -> str:
        return "Enter every message."

    def get_tool_schemas(self, state: Ledger) -> list[ToolSchema]:
        return TOOLS

    def create_tools(self, state: Ledger, ctx: AgentContext) -> Tools:
        tools = Tools(state=state)
        tools.effects = self.effects
        return tools

    async def execute_tool(self, tools: Tools, name: str, arguments: dict[str, Any], /) -> Any:
        return await getattr(tools, name)(**arguments)


class Clerk(LLMClient):
    """A model with rules: it enters what is new, counts, and then says what it has done, from the messages alone."""

    async def generate(self, messages: list[MessageDict], **kwargs: Any) -> LLMResponse:
        new, calls = _since_last_words(messages)
        missing = [text for text in new if text not in {arguments.get("text") for _, arguments in calls}]
        if missing:
            return _calling(*(("enter", {"text": text, "number": uuid4().hex}) for text in missing))
        if not calls or calls[-1][0] != "count":
            return _calling(("count", {}))
        return LLMResponse({"role": "assistant", "content": done(*new)})

    async def stream(self, messages: list[MessageDict], **kwargs: Any) -> AsyncIterator[LLMStreamChunk]:
        response = await self.generate(messages, **kwargs)
        yield LLMStreamChunk(response.content, response.message.get("tool_calls"), "stop")


def done(*texts: str) -> str:
    """What the clerk says when the messages are entered."""
    return f"done: {' '.join(texts)}"


def entered(messages: Sequence[MessageDict]) -> list[tuple[str, str]]:
    """Number and text of the entries that the messages tell of, in their order."""
    calls = {
        call["id"]: json.loads(call["function"]["arguments"])
        for message in messages
        for call in message.get("tool_calls") or ()
        if call["function"]["name"] == "enter"
    }
    results = [message for message in messages if message["role"] == "tool" and message["tool_call_id"] in calls]
    for result in results:
        assert result["content"] == calls[result["tool_call_id"]]["text"]
    return [(calls[result["tool_call_id"]]["number"], result["content"]) for result in results]


async def check_consistent(store: CheckpointStore, conversation_id: str) -> list[MessageDict]:
    """Whatever has happened: each kept version is one at which state and messages agree. Returns the history."""
    now = await store.load(conversation_id, LedgerAgent.key)
    versions = [version.version for version in await store.versions(conversation_id)]
    assert versions == list(range(now.version - len(versions) + 1, now.version + 1))
    for version in versions:
        then = await store.load(conversation_id, LedgerAgent.key, at_version=version, max_messages=1)
        messages = now.messages[: then.message_count]
        assert then.messages == messages[-1:]
        assert is_sendable(messages)
        assert (then.state or {"entries": []})["entries"] == [text for _, text in entered(messages)]
    return now.messages


def check_whole(history: Sequence[MessageDict], *senders: Sequence[str]) -> dict[str, str]:
    """All messages of each sender are there once, in order, entered once, answered once. Returns the answers."""
    users = [message["content"] for message in history if message["role"] == "user"]
    assert sorted(users) == sorted(text for sender in senders for text in sender)
    for sender in senders:
        assert [text for text in users if text in set(sender)] == list(sender)
    assert [text for _, text in entered(history)] == users
    answers: dict[str, str] = {}
    open_messages: list[str] = []
    for message in history:
        if message["role"] == "user":
            open_messages.append(message["content"])
        elif message["role"] == "assistant" and not message.get("tool_calls"):
            assert message["content"] == done(*open_messages)
            answers.update(dict.fromkeys(open_messages, done(*open_messages)))
            open_messages = []
    assert open_messages == []
    return answers


def _since_last_words(messages: Sequence[MessageDict]) -> tuple[list[str], list[tuple[str, dict[str, Any]]]]:
    """The user's messages, and the calls, that no words of the assistant follow."""
    new: list[str] = []
    calls: list[tuple[str, dict[str, Any]]] = []
    for message in messages:
        if message["role"] == "user":
            new.append(message["content"])
        elif message["role"] == "assistant":
            functions = [call["function"] for call in message.get("tool_calls") or ()]
            if not functions:
                new, calls = [], []
            calls += [(function["name"], json.loads(function["arguments"])) for function in functions]
    return new, calls


def _calling(*calls: tuple[str, dict[str, Any]]) -> LLMResponse:
    tool_calls = [
        {"id": uuid4().hex, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for name, arguments in calls
    ]
    return LLMResponse({"role": "assistant", "content": None, "tool_calls": tool_calls})
