"""The Redis store as its users see it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from agent_runtime_core.errors import (
    ConfigError,
    ConversationBusy,
    LeaseLost,
    StoreConflict,
    StoreUnavailable,
    VersionNotFound,
)
from agent_runtime_core.interfaces.checkpoint import Checkpoint, ConversationInfo, Removal, StoreInfo, VersionInfo
from agent_runtime_core.interfaces.turns import Answered, Begun, OnBusy, TurnAnswer, Waiting
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores.arguments import (
    KEEP_VERSIONS,
    check_begin,
    check_finish,
    check_keep_versions,
    check_texts,
    check_window,
)
from agent_runtime_core.stores.json_data import encoded
from agent_runtime_core.stores.lease import new_lease
from agent_runtime_core.stores.redis import listing
from agent_runtime_core.stores.redis.address import read_address
from agent_runtime_core.stores.redis.calls import Calls
from agent_runtime_core.stores.redis.damage import readable_messages, readable_result, readable_versions
from agent_runtime_core.stores.redis.loading import checkpoint_of
from agent_runtime_core.stores.redis.names import as_bytes, name_of
from agent_runtime_core.stores.redis.replies import Row
from agent_runtime_core.stores.redis.server import Server

__all__ = ["RedisCheckpointStore"]

_ALL = -1
_MOST = 2**53 - 1
"""Beyond that, a script's numbers are not whole any more; nothing stored is."""


