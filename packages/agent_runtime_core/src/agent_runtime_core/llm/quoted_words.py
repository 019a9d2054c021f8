"""Vendors quote what they were sent; an error of ours repeats nothing of a conversation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent_runtime_core.errors import LLMError
from agent_runtime_core.messages import MessageDict, text_of

__all__ = ["unquoted", "without_quotes"]

_STEP = 12  # letters that are looked for; what is quoted at length holds such a piece at one of these steps
_LONG = 24  # as many letters in a row are no coincidence
_WHOLE = 8  # a message as short as this is a word that the vendor may have said itself
_OFTEN = 50  # places at which the same piece is looked at
_INSTEAD = "[...]"


def unquoted(error: LLMError, messages: Sequence[MessageDict]) -> LLMError:
    """The error, whose text repeats nothing of the messages that were sent."""
    error.args = (without_quotes(str(error), messages), *error.args[1:])
    return error


def without_quotes(text: str, messages: Sequence[MessageDict]) -> str:
    """The text without what it quotes from the messages: long runs of their words, and short messages as a whole."""
    said = [" ".join(words.split()) for words in _texts(messages)]
    for words in said:
        if _WHOLE <= len(words) < _LONG:
            text = text.replace(words, _INSTEAD)
    told = "\0".join(words for words in said if len(words) >= _LONG)
    kept: list[str] = []
    done = start = 0
    while start + _STEP <= len(text):
        left, right = _run(text, start, told)
        if right - max(left, done) >= _LONG:
            kept += [text[done : max(left, done)], _INSTEAD]
            done = right
        start = max(start + _STEP, done)
    return "".join(kept) + text[done:]


def _run(text: str, start: int, told: str) -> tuple[int, int]:
    """From where to where the text around `start` is the same as somewhere in what was told; the longest such run."""
    best = (start, start)
    piece = text[start : start + _STEP]
    at = told.find(piece)
    for _ in range(_OFTEN):
        if at < 0:
            break
        left = 0
        while left < min(start, at) and text[start - left - 1] == told[at - left - 1]:
            left += 1
        right = _STEP
        while start + right < len(text) and at + right < len(told) and text[start + right] == told[at + right]:
            right += 1
        if left + right > best[1] - best[0]:
            best = (start - left, start + right)
        at = told.find(piece, at + 1)
    return best


def _texts(messages: Sequence[MessageDict]) -> Iterator[str]:
    """What was said in the messages, and what tools were called with."""
    for message in messages:
        yield text_of(message.get("content"))
        for call in message.get("tool_calls") or ():
            function: Any = call.get("function", call) if isinstance(call, Mapping) else None
            arguments = function.get("arguments") if isinstance(function, Mapping) else None
            if isinstance(arguments, str):
                yield arguments
