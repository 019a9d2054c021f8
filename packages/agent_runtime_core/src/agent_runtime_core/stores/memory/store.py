"""The store in memory as its users see it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from agent_runtime_core.errors import ConfigError, ConversationBusy, StoreConflict, VersionNotFound
from agent_runtime_core.interfaces.checkpoint import Checkpoint, ConversationInfo, Removal, StoreInfo, VersionInfo
from agent_runtime_core.interfaces.turns import OnBusy, TurnAnswer
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores.arguments import (
    KEEP_VERSIONS,
    check_begin,
    check_finish,
    check_keep_versions,
    check_texts,
    check_window,
)
from agent_runtime_core.stores.memory.conversation import Conversation
from agent_runtime_core.stores.memory.kept_message import given, kept, object_copy
from agent_runtime_core.stores.memory.line import WaitingMessage

__all__ = ["InMemoryCheckpointStore"]


class InMemoryCheckpointStore:
    """A store that lives and dies with its process.

    Threads may share it. Closing it does nothing: what it holds stays readable.

    Args:
        max_conversations: How many conversations are kept. Beyond that the ones that were longest neither loaded
            nor written to are dropped, whole and without notice; a run that is on in one of them ends in a
            `LeaseLost`. None keeps all.
        keep_versions: How many versions of each conversation can be gone back to; None keeps all.
        clock: The time, in seconds since 1970.

    Raises:
        ConfigError: A number is less than 1.
    """

    def __init__(
        self,
        max_conversations: int | None = None,
        *,
        keep_versions: int | None = KEEP_VERSIONS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if max_conversations is not None and max_conversations < 1:
            raise ConfigError(f"max_conversations is {max_conversations}; give 1 or more, or None to keep all.")
        self.max_conversations = max_conversations
        self._keep_versions = check_keep_versions(keep_versions)
        self._clock = clock
        self._conversations: OrderedDict[tuple[str, str], Conversation] = OrderedDict()
        self._lock = threading.Lock()

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
        with self._lock:
            conversation = self._touched(owner, conversation_id)
            if conversation is None:
                if at_version:
                    raise VersionNotFound(conversation_id, at_version)
                return Checkpoint()
            return conversation.checkpoint(agent_key, max_messages, at_version)

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
        own = kept(message, "message")
        with self._lock:
            now = self._clock()
            waiting = WaitingMessage(message_id, own, remember, on_busy == "merge", now + lease_seconds, lease_seconds)
            conversation = self._touched(owner, conversation_id) or self._added(owner, conversation_id, now)
            return conversation.begin(agent_key, waiting, on_busy, max_messages, now)

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
        own_state = None if state is None else (state_version, object_copy(state, "state"))
        own_messages = [kept(message, f"messages[{position}]") for position, message in enumerate(messages)]
        own_finish = None if finish is None else object_copy(finish, "finish")
        with self._lock:
            now = self._clock()
            conversation = self._touched(owner, conversation_id)
            if conversation is None:
                conversation = Conversation(owner, conversation_id, now, self._keep_versions)
                conversation.check(expected_version, lease)
                self._add(owner, conversation_id, conversation)
            else:
                conversation.check(expected_version, lease)
            return conversation.commit(agent_key, own_state, own_messages, own_finish, now)

    async def renew(self, conversation_id: str, lease: int, *, lease_seconds: float, owner: str = "") -> bool:
        """Let the lease hold on; see `CheckpointStore.renew`."""
        check_begin("queue", lease_seconds)
        with self._lock:
            conversation = self._conversations.get((owner, conversation_id))
            if conversation is None or conversation.line.lease != lease:
                return False
            conversation.line.until, conversation.line.seconds = self._clock() + lease_seconds, lease_seconds
            return True

    async def release(self, conversation_id: str, lease: int, *, owner: str = "") -> None:
        """End the lease; see `CheckpointStore.release`."""
        with self._lock:
            conversation = self._conversations.get((owner, conversation_id))
            if conversation is not None and conversation.line.lease == lease:
                conversation.line.end_lease()

    async def withdraw(self, conversation_id: str, message_id: str, *, owner: str = "") -> bool:
        """Take back a message that waits; see `CheckpointStore.withdraw`."""
        with self._lock:
            conversation = self._conversations.get((owner, conversation_id))
            place = None if conversation is None else conversation.line.place_of(message_id)
            if conversation is None or place is None:
                return False
            del conversation.line.waiting[place]
            return True

    async def history(
        self, conversation_id: str, *, start: int = 0, limit: int | None = None, owner: str = ""
    ) -> list[MessageDict]:
        """The stored messages from position `start`; see `CheckpointStore.history`."""
        check_texts(conversation_id, owner)
        check_window("start", start)
        if limit is not None:
            check_window("limit", limit)
        with self._lock:
            conversation = self._conversations.get((owner, conversation_id))
            if conversation is None:
                return []
            stop = None if limit is None else start + limit
            return [given(message) for message in conversation.messages[start:stop]]

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
        with self._lock:
            found = [
                self._conversations[key].info()
                for key in sorted(self._conversations)
                if (owner is None or key[0] == owner) and (after is None or key > after)
            ]
        if updated_before is not None:
            found = [info for info in found if info.updated_at < updated_before]
        return found[:limit]

    async def versions(self, conversation_id: str, *, owner: str = "") -> list[VersionInfo]:
        """The commits that can be gone back to; see `CheckpointStore.versions`."""
        check_texts(conversation_id, owner)
        with self._lock:
            conversation = self._conversations.get((owner, conversation_id))
            return [] if conversation is None else conversation.versions()

    async def rewind(self, conversation_id: str, version: int, *, owner: str = "") -> int:
        """Go back to a version; see `CheckpointStore.rewind`."""
        check_texts(conversation_id, owner)
        with self._lock:
            now = self._clock()
            conversation = self._conversations.get((owner, conversation_id))
            if conversation is None:
                raise VersionNotFound(conversation_id, version, has_conversation=False)
            if conversation.line.is_busy(now):
                raise ConversationBusy(conversation_id)
            return conversation.rewind(version, now)

    async def fork(
        self, conversation_id: str, new_conversation_id: str, *, version: int | None = None, owner: str = ""
    ) -> int:
        """Copy a conversation as it was at a version; see `CheckpointStore.fork`."""
        check_texts(conversation_id, new_conversation_id, owner)
        with self._lock:
            conversation = self._conversations.get((owner, conversation_id))
            if conversation is None:
                raise VersionNotFound(conversation_id, version or 0, has_conversation=False)
            there = self._conversations.get((owner, new_conversation_id))
            if there is not None:
                raise StoreConflict(new_conversation_id, 0, there.version, is_copy=True)
            copy = conversation.fork(version, new_conversation_id, self._clock())
            self._add(owner, new_conversation_id, copy)
            return copy.version

    async def delete_state(self, conversation_id: str, agent_key: str, *, owner: str = "") -> bool:
        """Remove one agent's state; see `CheckpointStore.delete_state`."""
        check_texts(conversation_id, agent_key, owner)
        with self._lock:
            conversation = self._conversations.get((owner, conversation_id))
            return conversation is not None and conversation.delete_state(agent_key, self._clock())

    async def delete_messages(self, conversation_id: str, *, owner: str = "") -> int:
        """Remove all messages; see `CheckpointStore.delete_messages`."""
        check_texts(conversation_id, owner)
        with self._lock:
            conversation = self._conversations.get((owner, conversation_id))
            return 0 if conversation is None else conversation.delete_messages(self._clock())

    async def delete(self, conversation_id: str, *, owner: str = "", expected_version: int | None = None) -> Removal:
        """Remove the conversation; see `CheckpointStore.delete`."""
        check_texts(conversation_id, owner)
        with self._lock:
            conversation = self._conversations.get((owner, conversation_id))
            version = 0 if conversation is None else conversation.version
            if expected_version is not None and expected_version != version:
                raise StoreConflict(conversation_id, expected_version, version)
            if conversation is None:
                return Removal()
            del self._conversations[owner, conversation_id]
            return conversation.removal()

    async def info(self) -> StoreInfo:
        """How much the store holds; see `CheckpointStore.info`."""
        with self._lock:
            return StoreInfo(
                backend="memory",
                conversations=len(self._conversations),
                messages=sum(len(each.messages) for each in self._conversations.values()),
                size_bytes=None,
            )

    async def close(self) -> None:
        """Do nothing; there is nothing to free."""

    async def __aenter__(self) -> Self:
        """The store itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

    def _touched(self, owner: str, conversation_id: str) -> Conversation | None:
        """The conversation, now the last one in line to be dropped."""
        conversation = self._conversations.get((owner, conversation_id))
        if conversation is not None and self.max_conversations is not None:
            self._conversations.move_to_end((owner, conversation_id))
        return conversation

    def _added(self, owner: str, conversation_id: str, now: float) -> Conversation:
        conversation = Conversation(owner, conversation_id, now, self._keep_versions)
        self._add(owner, conversation_id, conversation)
        return conversation

    def _add(self, owner: str, conversation_id: str, conversation: Conversation) -> None:
        self._conversations[owner, conversation_id] = conversation
        if self.max_conversations is not None and len(self._conversations) > self.max_conversations:
            self._conversations.popitem(last=False)
