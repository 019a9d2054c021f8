"""Putting a streamed answer together: text as it comes, tool calls when they are whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from agent_runtime_core.interfaces.llm import LLMStreamChunk
from agent_runtime_core.llm.openai_wire import (
    arguments_text,
    call_in_openai_form,
    items,
    text_attribute,
    thinking_of,
    to_usage,
    whole_number,
    with_ids_of_their_own,
)
from agent_runtime_core.llm.whole_pieces import WholePieces
from agent_runtime_core.messages import Usage

__all__ = ["StreamedAnswer", "StreamedToolCalls"]


class StreamedAnswer:
    """One answer while it is being streamed."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        """Why the model stopped; None as long as it has not said so."""
        self.has_begun = False
        """Whether anything of an answer has come."""
        self._calls = StreamedToolCalls()
        self._usage: Usage = {}
        self._model = ""
        self._text = WholePieces()
        self._thinking = WholePieces()

    def take(self, chunk: Any) -> Iterator[LLMStreamChunk]:
        """Read one chunk of the SDK, and give what of it can be shown at once."""
        usage = getattr(chunk, "usage", None)
        if usage is not None:
            self._usage = to_usage(usage) or self._usage
        self._model = self._model or text_attribute(chunk, "model")
        for choice in items(chunk, "choices"):
            self.has_begun = True
            if whole_number(choice, "index"):
                continue  # a second answer (`n=2`) would be mixed into the first
            delta = getattr(choice, "delta", None)
            text = text_attribute(delta, "content") or text_attribute(delta, "refusal")
            thinking = thinking_of(delta)
            for call in items(delta, "tool_calls"):
                self._calls.take(call)
            self.finish_reason = text_attribute(choice, "finish_reason") or self.finish_reason
            if text and (self._text.half or not text.isascii()):
                text = self._text.joined(text)
            if thinking and (self._thinking.half or not thinking.isascii()):
                thinking = self._thinking.joined(thinking)
            if text or thinking:
                yield LLMStreamChunk(delta=text, thinking=thinking or None)

    def last_chunk(self) -> LLMStreamChunk:
        """The chunk that ends the stream: why the model stopped, its tool calls and its token counts."""
        return LLMStreamChunk(
            delta=self._text.rest(),
            finish_reason=self.finish_reason,
            tool_calls=self._calls.whole() or None,
            usage=self._usage or None,
            model=self._model,
        )


class StreamedToolCalls:
    """Tool calls that come in pieces.

    OpenAI sends id and name once and the arguments in pieces, each piece with the position (`index`) of its
    call. Other servers repeat id and name in every piece, give each piece a new id, leave out the id or the
    position, or give several calls the same position. So: id and name are taken once, arguments are appended,
    and what starts a new call is decided in `_starts_a_call`.
    """

    def __init__(self) -> None:
        self._calls: list[_Pieces] = []
        self._at: dict[int, _Pieces] = {}

    def take(self, piece: Any) -> None:
        """Add one piece to the call that it belongs to."""
        index = whole_number(piece, "index")
        function = getattr(piece, "function", None)
        call_id, name = text_attribute(piece, "id"), text_attribute(function, "name")
        call = self._belongs_to(index, call_id)
        if call is None or _starts_a_call(call, index, call_id, name):
            call = _Pieces()
            self._calls.append(call)
        if index is not None:
            self._at[index] = call
        call.id = call.id or call_id
        call.name = call.name or name
        call.arguments.append(arguments_text(getattr(function, "arguments", None)))

    def whole(self) -> list[dict[str, Any]]:
        """The calls in OpenAI's form, in the order in which they began."""
        calls = [call_in_openai_form(call.id, call.name, "".join(call.arguments)) for call in self._calls]
        return with_ids_of_their_own(calls)

    def _belongs_to(self, index: int | None, call_id: str) -> _Pieces | None:
        if index is not None:
            return self._at.get(index)
        for call in reversed(self._calls):
            if call_id and call.id == call_id:
                return call
        return self._calls[-1] if self._calls else None


class _Pieces:
    """One call as far as it has come."""

    __slots__ = ("arguments", "id", "name")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []

    def is_complete(self) -> bool:
        """Whether the arguments are a whole JSON object."""
        try:
            return isinstance(json.loads("".join(self.arguments)), dict)
        except ValueError:
            return False


def _starts_a_call(call: _Pieces, index: int | None, call_id: str, name: str) -> bool:
    """Whether a piece, instead of going on with `call`, is the first of another one."""
    if call_id and call_id == call.id:
        return False
    if index is None and call_id and call.id:
        return True
    if index is not None and not (call_id and call.id):
        return False  # the position alone says it
    # Another id at the same position, or neither position nor id: a new call has a name, and the one before
    # is whole.
    return bool(name and call.name) and (name != call.name or call.is_complete())
