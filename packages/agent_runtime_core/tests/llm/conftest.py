"""A model server on this machine: it answers from a list, in raw bytes, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from agent_runtime_core.config import reset_config

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class ModelServer:
    """Speaks HTTP/1.1 as far as a model server must; each request takes the next of `answers`."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[dict[str, Any]] = []
        """The bodies of the requests."""
        self.headers: list[dict[str, str]] = []
        """Their headers, names in small letters."""
        self.left = asyncio.Event()
        """Set when a client has closed its connection in the middle of an answer."""
        self.connections = 0
        self.base_url = ""

    def reply(self, body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Queue a whole answer: an object as JSON, or a text as it is."""
        self.answers.append(whole(body, status, headers or {}))

    def stream(self, *events: Any, ending: str = "done") -> None:
        """Queue a streamed answer.

        Args:
            events: Chunks as objects, or raw texts.
            ending: `done` ends as the protocol says; `short` ends without `[DONE]`; `cut` drops the connection;
                `open` waits until the client leaves.
        """
        self.answers.append(streamed(events, ending))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")[1:-2]
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.headers.append(headers)
                self.requests.append(json.loads(body))
                await self.answers.pop(0)(reader, writer)
        except asyncio.IncompleteReadError:
            pass  # the client has closed its idle connection
        except ConnectionError:
            self.left.set()
        finally:
            writer.close()


def whole(body: Any, status: int, headers: dict[str, str]) -> Answer:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        lines = {"content-type": "application/json", "content-length": str(len(data)), **headers}
        head = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in lines.items())]
        writer.write("\r\n".join([*head, "", ""]).encode() + data)
        await writer.drain()

    return answer


def streamed(events: tuple[Any, ...], ending: str) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for event in [*events, *(["[DONE]"] if ending == "done" else [])]:
            text = event if isinstance(event, str) else json.dumps(event)
            data = f"{_name_of(event)}data: {text}\n\n".encode()
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()
        if ending == "open":
            await reader.read()
            raise ConnectionResetError
        if ending == "cut":
            raise asyncio.IncompleteReadError(b"", None)  # closes the connection
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    return answer


def _name_of(event: Any) -> str:
    """Anthropic names its events by their type; OpenAI's have no name."""
    return f"event: {event['type']}\n" if isinstance(event, dict) and "type" in event else ""


@pytest.fixture
async def model_server() -> AsyncIterator[ModelServer]:
    """A running server; its `base_url` is what a client needs."""
    stand_in = ModelServer()
    server = await asyncio.start_server(stand_in.serve, "127.0.0.1", 0)
    stand_in.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    yield stand_in
    server.close()
    await server.wait_closed()


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch: pytest.MonkeyPatch):
    """Neither keys nor settings of whoever runs the tests."""
    for name in (
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_ORG_ID",
        "OPENAI_PROJECT_ID",
        "OPENAI_ADMIN_KEY",
        "OPENAI_CUSTOM_HEADERS",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_CUSTOM_HEADERS",
        "ANTHROPIC_PROFILE",
        "AGENT_RUNTIME_MODEL_PROVIDER",
        "AGENT_RUNTIME_DEFAULT_MODEL",
        *(name for name in os.environ if name.startswith("AGENT_RUNTIME_LLM_")),
    ):
        monkeypatch.delenv(name, raising=False)
    reset_config()
    yield
    reset_config()


def completion(message: dict[str, Any], finish_reason: str = "stop", **fields: Any) -> dict[str, Any]:
    """A whole answer as OpenAI's servers give it."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-2024-11-20",
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        **fields,
    }


def chunk(delta: dict[str, Any] | None = None, finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    """One piece of a streamed answer as OpenAI's servers give it."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-2024-11-20",
        "choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish_reason}],
        **fields,
    }


@pytest.fixture(name="completion")
def _completion() -> Callable[..., dict[str, Any]]:
    """Makes a whole answer: `completion({"content": "Hello"})`."""
    return completion


@pytest.fixture(name="chunk")
def _chunk() -> Callable[..., dict[str, Any]]:
    """Makes one piece of a streamed answer: `chunk({"content": "Hel"})`."""
    return chunk
