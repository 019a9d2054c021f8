"""The PostgreSQL store as its users see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces.checkpoint import Checkpoint, ConversationInfo, Removal, StoreInfo, VersionInfo
from agent_runtime_core.interfaces.turns import Answered, OnBusy, TurnAnswer
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
from agent_runtime_core.stores.postgresql import checkpoints, housekeeping, listing
from agent_runtime_core.stores.postgresql.address import read_address
from agent_runtime_core.stores.postgresql.checkpoints import ALL
from agent_runtime_core.stores.postgresql.commits import Commit
from agent_runtime_core.stores.postgresql.database import Database
from agent_runtime_core.stores.postgresql.leases import release, renew
from agent_runtime_core.stores.postgresql.pool import PoolSettings
from agent_runtime_core.stores.postgresql.turns import Turn, forget

__all__ = ["PostgreSQLCheckpointStore"]

T = TypeVar("T")


class PostgreSQLCheckpointStore:
    """A store in a PostgreSQL database, which any number of processes may share.

    The tables are made by `agent-runtime store upgrade --store URL`, or `await upgrade(url)`. A call whose connection
    breaks is done again on a new one, unless that could do it twice. Event loops do not share connections. A store does
    not survive `os.fork()`: make one in each process.

    Args:
        url: `postgresql://user:password@host:5432/database`. Behind a question mark may stand options of the connection
            (`sslmode`, `sslrootcert`, `application_name`, ...) and those below, which then count more than an argument.
        pool_size: How many connections stay open, for each event loop that uses the store.
        max_overflow: How many more may be opened for a while.
        pool_timeout_s: How long a call waits for a connection when all are in use.
        keep_versions: How many versions of each conversation can be gone back to; None (in the URL `all`) keeps all.

    Raises:
        ConfigError: The URL cannot be read, or a number cannot work. No text shows the password.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        max_overflow: int = 0,
        pool_timeout_s: float = 30.0,
        keep_versions: int | None = KEEP_VERSIONS,
    ) -> None:
        address = read_address(url)
        options: dict[str, Any] = {
            "pool_size": pool_size,
            "max_overflow": max_overflow,
            "pool_timeout_s": pool_timeout_s,
            "keep_versions": keep_versions,
            **address.options,
        }
        settings = PoolSettings(
            address.dsn,
            _at_least(1, "pool_size", options["pool_size"]),
            _at_least(0, "max_overflow", options["max_overflow"]),
            _seconds("pool_timeout_s", options["pool_timeout_s"]),
        )
        self._keep = check_keep_versions(options["keep_versions"]) or ALL
        self._database = Database(settings, address.shown)

    async def check(self) -> None:
        """Make sure that the database can be used and has the tables that this version reads and writes.

        Raises:
            StoreUnavailable: It cannot be used, or its tables are missing, older or newer; the text says what to do.
        """
        await self._database.check()

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
        if max_messages is not None:
            check_window("max_messages", max_messages)
        return await self._database.run(
            lambda connection: checkpoints.read_checkpoint(
                connection, owner, conversation_id, agent_key, max_messages, at_version=at_version, keep=self._keep
            )
        )

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
        if max_messages is not None:
            check_window("max_messages", max_messages)
        turn = Turn(
            owner=owner,
            conversation_id=conversation_id,
            agent_key=agent_key,
            message_id=message_id,
            body=_bytes(encoded(message, "message")),
            remember=remember,
            lease_seconds=lease_seconds,
            on_busy=on_busy,
            max_messages=max_messages,
            lease=new_lease(),
            keep=self._keep,
        )
        answer: TurnAnswer | None = await self._database.run(turn.begin_free, writes=True)
        if answer is not None:
            return answer
        answer = await self._database.transaction(turn.begin, again=True)
        if isinstance(answer, Answered) and not remember:
            await self._on(forget, owner, conversation_id, message_id)
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
        commit = Commit(
            owner=owner,
            conversation_id=conversation_id,
            agent_key=agent_key,
            expected_version=expected_version,
            state=None if state is None else _bytes(encoded(state, "state")),
            state_version=state_version,
            messages=[_bytes(encoded(each, f"messages[{position}]")) for position, each in enumerate(messages)],
            lease=lease,
            finish=None if finish is None else _bytes(encoded(finish, "finish")),
            token=new_lease(),
            keep=self._keep,
        )
        return await self._database.run(commit.write, writes=True)

    async def renew(self, conversation_id: str, lease: int, *, lease_seconds: float, owner: str = "") -> bool:
        """Let the lease hold on; see `CheckpointStore.renew`."""
        check_begin("queue", lease_seconds)
        return await self._on(renew, owner, conversation_id, lease, lease_seconds)

    async def release(self, conversation_id: str, lease: int, *, owner: str = "") -> None:
        """End the lease; see `CheckpointStore.release`."""
        await self._on(release, owner, conversation_id, lease)

    async def withdraw(self, conversation_id: str, message_id: str, *, owner: str = "") -> bool:
        """Take back a message that waits; see `CheckpointStore.withdraw`."""
        return await self._within(housekeeping.withdraw, owner, conversation_id, message_id)

    async def history(
        self, conversation_id: str, *, start: int = 0, limit: int | None = None, owner: str = ""
    ) -> list[MessageDict]:
        """The stored messages from position `start`; see `CheckpointStore.history`."""
        check_texts(conversation_id, owner)
        check_window("start", start)
        if limit is not None:
            check_window("limit", limit)
        return await self._on(checkpoints.read_history, owner, conversation_id, start, limit)

    async def conversations(
        self,
        *,
        owner: str | None = None,
        updated_before: datetime | None = None,
        after: tuple[str, str] | None = None,
        limit: int = 100,
    ) -> list[ConversationInfo]:
        """What conversations there are; see `CheckpointStore.conversations`."""
        check_window("limit", limit)
        return await self._on(listing.list_conversations, owner, updated_before, after, limit)

    async def versions(self, conversation_id: str, *, owner: str = "") -> list[VersionInfo]:
        """The commits that can be gone back to; see `CheckpointStore.versions`."""
        check_texts(conversation_id, owner)
        return await self._on(listing.list_versions, owner, conversation_id, self._keep)

    async def rewind(self, conversation_id: str, version: int, *, owner: str = "") -> int:
        """Go back to a version; see `CheckpointStore.rewind`."""
        check_texts(conversation_id, owner)
        return await self._within(housekeeping.rewind, owner, conversation_id, version, self._keep)

    async def fork(
        self, conversation_id: str, new_conversation_id: str, *, version: int | None = None, owner: str = ""
    ) -> int:
        """Copy a conversation as it was at a version; see `CheckpointStore.fork`."""
        check_texts(conversation_id, new_conversation_id, owner)
        return await self._within(housekeeping.fork, owner, conversation_id, new_conversation_id, version, self._keep)

    async def delete_state(self, conversation_id: str, agent_key: str, *, owner: str = "") -> bool:
        """Remove one agent's state; see `CheckpointStore.delete_state`."""
        check_texts(conversation_id, agent_key, owner)
        return await self._within(housekeeping.delete_state, owner, conversation_id, agent_key)

    async def delete_messages(self, conversation_id: str, *, owner: str = "") -> int:
        """Remove all messages; see `CheckpointStore.delete_messages`."""
        check_texts(conversation_id, owner)
        return await self._within(housekeeping.delete_messages, owner, conversation_id)

    async def delete(self, conversation_id: str, *, owner: str = "", expected_version: int | None = None) -> Removal:
        """Remove the conversation; see `CheckpointStore.delete`."""
        check_texts(conversation_id, owner)
        return await self._within(housekeeping.delete, owner, conversation_id, expected_version)

    async def info(self) -> StoreInfo:
        """How much the store holds; see `CheckpointStore.info`."""
        return await self._on(listing.read_info)

    async def close(self) -> None:
        """Wait for the calls that are on, and close the connections; later calls raise `StoreUnavailable`."""
        await self._database.close()

    async def __aenter__(self) -> Self:
        """The store itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

    async def _on(self, call: Callable[..., T], *arguments: Any) -> T:
        return await self._database.run(lambda connection: call(connection, *arguments))

    async def _within(self, call: Callable[..., T], *arguments: Any) -> T:
        return await self._database.transaction(lambda connection: call(connection, *arguments))


def _bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


def _at_least(least: int, name: str, value: Any) -> int:
    if not isinstance(value, int) or value < least:
        raise ConfigError(f"{name} is {value!r}; give {least} or more.")
    return value


def _seconds(name: str, value: Any) -> float:
    if not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise ConfigError(f"{name} is {value!r}; give seconds, more than 0.")
    return float(value)
