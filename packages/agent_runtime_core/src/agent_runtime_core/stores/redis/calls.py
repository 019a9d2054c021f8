"""Calls of the script, with the keys that belong to a conversation."""

from __future__ import annotations

from typing import Any

from agent_runtime_core.stores.redis.names import as_bytes, name_of
from agent_runtime_core.stores.redis.server import Kind, Server

__all__ = ["Calls"]


class Calls:
    """The calls of a store.

    Args:
        server: Where they go.
        key_prefix: What all keys begin with.
        keep: How many versions of each conversation are kept; 0 for all.
    """

    def __init__(self, server: Server, key_prefix: str, keep: int) -> None:
        self._server = server
        self._keep = keep
        self.prefix = as_bytes(key_prefix)

    def base(self, name: bytes) -> bytes:
        """What the keys of a conversation begin with; the length keeps two names from running into one key."""
        return b"%s{%d:%s}" % (self.prefix, len(name), name)

    async def __call__(
        self,
        call: str,
        owner: str,
        conversation_id: str,
        *arguments: str | bytes | float,
        more_keys: tuple[bytes, ...] = (),
        kind: Kind = "once",
    ) -> list[Any]:
        """What the script answers; see `Server.call`.

        Raises:
            StoreUnavailable: The server cannot be reached, or refuses.
        """
        name = name_of(owner, conversation_id)
        keys = (self.base(name), self.prefix + b"index", self.prefix + b"totals", *more_keys)
        return await self._server.call(keys, (call, name, self._keep, *arguments), kind)
