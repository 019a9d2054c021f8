"""The store in Django's database as its users see it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import (
    Checkpoint,
    ConversationInfo,
    OnBusy,
    Removal,
    StoreInfo,
    TurnAnswer,
    VersionInfo,
)
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores.arguments import (
    check_begin,
    check_finish,
    check_keep_versions,
    check_texts,
    check_window,
)
from agent_runtime_core.stores.lease import new_lease
from django_agent_runtime.conf import runtime_settings
from django_agent_runtime.models.documents import to_document
from django_agent_runtime.stores import housekeeping, listing, reading
from django_agent_runtime.stores.commits import Commit
from django_agent_runtime.stores.database import Database
from django_agent_runtime.stores.head import ALL
from django_agent_runtime.stores.turns import Turn

__all__ = ["DjangoCheckpointStore"]

_OF_THE_SETTINGS: Any = object()


class DjangoCheckpointStore:
    """A store in Django's database; `AgentConversation` is the face of each conversation in it.

    A conversation whose id is a UUID, and that has no owner in the store's sense, is the `AgentConversation` of this
    `id`; others have an id of their own there. Whose it is in the project's sense (`user`, `anonymous_session`), its
    title and its metadata are the project's, and a new one has none of them.

    Within a transaction of Django's, a call is part of it and goes with it. It is the ORM's own way to work: calls run
    in the thread of the request, and so in a test case's transaction.

    Args:
        using: The alias in `DATABASES`; None leaves it to the project's routers.
        keep_versions: How many versions of each conversation can be gone back to; None keeps all. By default that of
            the settings, `KEEP_VERSIONS`.

    Raises:
        ConfigError: `keep_versions` is less than 1.
    """

    def __init__(self, using: str | None = None, *, keep_versions: int | None = _OF_THE_SETTINGS) -> None:
        if keep_versions is _OF_THE_SETTINGS:
            keep_versions = runtime_settings().KEEP_VERSIONS
        self._keep = check_keep_versions(keep_versions) or ALL
        self._database = Database(using)

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
            lambda alias: reading.read_checkpoint(
                alias, owner, conversation_id, agent_key, max_messages, at_version=at_version, keep=self._keep
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
        """Store a user's message and begin its run if it is its turn; see `CheckpointStore.begin`.

        Where `message_id` is the id of an `AgentRun` of this conversation, what the run writes is marked as its own.
        """
        check_texts(conversation_id, agent_key, message_id, owner)
        check_begin(on_busy, lease_seconds)
        if max_messages is not None:
            check_window("max_messages", max_messages)
        turn = Turn(
            owner=owner,
            conversation_id=conversation_id,
            agent_key=agent_key,
            message_id=message_id,
            body=to_document(message, "message"),
            remember=remember,
            lease_seconds=float(lease_seconds),
            on_busy=on_busy,
            max_messages=max_messages,
            lease=new_lease(),
            keep=self._keep,
        )
        answer = await self._database.run(turn.begin)
        if isinstance(answer, StoreUnavailable):
            raise answer
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
            state=None if state is None else to_document(state, "state"),
            state_version=state_version,
            messages=[to_document(each, f"messages[{position}]") for position, each in enumerate(messages)],
            lease=lease,
            finish=None if finish is None else to_document(finish, "finish"),
            keep=self._keep,
        )
        return await self._database.run(commit.write)

    async def renew(self, conversation_id: str, lease: int, *, lease_seconds: float, owner: str = "") -> bool:
        """Let the lease hold on; see `CheckpointStore.renew`."""
        check_begin("queue", lease_seconds)
        return await self._database.run(
            lambda alias: housekeeping.renew(alias, owner, conversation_id, lease, float(lease_seconds))
        )

    async def release(self, conversation_id: str, lease: int, *, owner: str = "") -> None:
        """End the lease; see `CheckpointStore.release`."""
        await self._database.run(lambda alias: housekeeping.release(alias, owner, conversation_id, lease))

    async def withdraw(self, conversation_id: str, message_id: str, *, owner: str = "") -> bool:
        """Take back a message that waits; see `CheckpointStore.withdraw`."""
        return await self._database.run(lambda alias: housekeeping.withdraw(alias, owner, conversation_id, message_id))

    async def history(
        self, conversation_id: str, *, start: int = 0, limit: int | None = None, owner: str = ""
    ) -> list[MessageDict]:
        """The stored messages from position `start`; see `CheckpointStore.history`."""
        check_texts(conversation_id, owner)
        check_window("start", start)
        if limit is not None:
            check_window("limit", limit)
        return await self._database.run(lambda alias: reading.read_history(alias, owner, conversation_id, start, limit))

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
        return await self._database.run(
            lambda alias: listing.list_conversations(alias, owner, updated_before, after, limit)
        )

    async def versions(self, conversation_id: str, *, owner: str = "") -> list[VersionInfo]:
        """The commits that can be gone back to; see `CheckpointStore.versions`."""
        check_texts(conversation_id, owner)
        return await self._database.run(lambda alias: listing.list_versions(alias, owner, conversation_id, self._keep))

    async def rewind(self, conversation_id: str, version: int, *, owner: str = "") -> int:
        """Go back to a version; see `CheckpointStore.rewind`."""
        check_texts(conversation_id, owner)
        return await self._database.run(
            lambda alias: housekeeping.rewind(alias, owner, conversation_id, version, self._keep)
        )

    async def fork(
        self, conversation_id: str, new_conversation_id: str, *, version: int | None = None, owner: str = ""
    ) -> int:
        """Copy a conversation as it was at a version; see `CheckpointStore.fork`."""
        check_texts(conversation_id, new_conversation_id, owner)
        return await self._database.run(
            lambda alias: housekeeping.fork(alias, owner, conversation_id, new_conversation_id, version, self._keep)
        )

    async def delete_state(self, conversation_id: str, agent_key: str, *, owner: str = "") -> bool:
        """Remove one agent's state; see `CheckpointStore.delete_state`."""
        check_texts(conversation_id, agent_key, owner)
        return await self._database.run(
            lambda alias: housekeeping.delete_state(alias, owner, conversation_id, agent_key, self._keep)
        )

    async def delete_messages(self, conversation_id: str, *, owner: str = "") -> int:
        """Remove all messages; see `CheckpointStore.delete_messages`."""
        check_texts(conversation_id, owner)
        return await self._database.run(
            lambda alias: housekeeping.delete_messages(alias, owner, conversation_id, self._keep)
        )

    async def delete(self, conversation_id: str, *, owner: str = "", expected_version: int | None = None) -> Removal:
        """Remove the conversation, with its runs; see `CheckpointStore.delete`."""
        check_texts(conversation_id, owner)
        return await self._database.run(
            lambda alias: housekeeping.delete(alias, owner, conversation_id, expected_version)
        )

    async def info(self) -> StoreInfo:
        """How much the store holds; see `CheckpointStore.info`."""
        return await self._database.run(listing.read_info)

    async def close(self) -> None:
        """Do nothing: the connections are Django's."""

    async def __aenter__(self) -> Self:
        """The store itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()
