"""The tests' project behind a real ASGI server, and a reader of its streams."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import uvicorn

__all__ = ["Stream", "serving"]


@contextmanager
def serving() -> Iterator[str]:
    """The address of the server, as long as the block."""
    from django.core.asgi import get_asgi_application

    config = uvicorn.Config(
        get_asgi_application(), port=0, lifespan="off", log_config=None, timeout_graceful_shutdown=1, ws="none"
    )
    started = threading.Event()

    class Announced(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            started.set()

    server = Announced(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(30)
    (port,) = {socket.getsockname()[1] for each in server.servers for socket in each.sockets}
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(30)


class Stream:
    """One GET request, read as it comes.

    Args:
        address: The server.
        path: What is asked for.
        **headers: With what.
    """

    def __init__(self, address: str, path: str, **headers: str) -> None:
        self._host = urlsplit(address)
        self._path = path
        self._headers = headers
        self.status = 0
        self.headers: dict[str, str] = {}

    async def __aenter__(self) -> Stream:
        self._reader, self._writer = await asyncio.open_connection(self._host.hostname, self._host.port)
        lines = [f"GET {self._path} HTTP/1.1", f"Host: {self._host.netloc}"]
        lines += [f"{name}: {value}" for name, value in self._headers.items()]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        self.status = int(head[0].split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        return self

    async def __aexit__(self, *error: object) -> None:
        self._writer.close()

    async def body(self) -> str:
        """All of it."""
        if "content-length" in self.headers:
            return (await self._reader.readexactly(int(self.headers["content-length"]))).decode()
        return "".join([part async for part in self._parts()])

    async def frames(self) -> AsyncGenerator[dict[str, Any], None]:
        """Each frame: the lines by their names, `data` read; a comment under the empty name."""
        text = ""
        async for part in self._parts():
            text += part
            *whole, text = text.split("\n\n")
            for frame in whole:
                fields = dict(line.split(": ", 1) for line in frame.split("\n"))
                yield {**fields, **({"data": json.loads(fields["data"])} if "data" in fields else {})}

    async def _parts(self) -> AsyncGenerator[str, None]:
        while size := int((await self._reader.readline()) or b"0", 16):
            yield (await self._reader.readexactly(size + 2))[:-2].decode()
