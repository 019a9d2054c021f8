"""Recorded conversations with a model: a file with one call a line, played back without the model."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncGenerator
from dataclasses import fields
from pathlib import Path
from typing import Any

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces import LLMClient, LLMResponse, LLMStreamChunk
from agent_runtime_core.llm.asking import AnyClient, close_client, close_stream, model_asked, open_stream
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.testing.pieces import in_pieces, put_together

__all__ = ["RecordingLLM"]

_NEVER_RECORDED = frozenset({"extra_headers", "default_headers", "headers", "extra_body", "extra_query"})
_SECRET_ENDINGS = ("_key", "_key_id", "_token", "_secret", "_credentials", "password", "authorization")


_LONE = "surrogatepass"  # half of a character, as a model may write it, is kept


class RecordingLLM(LLMClient):
    """With a client: asks it and writes each call and its answer down. Without: plays them back, in their order.

    A line is `{"request": {"messages", "tools", ...}, "chunks": [...]}` or `{..., "response": {...}}`; calls that
    failed are not recorded. The file holds the whole conversation: keep it as you keep conversations.

    Args:
        path: The file, JSON lines. Recording begins it anew with the first call.
        client: The client to record; None plays back.
    """

    def __init__(self, path: str | Path, client: AnyClient | None = None) -> None:
        self.path = Path(path)
        """The file."""
        self.client = client
        """The client that is recorded, or None."""
        self.position = 0
        """Calls so far."""
        self._lines: list[dict[str, Any]] | None = None
        self._begun = False
        self._writing = threading.Lock()

    @property
    def default_model(self) -> str:
        """The default model of the client; empty when playing back."""
        return model_asked(self.client, {}) if self.client is not None else ""

    async def generate(self, messages: list[MessageDict], **options: Any) -> LLMResponse:
        """The client's answer, or the recorded one.

        Raises:
            AssertionError: What is asked is not what was recorded, or the recording is over.
            ConfigError: There is no recording, it cannot be read, or there is no folder for a new one; the text names
                the file and the line.
            LLMError: The client could not be asked.
        """
        request = _request(messages, options)
        if self.client is None:
            return _response_of(await self._recorded(request))
        await self._check_folder()
        answer: LLMResponse = await self.client.generate(messages=messages, **options)
        names = [each.name for each in fields(LLMResponse) if each.name != "raw_response"]
        response = {name: value for name in names if (value := getattr(answer, name, None))}
        await self._write({"request": request, "response": response})
        return answer

    async def stream(self, messages: list[MessageDict], **options: Any) -> AsyncGenerator[LLMStreamChunk, None]:
        """The client's answer in pieces, or the recorded ones; a stream that is not read to its end is not recorded.

        Raises:
            AssertionError: As for `generate`.
            ConfigError: As for `generate`.
            LLMError: As for `generate`.
        """
        request = _request(messages, options)
        if self.client is None:
            for chunk in _chunks_of(await self._recorded(request)):
                yield chunk
            return
        await self._check_folder()
        pieces: list[dict[str, Any]] = []
        source = await open_stream(self.client, messages, options)
        try:
            async for chunk in source:
                pieces.append({name: value for name, value in vars(chunk).items() if value})
                yield chunk
        finally:
            await close_stream(source)
        await self._write({"request": request, "chunks": pieces})

    async def close(self) -> None:
        """Close the client that is recorded."""
        if self.client is not None:
            await close_client(self.client)

    async def _check_folder(self) -> None:
        """Look for the folder before a call that may cost money, and not only after it."""
        if not self._begun and not await asyncio.to_thread(self.path.parent.is_dir):
            raise ConfigError(f"There is no folder {self.path.parent} for the recording: make it first.")

    async def _write(self, line: dict[str, Any]) -> None:
        text = json.dumps(line, ensure_ascii=False, default=str)
        self.position += 1
        await asyncio.to_thread(self._append, text)

    def _append(self, text: str) -> None:
        with self._writing, self.path.open("a" if self._begun else "w", encoding="utf-8", errors=_LONE) as file:
            self._begun = True
            file.write(f"{text}\n")

    async def _recorded(self, request: dict[str, Any]) -> dict[str, Any]:
        """The line that answers this request."""
        if self._lines is None:
            self._lines = await asyncio.to_thread(_read, self.path)
        if self.position >= len(self._lines):
            raise AssertionError(f"{self.path} holds {len(self._lines)} calls; the model was asked once more")
        line = self._lines[self.position]
        different = [name for name in request | line["request"] if request.get(name) != line["request"].get(name)]
        if different:
            raise AssertionError(
                f"call {self.position + 1} is not the one recorded in {self.path}: other {', '.join(different)}. "
                f"Record it again if that is what you want."
            )
        self.position += 1
        return line


def _request(messages: list[MessageDict], options: dict[str, Any]) -> dict[str, Any]:
    """What was asked, as it reads when it comes back from the file."""
    given = {name: value for name, value in options.items() if value is not None and not _is_secret(name)}
    plain: dict[str, Any] = json.loads(json.dumps({"messages": messages, **given}, default=str))
    return plain


def _is_secret(name: str) -> bool:
    return name in _NEVER_RECORDED or name.lower().endswith(_SECRET_ENDINGS)


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        texts = [text for text in path.read_text(encoding="utf-8", errors=_LONE).split("\n") if text]
    except OSError as error:
        raise ConfigError(f"no recording can be read from {path}: {error.strerror}. Record one first.") from error
    lines = []
    for number, text in enumerate(texts, 1):
        try:
            line = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"{path}, line {number}: not JSON ({error})") from error
        if not isinstance(line, dict) or "request" not in line or not line.keys() & {"response", "chunks"}:
            raise ConfigError(f"{path}, line {number}: not a recorded call (request, and response or chunks)")
        try:
            _response_of(line)
        except (TypeError, AttributeError) as error:
            raise ConfigError(f"{path}, line {number}: not an answer that can be read ({error})") from error
        lines.append(line)
    return lines


def _response_of(line: dict[str, Any]) -> LLMResponse:
    """A recorded answer as a whole, however it was asked for."""
    return LLMResponse(**line["response"]) if "response" in line else put_together(_chunks_of(line))


def _chunks_of(line: dict[str, Any]) -> list[LLMStreamChunk]:
    """A recorded answer in pieces, however it was asked for."""
    if "chunks" in line:
        return [LLMStreamChunk(**chunk) for chunk in line["chunks"]]
    return list(in_pieces(_response_of(line)))
