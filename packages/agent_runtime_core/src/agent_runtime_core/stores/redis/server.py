"""Talking to the server: one script for all calls, connections for each event loop, errors in our words."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha1
from importlib.resources import files
from typing import Any, Literal

from redis.asyncio import Redis
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ConnectionError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,
)

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.stores.redis.address import Address
from agent_runtime_core.stores.redis.connections import Connections

__all__ = ["Kind", "Server"]

_SCRIPT = "\n".join(
    files("agent_runtime_core.stores.redis").joinpath(f"{name}.lua").read_text("utf-8")
    for name in ("conversation", "runs", "housekeeping")
)
_SHA = sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()

_LOST = (ConnectionError, TimeoutError, OSError)
_FAILURES = (RedisError, OSError)

# The client tells these by their text only.
_NONE_FREE = "No connection available"
_NOT_CONNECTED = "connecting to"

Kind = Literal["read", "again", "once"]
"""A call that reads; one that writes, and knows itself when it comes again; one that writes, and does not."""

_Argument = str | bytes | int | float


class Server:
    """A Redis server.

    Args:
        address: Where it is.
        max_connections: How many connections an event loop may have; who needs another one waits.
        timeout_s: How long to wait for a connection, and for an answer.
    """

    def __init__(self, address: Address, max_connections: int, timeout_s: float) -> None:
        self._address = address
        self._max_connections = max_connections
        self._timeout_s = timeout_s
        self._connections: dict[asyncio.AbstractEventLoop, Connections] = {}
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    def shown(self) -> str:
        """The server, as people may see it."""
        return self._address.shown

    async def call(self, keys: Sequence[bytes], arguments: Sequence[_Argument], kind: Kind) -> list[Any]:
        """What the script answers.

        Args:
            keys: The script's keys.
            arguments: The script's arguments, the call's name first.
            kind: Whether the call writes, and whether it may be made again when the connection broke before the
                answer came.

        Raises:
            StoreUnavailable: The server cannot be reached, or refuses; or the store is closed.
        """
        return await self._connected().run(lambda client: self._called(client, keys, arguments, kind))

    async def _called(
        self, client: Redis, keys: Sequence[bytes], arguments: Sequence[_Argument], kind: Kind
    ) -> list[Any]:
        in_doubt = False
        try:
            try:
                return await self._run(client, keys, arguments)
            except _LOST as error:
                in_doubt = kind != "read" and _was_sent(error)
                if kind == "once" or not _was_sent(error):
                    raise
                return await self._run(client, keys, arguments)
        except _FAILURES as error:
            raise self._explained(error, in_doubt=in_doubt) from error

    async def _run(self, client: Redis, keys: Sequence[bytes], arguments: Sequence[_Argument]) -> list[Any]:
        command: Callable[..., Awaitable[list[Any]]] = client.execute_command
        try:
            return await command("EVALSHA", _SHA, len(keys), *keys, *arguments)
        except NoScriptError:  # a new server, or one that has forgotten; nothing has run
            return await command("EVAL", _SCRIPT, len(keys), *keys, *arguments)

    async def size(self, prefix: bytes) -> int | None:
        """How many bytes all keys with this prefix take up; None where the server does not tell."""
        return await self._connected().run(lambda client: self._size(client, prefix))

    async def _size(self, client: Redis, prefix: bytes) -> int | None:
        pattern = b"".join(b"\\" + bytes([each]) if each in b"*?[]\\^-" else bytes([each]) for each in prefix) + b"*"
        total = 0
        try:
            cursor: int = -1
            while cursor != 0:
                cursor, keys = await client.scan(cursor=max(cursor, 0), match=pattern, count=1000)
                async with client.pipeline(transaction=False) as pipeline:
                    for key in keys:
                        pipeline.execute_command("MEMORY USAGE", key, "SAMPLES", 5)
                    total += sum(size or 0 for size in await pipeline.execute())
        except NoPermissionError:
            return None
        except _FAILURES as error:
            raise self._explained(error, in_doubt=False) from error
        return total

    def _connected(self) -> Connections:
        loop = asyncio.get_running_loop()
        connections = self._connections.get(loop)
        if connections is None:
            with self._lock:
                if self._is_closed:
                    raise StoreUnavailable(f"the store of {self.shown} is closed: open another one.", key=self.shown)
                for each in [each for each in self._connections if each.is_closed()]:
                    del self._connections[each]
                connections = Connections(self._address, self._max_connections, self._timeout_s)
                self._connections[loop] = connections
        return connections

    async def close(self) -> None:
        """Close the connections of every event loop that still runs, when their calls are done."""
        with self._lock:
            self._is_closed = True
            closing, self._connections = self._connections, {}
        here = asyncio.get_running_loop()
        for loop, connections in closing.items():
            if loop is here:
                await connections.close()
            elif loop.is_running():
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(connections.close(), loop))

    def _explained(self, error: Exception, *, in_doubt: bool) -> StoreUnavailable:
        told = f"{type(error).__name__}: {str(error).splitlines()[0]}" if str(error) else type(error).__name__
        end = "Nothing was written"
        if in_doubt:
            words = f"went away while it was written to ({told})"
            end = "Whether that was done is not known. Look first; a message may be sent again under its message_id"
        elif isinstance(error, (AuthenticationError, AuthorizationError, NoPermissionError)):
            words = f"refuses this user ({told}): check the user, the password and their permissions"
        elif isinstance(error, OutOfMemoryError):
            words = "has no memory left: make room, or raise its maxmemory"
        elif isinstance(error, ReadOnlyError):
            words = "is a read-only replica: give the URL of the primary server"
        elif _NONE_FREE in told:
            words = (
                f"has all {self._max_connections} connections of this event loop in use for {self._timeout_s:g} s: "
                f"raise max_connections, or do less at once"
            )
        elif isinstance(error, _LOST):
            words = f"cannot be reached ({told}): check that the server runs, and the URL's host and port"
        else:
            words = f"could not be used ({told})"
        return StoreUnavailable(f"{self.shown} {words}. {end}.", key=self.shown)


def _was_sent(error: Exception) -> bool:
    """Whether the server may have run what was asked, though no answer came."""
    if isinstance(error, (AuthenticationError, AuthorizationError, BusyLoadingError)):
        return False
    return not any(words in str(error) for words in (_NONE_FREE, _NOT_CONNECTED))
