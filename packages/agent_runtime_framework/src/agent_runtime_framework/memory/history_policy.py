"""Which part of a long conversation the model sees; the store keeps all of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.messages import MessageDict

__all__ = ["HistoryPolicy", "LastMessages", "LastTokens", "StoredHistory", "estimated_tokens", "without_lost_results"]


class StoredHistory(Protocol):
    """The end of a stored conversation, as a policy gets it."""

    conversation_id: str
    """Names the conversation, for logs."""
    messages: list[MessageDict]
    """The last messages, at least as many as the policy's `max_messages` where there are so many; oldest first."""
    first: int
    """Which one of the conversation the first of them is, counted from 0."""

    async def read(self, start: int, stop: int) -> list[MessageDict]:
        """The stored messages from position `start` to before `stop`."""
        ...

    async def load_note(self) -> dict[str, Any] | None:
        """What a policy has noted of this conversation, or None."""
        ...

    async def save_note(self, note: dict[str, Any]) -> None:
        """Note something of this conversation, as JSON data, for the runs to come."""
        ...


class HistoryPolicy(Protocol):
    """Chooses what a run shows to the model of what was said before."""

    @property
    def max_messages(self) -> int | None:
        """How many of the last messages it has to see, the new one not counted; None for all."""
        ...

    async def fit(self, history: StoredHistory) -> list[MessageDict]:
        """The messages to show. Where it cuts a call from its result, both are mended or left out afterwards."""
        ...


def _is_number(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def estimated_tokens(message: MessageDict) -> int:
    """About how many tokens a message takes: a quarter of the characters of its JSON text, and four."""
    return len(json.dumps(message, ensure_ascii=False, default=str)) // 4 + 4


@dataclass(frozen=True, slots=True)
class LastMessages:
    """The last messages, at most so many, from a message of the user on.

    The window does not slide with every message: its start moves by a quarter of its length at a time, so that the
    requests in between begin alike, which is what a vendor's prompt cache needs.

    Args:
        count: How many messages at most; None shows all.

    Raises:
        ConfigError: The count is negative.
    """

    count: int | None = 200

    def __post_init__(self) -> None:
        if self.count is not None and not _is_number(self.count, 0):
            raise ConfigError(f"LastMessages({self.count!r}): give 0 or more messages, or None for all.")

    @property
    def max_messages(self) -> int | None:
        """The count."""
        return self.count

    async def fit(self, history: StoredHistory) -> list[MessageDict]:
        """The last of the messages."""
        messages = history.messages
        if self.count is None or (not history.first and len(messages) <= self.count):
            return messages
        end = history.first + len(messages)
        return _from_a_user(messages, _step_up(end - self.count - 1, self.count // 4) - history.first)


@dataclass(frozen=True, slots=True)
class LastTokens:
    """The last messages that fit into so many tokens, from a message of the user on; always the newest one.

    Args:
        tokens: How many tokens the messages may take together. Prompt, tools and the answer come on top.
        count: Says how many a message takes; by default a rough estimate. Give your model's tokenizer for more.
        max_messages: How many messages are looked at, at most.

    Raises:
        ConfigError: A number is less than 1.
    """

    tokens: int
    count: Callable[[MessageDict], int] = estimated_tokens
    max_messages: int | None = 1000

    def __post_init__(self) -> None:
        if not _is_number(self.tokens, 1) or not (self.max_messages is None or _is_number(self.max_messages, 1)):
            raise ConfigError(
                f"LastTokens({self.tokens!r}, max_messages={self.max_messages!r}): give 1 or more of each."
            )
        if not callable(self.count):
            raise ConfigError(
                f"LastTokens(count={self.count!r}): give a function that counts the tokens of one message."
            )

    async def fit(self, history: StoredHistory) -> list[MessageDict]:
        """The last messages that fit."""
        messages = history.messages
        left, start = self.tokens, len(messages)
        while start:
            left -= self.count(messages[start - 1])
            if left < 0:
                break
            start -= 1
        if not start:
            return messages
        return _from_a_user(messages, _step_up(history.first + start, _TOKEN_STEP) - history.first)


_TOKEN_STEP = 8
"""By how many messages the start of a window of tokens moves at a time."""


def _step_up(position: int, step: int) -> int:
    """The next position that is a multiple of the step."""
    return position if step < 2 else -(-position // step) * step


def _from_a_user(messages: list[MessageDict], start: int) -> list[MessageDict]:
    """The messages from the first of a user's on that is not before `start`; else from their last one on."""
    users = [place for place, message in enumerate(messages) if message.get("role") == "user"]
    begin = next((place for place in users if place >= start), users[-1] if users else max(start, 0))
    return without_lost_results(messages[begin:])


def without_lost_results(messages: list[MessageDict]) -> list[MessageDict]:
    """The messages without the tool results at their start: their calls were cut off."""
    begin = next((place for place, message in enumerate(messages) if message.get("role") != "tool"), len(messages))
    return messages[begin:]
