"""Where a conversation stands: what was said since the last tool ran, and what the tools said since."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent_runtime_core.llm.offline.passage import Passage, clean
from agent_runtime_core.messages import ToolCall, text_of

__all__ = ["Ran", "Situation", "read_situation"]

_SYSTEM = frozenset({"system", "developer"})
_TEXT_LIMIT = 20_000


@dataclass(slots=True)
class Ran:
    """A tool that was called, and what it said."""

    name: str
    """The tool's name."""
    arguments: dict[str, Any]
    """What it was called with."""
    result: str = ""
    """Its result; empty when there is none yet."""

    @property
    def failed(self) -> bool:
        """Whether the result says so with its first word."""
        return self.result.lstrip().lower().startswith("error")


@dataclass(slots=True)
class Situation:
    """What one answer depends on."""

    prompt: str = ""
    """The system messages, joined."""
    said: list[Passage] = field(default_factory=list)
    """The user's messages since a tool ran before the last of them, oldest first."""
    ran: list[Ran] = field(default_factory=list)
    """The tools that ran since the user's last message."""
    before: Ran | None = None
    """The last tool that ran before the user's last message."""
    said_before: list[Passage] = field(default_factory=list)
    """The messages that `before` and its neighbours ran on."""
    ran_before: list[Ran] = field(default_factory=list)
    """The tools that ran on those."""
    told: str = ""
    """What the user was told so far, the latest part of it."""
    has_dropped: bool = False
    """Whether the user has just taken back what the last question was about."""
    called: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The arguments with which each tool was called last, by its name."""
    calls_made: int = 0
    """Tool calls in the whole conversation."""

    @property
    def words(self) -> Passage:
        """The user's last message; empty when there is none."""
        return self.said[-1] if self.said else Passage("")


def read_situation(messages: Any) -> Situation:
    """Read a conversation in OpenAI's shape; what is not a message is passed over."""
    found = Situation()
    prompts: list[str] = []
    by_id: dict[str, Ran] = {}
    spoken = ""  # what the user was told last
    last: Ran | None = None
    for message in messages if isinstance(messages, Sequence) and not isinstance(messages, str) else ():
        if not isinstance(message, Mapping):
            continue
        role, content = message.get("role"), _text(message.get("content"))
        if role in _SYSTEM:
            prompts.append(content[:_TEXT_LIMIT])
        elif role == "assistant":
            calls = _calls(message.get("tool_calls"), found.calls_made)
            found.calls_made += len(calls)
            for call in calls:
                last = by_id[call.id] = Ran(call.name, call.arguments)
                found.ran.append(last)
                found.called[call.name] = call.arguments
            spoken = content or spoken
            found.told = f"{found.told}\n{content}"[-_TEXT_LIMIT:]
        elif role == "tool":
            ran = by_id.get(str(message.get("tool_call_id")))
            if ran is not None:
                ran.result = content[:_TEXT_LIMIT]
            spoken = content or spoken  # a terminal tool's result is what the user saw
        elif role == "user":
            if found.ran:
                found.said_before, found.ran_before, found.before = found.said, found.ran, last
                found.said, found.ran = [], []
            found.said.append(Passage(content, spoken[-_TEXT_LIMIT:]))
            spoken = ""
    found.prompt = "\n".join(prompts)
    return found


def _text(content: Any) -> str:
    """The text of a content; a dict, which some hosts use, as its `text` or as JSON."""
    if isinstance(content, Mapping):
        text = content.get("text")
        return clean(text if isinstance(text, str) else json.dumps(content, default=str))
    return clean(text_of(content))


def _calls(raw: Any, made: int) -> list[ToolCall]:
    """The tool calls of an assistant message that can be read."""
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        return []
    readable = [item for item in raw if isinstance(item, Mapping)]
    return [ToolCall(item, default_id=f"unnamed_{made + place}") for place, item in enumerate(readable)]
