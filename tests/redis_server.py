"""Keys of their own for tests, on a Redis server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import redis

__all__ = ["SERVER", "ServerMissing", "connected", "new_prefix"]

SERVER = os.environ.get("AGENT_RUNTIME_TEST_REDIS", "redis://localhost:6379/0")
"""A server on which keys may be written and deleted."""


class ServerMissing(Exception):
    """No server answers."""


@contextmanager
def connected(url: str = SERVER) -> Iterator[redis.Redis]:
    """A client of the server, for looking and for disturbing.

    Raises:
        ServerMissing: No server answers.
    """
    client = redis.Redis.from_url(url.partition("?")[0], socket_timeout=10)
    try:
        client.ping()
    except (redis.RedisError, OSError) as error:
        raise ServerMissing(f"{type(error).__name__}: {error}") from error
    else:
        yield client
    finally:
        client.close()


@contextmanager
def new_prefix() -> Iterator[str]:
    """The URL of a server, with a prefix whose keys are deleted at the end.

    Raises:
        ServerMissing: No server answers.
    """
    prefix = f"agent_runtime_test_{uuid4().hex}:"
    with connected() as client:
        yield f"{SERVER}?key_prefix={prefix}"
        for key in client.scan_iter(f"{prefix}*", count=1000):
            client.unlink(key)
