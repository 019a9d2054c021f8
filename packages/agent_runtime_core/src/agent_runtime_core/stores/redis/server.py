"""Talking to the server: one script for all calls, connections for each event loop, errors in our words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from hashlib import sha1
from importlib.resources import files
from typing import Any, Literal

from redis.asyncio import Redis
from redis.asyncio.connection import BlockingConnectionPool, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
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
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Redis | None = None
        self._life: AsyncGenerator[None, None] | None = None

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
            StoreUnavailable: The server cannot be reached, or refuses.
        """
        client = await self._connected()
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
        client = await self._connected()
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

    async def _connected(self) -> Redis:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._loop = loop
            self._client = client = Redis(connection_pool=self._pool())
            self._life = _life(client)
            await anext(self._life)
        return self._client

    def _pool(self) -> BlockingConnectionPool:
        more: dict[str, Any] = {"connection_class": SSLConnection} if self._address.tls else {}
        return BlockingConnectionPool(
            max_connections=self._max_connections,
            timeout=self._timeout_s,
            socket_timeout=self._timeout_s,
            socket_connect_timeout=self._timeout_s,
            driver_info=None,  # it would be looked up on disk for each connection
            # Repeating is ours: we know which calls may be made twice.
            retry=Retry(NoBackoff(), 0),
            **more,
            **self._address.connection,
        )

    async def close(self) -> None:
        """Close the connections of this event loop; those of a loop that has ended were closed with it."""
        life, self._life, self._client = self._life, None, None
        if life is not None and self._loop is asyncio.get_running_loop():
            await life.aclose()

    def _explained(self, error: Exception, *, in_doubt: bool) -> StoreUnavailable:
        told = f"{type(error).__name__}: {str(error).splitlines()[0]}" if str(error) else type(error).__name__
        end = "Nothing was written"
        if in_doubt:
            words = f"went away while it was written to ({told})"
            end = "Whether that was done is not known; look first"
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


async def _life(client: Redis) -> AsyncGenerator[None, None]:
    """Closes the client with its event loop, as `asyncio.run` closes every generator that was begun in it."""
    try:
        yield
    finally:
        await client.aclose(close_connection_pool=True)
