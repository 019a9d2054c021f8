"""Conversations in the memory of this process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from agent_runtime_core.errors import ConfigError, StoreConflict
from agent_runtime_core.interfaces.checkpoints import Checkpoint
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores.arguments import check_texts, check_window
from agent_runtime_core.stores.json_data import ATOMS, check_json_object, checked_copy, fresh_copy

__all__ = ["InMemoryCheckpointStore"]

# A message without anything in it that can change is kept as it is; one with lists or dicts in it, in a tuple. So
# reading knows at a glance which copies have to go deep.
_KeptMessage = MessageDict | tuple[MessageDict]


class _Conversation:
    __slots__ = ("messages", "states", "version")

    def __init__(self) -> None:
        self.version = 0
        self.messages: list[_KeptMessage] = []
        self.states: dict[str, dict[str, Any]] = {}


class InMemoryCheckpointStore:
    """A store that lives and dies with its process.

    Threads may share it. Closing it does nothing: what it holds stays readable.

    Args:
        max_conversations: How many conversations are kept. Beyond that the ones that were longest neither loaded
            nor committed to are dropped, whole and without notice; a run that is on in one of them ends in a
            `StoreConflict`. None keeps all.

    Raises:
        ConfigError: `max_conversations` is less than 1.
    """

    def __init__(self, max_conversations: int | None = None) -> None:
        if max_conversations is not None and max_conversations < 1:
            raise ConfigError(f"max_conversations is {max_conversations}; give 1 or more, or None to keep all.")
        self.max_conversations = max_conversations
        self._conversations: OrderedDict[str, _Conversation] = OrderedDict()
        self._lock = threading.Lock()

    async def load(self, conversation_id: str, agent_key: str, *, max_messages: int | None = None) -> Checkpoint:
        """Read version, state and the last messages; see `CheckpointStore.load`."""
        check_texts(conversation_id, agent_key)
        with self._lock:
            conversation = self._touched(conversation_id)
            if conversation is None:
                return Checkpoint()
            kept = conversation.messages
            if max_messages is not None:
                check_window("max_messages", max_messages)
                kept = kept[-max_messages:] if max_messages else []
            state = conversation.states.get(agent_key)
            return Checkpoint(
                version=conversation.version,
                state=None if state is None else fresh_copy(state),
                messages=[_given(message) for message in kept],
                message_count=len(conversation.messages),
            )

    async def commit(
        self,
        conversation_id: str,
        agent_key: str,
        *,
        expected_version: int | None,
        state: dict[str, Any] | None = None,
        messages: Sequence[MessageDict] = (),
    ) -> int:
        """Append the messages and set the state; see `CheckpointStore.commit`."""
        check_texts(conversation_id, agent_key)
        if state is not None:
            state = _object_copy(state, "state")
        new_messages = [_kept(message, position) for position, message in enumerate(messages)]
        with self._lock:
            conversation = self._touched(conversation_id)
            found_version = 0 if conversation is None else conversation.version
            if expected_version is not None and expected_version != found_version:
                raise StoreConflict(conversation_id, expected_version, found_version)
            if conversation is None:
                conversation = self._added(conversation_id)
            if state is not None:
                conversation.states[agent_key] = state
            conversation.messages += new_messages
            conversation.version = found_version + 1
            return conversation.version

    async def history(self, conversation_id: str, *, start: int = 0, limit: int | None = None) -> list[MessageDict]:
        """The stored messages from position `start`; see `CheckpointStore.history`."""
        check_texts(conversation_id)
        check_window("start", start)
        if limit is not None:
            check_window("limit", limit)
        with self._lock:
            conversation = self._conversations.get(conversation_id)
            if conversation is None:
                return []
            return [
                _given(message) for message in conversation.messages[start : None if limit is None else start + limit]
            ]

    async def delete_state(self, conversation_id: str, agent_key: str) -> bool:
        """Remove one agent's state; see `CheckpointStore.delete_state`."""
        check_texts(conversation_id, agent_key)
        with self._lock:
            conversation = self._conversations.get(conversation_id)
            if conversation is None or conversation.states.pop(agent_key, None) is None:
                return False
            conversation.version += 1
            return True

    async def delete_messages(self, conversation_id: str) -> int:
        """Remove all messages; see `CheckpointStore.delete_messages`."""
        check_texts(conversation_id)
        with self._lock:
            conversation = self._conversations.get(conversation_id)
            if conversation is None or not conversation.messages:
                return 0
            removed = len(conversation.messages)
            conversation.messages = []
            conversation.version += 1
            return removed

    async def delete(self, conversation_id: str) -> bool:
        """Remove the conversation; see `CheckpointStore.delete`."""
        check_texts(conversation_id)
        with self._lock:
            return self._conversations.pop(conversation_id, None) is not None

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

    def _touched(self, conversation_id: str) -> _Conversation | None:
        """The conversation, now the last one in line to be dropped."""
        conversation = self._conversations.get(conversation_id)
        if conversation is not None and self.max_conversations is not None:
            self._conversations.move_to_end(conversation_id)
        return conversation

    def _added(self, conversation_id: str) -> _Conversation:
        conversation = self._conversations[conversation_id] = _Conversation()
        if self.max_conversations is not None and len(self._conversations) > self.max_conversations:
            self._conversations.popitem(last=False)
        return conversation


def _kept(message: MessageDict, position: int) -> _KeptMessage:
    if message.__class__ is dict:
        for key, value in message.items():
            if value.__class__ not in ATOMS or key.__class__ is not str:
                break
        else:
            return message.copy()
    return (_object_copy(message, f"messages[{position}]"),)


def _object_copy(value: dict[str, Any], name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        check_json_object(value, name)
    copy: dict[str, Any] = checked_copy(value, name)
    return copy


def _given(message: _KeptMessage) -> MessageDict:
    if isinstance(message, dict):
        return message.copy()
    copy: MessageDict = fresh_copy(message[0])
    return copy