class RedisCheckpointStore:
    """A store on a Redis server, which any number of processes may share.

    Each call is one script on the server, so it happens whole or not at all, and leases go by the server's clock.

    How durable a commit is, is the server's setting: with `appendonly yes` and `appendfsync always` it is on disk
    before the call returns; with `appendfsync everysec` a crash of the machine loses about the last second; with
    snapshots only, all since the last one. A replica that takes over may lack the last commits. The server has to
    keep what it is given: `maxmemory-policy noeviction`, otherwise parts of conversations vanish under memory
    pressure. Redis 6.2 or newer.

    Redis Cluster is not supported: all keys of a conversation share a hash tag, but the index of conversations and
    the counters are written with them, and are in another slot.

    Args:
        url: `redis://user:password@host:6379/0`, or `rediss://` for TLS, which takes `ssl_ca_certs`, `ssl_certfile`
            and `ssl_keyfile` behind a question mark. The other arguments may stand there, too.
        key_prefix: What all keys begin with.
        keep_versions: How many versions of each conversation can be gone back to; None keeps all.
        max_connections: How many connections an event loop may have; who needs another one waits.
        timeout_s: Seconds to wait for a connection, and for an answer.

    Raises:
        ConfigError: The URL cannot be read, or a number is too small.
    """

    def __init__(
        self,
        url: str = "redis://localhost:6379/0",
        *,
        key_prefix: str = "agent_runtime:",
        keep_versions: int | None = KEEP_VERSIONS,
        max_connections: int = 50,
        timeout_s: float = 30.0,
    ) -> None:
        address = read_address(url)
        key_prefix = address.options.get("key_prefix", key_prefix)
        keep_versions = address.options.get("keep_versions", keep_versions)
        max_connections = address.options.get("max_connections", max_connections)
        timeout_s = address.options.get("timeout_s", timeout_s)
        if max_connections < 1:
            raise ConfigError(f"max_connections is {max_connections}; give 1 or more.")
        if not timeout_s > 0:
            raise ConfigError(f"timeout_s is {timeout_s}; give more than 0.")
        keep = check_keep_versions(keep_versions) or 0
        self._server = Server(address, max_connections, timeout_s)
        self._call = Calls(self._server, key_prefix, keep)

    async def load(
        self,
        conversation_id: str,
        agent_key: str,
        *,
        max_messages: int | None = None,
        at_version: int | None = None,
        owner: str = "",
    ) -> Checkpoint:
        """Read version, state and the last messages; see `CheckpointStore.load`."""
        check_texts(conversation_id, agent_key, owner)
        at = "" if at_version is None else _within(at_version)
        status, *reply = await self._call(
            "load", owner, conversation_id, as_bytes(agent_key), _window(max_messages), at, kind="read"
        )
        if status == b"missing":
            raise VersionNotFound(conversation_id, at_version or 0)
        return await checkpoint_of(self._call, conversation_id, owner, agent_key, Row(*reply[0]))

    async def begin(
        self,
        conversation_id: str,
        agent_key: str,
        *,
        message: MessageDict,
        message_id: str,
        remember: bool,
        lease_seconds: float,
        on_busy: OnBusy = "queue",
        max_messages: int | None = None,
        owner: str = "",
    ) -> TurnAnswer:
        """Store a user's message and begin its run if it is its turn; see `CheckpointStore.begin`."""
        check_texts(conversation_id, agent_key, message_id, owner)
        check_begin(on_busy, lease_seconds)
        lease, own_id = new_lease(), as_bytes(message_id)
        status, *reply = await self._call(
            "begin",
            owner,
            conversation_id,
            as_bytes(agent_key),
            own_id,
            encoded(message, "message"),
            int(remember),
            float(lease_seconds),
            on_busy,
            _window(max_messages),
            lease,
            kind="again",
        )
        if status == b"waiting":
            return Waiting(ahead=reply[0])
        if status == b"begun":
            placed, row = reply
            try:
                checkpoint = await checkpoint_of(self._call, conversation_id, owner, agent_key, Row(*row))
            except StoreUnavailable:
                await self.release(conversation_id, lease, owner=owner)  # so that somebody may go back at once
                raise
            return Begun(lease=lease, checkpoint=checkpoint, placed=int(placed))
        version, messages, result, remembered, start = reply
        answer = Answered(
            version=version,
            messages=readable_messages(conversation_id, start, messages),
            result=readable_result(conversation_id, result),
        )
        if remembered == b"0":  # a call of its own, so that an answer that is lost on its way is not forgotten
            await self._call("forget", owner, conversation_id, own_id, kind="again")
        return answer

    async def commit(
        self,
        conversation_id: str,
        agent_key: str,
        *,
        expected_version: int | None,
        state: dict[str, Any] | None = None,
        state_version: int = 0,
        messages: Sequence[MessageDict] = (),
        lease: int | None = None,
        finish: dict[str, Any] | None = None,
        owner: str = "",
    ) -> int:
        """Append the messages and set the state; see `CheckpointStore.commit`."""
        check_texts(conversation_id, agent_key, owner)
        check_finish(lease, finish)
        status, version = await self._call(
            "commit",
            owner,
            conversation_id,
            as_bytes(agent_key),
            "" if expected_version is None else expected_version,
            "" if lease is None else lease,
            secrets.token_bytes(8),
            state_version,
            "" if state is None else encoded(state, "state"),
            "" if finish is None else encoded(finish, "finish"),
            *(encoded(message, f"messages[{position}]") for position, message in enumerate(messages)),
            kind="again",
        )
        if status == b"lost":
            raise LeaseLost(conversation_id, expected_version, version)
        if status == b"conflict":
            raise StoreConflict(conversation_id, expected_version or 0, version)
        return int(version)

    async def renew(self, conversation_id: str, lease: int, *, lease_seconds: float, owner: str = "") -> bool:
        """Let the lease hold on; see `CheckpointStore.renew`."""
        check_begin("queue", lease_seconds)
        check_texts(conversation_id, owner)
        _, held = await self._call("renew", owner, conversation_id, lease, float(lease_seconds), kind="again")
        return bool(held)

    async def release(self, conversation_id: str, lease: int, *, owner: str = "") -> None:
        """End the lease; see `CheckpointStore.release`."""
        check_texts(conversation_id, owner)
        await self._call("release", owner, conversation_id, lease, kind="again")

    async def withdraw(self, conversation_id: str, message_id: str, *, owner: str = "") -> bool:
        """Take back a message that waits; see `CheckpointStore.withdraw`."""
        check_texts(conversation_id, message_id, owner)
        _, taken = await self._call("withdraw", owner, conversation_id, as_bytes(message_id))
        return bool(taken)

    async def history(
        self, conversation_id: str, *, start: int = 0, limit: int | None = None, owner: str = ""
    ) -> list[MessageDict]:
        """The stored messages from position `start`; see `CheckpointStore.history`."""
        check_texts(conversation_id, owner)
        check_window("start", start)
        if limit is not None:
            check_window("limit", limit)
        if limit == 0:
            return []
        stop = -1 if limit is None else _within(start + limit - 1)
        _, rows = await self._call("history", owner, conversation_id, _within(start), stop, kind="read")
        return readable_messages(conversation_id, start, rows)

    async def conversations(
        self,
        *,
        owner: str | None = None,
        updated_before: datetime | None = None,
        after: tuple[str, str] | None = None,
        limit: int = 100,
    ) -> list[ConversationInfo]:
        """What conversations there are; see `CheckpointStore.conversations`.

        Read in pieces of some hundreds, each of one moment, so that the server is never busy with it for long.
        """
        check_window("limit", limit)
        return await listing.conversations(self._call, owner, updated_before, after, limit)

    async def versions(self, conversation_id: str, *, owner: str = "") -> list[VersionInfo]:
        """The commits that can be gone back to; see `CheckpointStore.versions`."""
        check_texts(conversation_id, owner)
        _, rows = await self._call("versions", owner, conversation_id, kind="read")
        return readable_versions(conversation_id, rows)

    async def rewind(self, conversation_id: str, version: int, *, owner: str = "") -> int:
        """Go back to a version; see `CheckpointStore.rewind`."""
        check_texts(conversation_id, owner)
        status, *reply = await self._call("rewind", owner, conversation_id, _within(version))
        if status == b"missing":
            raise VersionNotFound(conversation_id, version, has_conversation=reply[0] > 0)
        if status == b"busy":
            raise ConversationBusy(conversation_id)
        return int(reply[0])

    async def fork(
        self, conversation_id: str, new_conversation_id: str, *, version: int | None = None, owner: str = ""
    ) -> int:
        """Copy a conversation as it was at a version; see `CheckpointStore.fork`."""
        check_texts(conversation_id, new_conversation_id, owner)
        copy = name_of(owner, new_conversation_id)
        status, *reply = await self._call(
            "fork",
            owner,
            conversation_id,
            "" if version is None else _within(version),
            copy,
            more_keys=(self._call.base(copy),),
        )
        if status == b"missing":
            raise VersionNotFound(conversation_id, version or 0, has_conversation=reply[0] > 0)
        if status == b"conflict":
            raise StoreConflict(new_conversation_id, 0, reply[0], is_copy=True)
        return int(reply[0])

    async def delete_state(self, conversation_id: str, agent_key: str, *, owner: str = "") -> bool:
        """Remove one agent's state; see `CheckpointStore.delete_state`."""
        check_texts(conversation_id, agent_key, owner)
        _, removed = await self._call("delete_state", owner, conversation_id, as_bytes(agent_key))
        return bool(removed)

    async def delete_messages(self, conversation_id: str, *, owner: str = "") -> int:
        """Remove all messages; see `CheckpointStore.delete_messages`."""
        check_texts(conversation_id, owner)
        _, removed = await self._call("delete_messages", owner, conversation_id)
        return int(removed)

    async def delete(self, conversation_id: str, *, owner: str = "", expected_version: int | None = None) -> Removal:
        """Remove the conversation; see `CheckpointStore.delete`."""
        check_texts(conversation_id, owner)
        expected: int | str = "" if expected_version is None else expected_version
        status, *reply = await self._call("delete", owner, conversation_id, expected)
        if status == b"conflict":
            raise StoreConflict(conversation_id, expected_version or 0, reply[0])
        conversations, messages, states, waiting = reply
        return Removal(conversations=conversations, messages=messages, states=states, waiting=waiting)

    async def info(self) -> StoreInfo:
        """How much the store holds, asking for the size of key after key; see `CheckpointStore.info`."""
        _, conversations, messages = await self._call("info", "", "", kind="read")
        return StoreInfo(
            backend="redis",
            conversations=conversations,
            messages=int(messages),
            size_bytes=await self._server.size(self._call.prefix),
        )

    async def close(self) -> None:
        """Close the connections of all event loops, when their calls are done; the store cannot be used afterwards."""
        await self._server.close()

    async def __aenter__(self) -> Self:
        """The store itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()


def _window(max_messages: int | None) -> int:
    return _ALL if max_messages is None else min(check_window("max_messages", max_messages), _MOST)


def _within(number: int) -> int:
    return max(-1, min(number, _MOST))
