"""What a store of conversations is: one version counter, an append-only history, one state per agent, one writer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from agent_runtime_core.interfaces.checkpoint import Checkpoint, ConversationInfo, Removal, StoreInfo, VersionInfo
from agent_runtime_core.interfaces.turns import OnBusy, TurnAnswer
from agent_runtime_core.messages import MessageDict

__all__ = ["CheckpointStore"]


class CheckpointStore(Protocol):
    """Keeps conversations: messages and, for each agent that takes part, its state.

    A conversation is named by its owner and its id; under another owner the same id is another conversation. It has
    one version, which every write to its messages or states raises by one. Values are JSON data (dicts with text
    keys, lists, texts, numbers, booleans, None); what is read back equals what was written and shares nothing with it.
    Ids are any non-empty texts; an owner is any text, `""` where there are no owners. All methods may be called from
    several tasks, from several processes where the store can be shared, and from different event loops, one after the
    other or each in its own thread. Each call happens whole or not at all, also when it is cancelled.

    **Runs.** `begin` stores a user's message and takes the conversation's lease; `commit(..., lease=)` writes under
    it; a commit with `finish`, or `release`, ends it. A lease whose time is over is free: the next `begin` takes it,
    and `rewind` ends it. Until then its holder, who was only slow, may renew it and commit. A token is never given
    twice, so what an overtaken run commits is refused.

    A message whose run did not finish keeps its id, whoever takes the lease: it is not stored a second time.

    `agent_runtime_core.testing.CheckpointStoreContract` is this text as tests.
    """

    async def load(
        self,
        conversation_id: str,
        agent_key: str,
        *,
        max_messages: int | None = None,
        at_version: int | None = None,
        owner: str = "",
    ) -> Checkpoint:
        """Read version, state and the last `max_messages` messages (None: all), all of one moment.

        Nothing stored gives `Checkpoint()`. The time it takes depends on the messages asked for, not on those stored.
        `at_version` reads the conversation as that commit left it.

        Raises:
            StoreUnavailable: The store cannot be read.
            VersionNotFound: There is no such version, or not any more.
        """
        ...

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
        """Store a user's message, each id once, and begin the run that answers it, if it is its turn.

        Who is told to wait calls again with the same arguments, at least every `lease_seconds`: whoever does not is
        taken to be gone, and the message goes into the next run, in its place. Messages have their turns in the order
        in which they came.

        - Nobody holds the lease, and no message that is still waited for is in front: the message is appended to the
          history, the lease taken, and `Begun` returned. With it go, in their order, the messages in front of it,
          whose senders are gone, and those directly behind it that wait with `merge`.
        - A message that an earlier run has stored but not answered: `Begun` with `placed` 0 as soon as nobody else
          holds the lease.
        - An answered one: `Answered`. The commit that finishes a run answers all messages of users that are in the
          history then.
        - Otherwise `Waiting`.

        Args:
            conversation_id: The conversation; it is created with its first message.
            agent_key: Whose state is read.
            message: The message.
            message_id: Names the message within the conversation.
            remember: Whether the id may come again once the message is answered: then its answer is kept as long as
                the conversation is. Otherwise the id is forgotten once the answer has been fetched: with the commit
                that finishes the run which this message began, or with `Answered`.
            lease_seconds: How long the lease holds when it is not renewed, and how long a waiting message counts as
                waited for. More than 0.
            on_busy: What becomes of the message when it has to wait; `reject` keeps nothing of it.
            max_messages: How many of the last messages to return; None for all.
            owner: Whose conversation it is.

        Raises:
            StoreUnavailable: The store cannot be read or written; nothing was written. Or the agent's state cannot be
                read: the message is stored, and the lease is free.
            TypeError: The message is not JSON data; nothing was written.
            ValueError: `on_busy` is none of the three, or `lease_seconds` not more than 0.
        """
        ...

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
        """Append the messages and set the agent's state, both or neither, and return the new version.

        Args:
            conversation_id: The conversation.
            agent_key: Whose state it is.
            expected_version: The version that was read; None writes whatever is there.
            state: The agent's new state; None leaves the stored one.
            state_version: The journey's version that wrote the state.
            messages: Messages to append; stored ones are never rewritten.
            lease: The token of the run that commits; None for a writer that is no run. Such a one may write while
                a run is on, which then meets a conflict.
            finish: What is known of the run that ends with this commit, as JSON data: the stored messages of users
                count as answered by it, and the lease ends. Only together with `lease`.
            owner: Whose conversation it is.

        Raises:
            LeaseLost: The lease is not the conversation's present one; nothing was written.
            StoreConflict: The stored version is another; nothing was written.
            TypeError: A value is not JSON data; nothing was written.
            ValueError: There is a `finish` without a `lease`.
            StoreUnavailable: The store cannot be written; nothing was written.
        """
        ...

    async def renew(self, conversation_id: str, lease: int, *, lease_seconds: float, owner: str = "") -> bool:
        """Let the lease hold for `lease_seconds` from now, and say whether it is still the conversation's.

        Raises:
            StoreUnavailable: The store cannot be written.
        """
        ...

    async def release(self, conversation_id: str, lease: int, *, owner: str = "") -> None:
        """End the lease; nothing happens when it is not the conversation's any more.

        Raises:
            StoreUnavailable: The store cannot be written.
        """
        ...

    async def withdraw(self, conversation_id: str, message_id: str, *, owner: str = "") -> bool:
        """Take back a message that waits, and say whether it still did. One that is in the history stays.

        Raises:
            StoreUnavailable: The store cannot be written.
        """
        ...

    async def history(
        self, conversation_id: str, *, start: int = 0, limit: int | None = None, owner: str = ""
    ) -> list[MessageDict]:
        """The stored messages from position `start` (the first is 0), oldest first, at most `limit`.

        Raises:
            StoreUnavailable: The store cannot be read.
        """
        ...

    async def conversations(
        self,
        *,
        owner: str | None = None,
        updated_before: datetime | None = None,
        after: tuple[str, str] | None = None,
        limit: int = 100,
    ) -> list[ConversationInfo]:
        """What conversations there are, by owner and then id, as texts are ordered by their code points.

        Args:
            owner: Only those of this owner; None for all.
            updated_before: Only those that were not written to since; an aware datetime.
            after: Owner and id of the last one of the page before; None begins with the first.
            limit: How many at most.

        Raises:
            StoreUnavailable: The store cannot be read.
        """
        ...

    async def versions(self, conversation_id: str, *, owner: str = "") -> list[VersionInfo]:
        """The commits of a conversation that can be gone back to, oldest first; `[]` for an unknown one.

        Raises:
            StoreUnavailable: The store cannot be read.
        """
        ...

    async def rewind(self, conversation_id: str, version: int, *, owner: str = "") -> int:
        """Go back to a version: later messages, states, answers and versions are gone. Returns the new version.

        A message whose answer is gone, or was cut, is unanswered again; one that is gone itself is unknown. What waits
        in line stays there. A lease whose time is over ends. No tool runs.

        Raises:
            VersionNotFound: There is no such version, or not any more.
            ConversationBusy: A run is on.
            StoreUnavailable: The store cannot be written.
        """
        ...

    async def fork(
        self, conversation_id: str, new_conversation_id: str, *, version: int | None = None, owner: str = ""
    ) -> int:
        """Copy a conversation as it was at a version (None: now) to a new id of the same owner; returns its version.

        Messages, the states of all agents and the versions up to there are copied; remembered message ids are not.

        Raises:
            VersionNotFound: There is no such version, or not any more.
            StoreConflict: There is a conversation of the new id.
            StoreUnavailable: The store cannot be written.
        """
        ...

    async def delete_state(self, conversation_id: str, agent_key: str, *, owner: str = "") -> bool:
        """Remove one agent's state and say whether there was one. Raises the version when there was.

        Raises:
            StoreUnavailable: The store cannot be written.
        """
        ...

    async def delete_messages(self, conversation_id: str, *, owner: str = "") -> int:
        """Remove all messages, keep the states, and return how many there were. Raises the version when there were any.

        Earlier versions cannot be gone back to any more. Message ids that were answered stay so, with nothing behind
        them; a message that was not answered is unknown when it comes again. What waits in line stays there.

        Raises:
            StoreUnavailable: The store cannot be written.
        """
        ...

    async def delete(self, conversation_id: str, *, owner: str = "", expected_version: int | None = None) -> Removal:
        """Remove the conversation with all that belongs to it, and say what there was.

        A run that is on is refused its next commit.

        Args:
            conversation_id: The conversation.
            owner: Whose conversation it is.
            expected_version: Remove it only at this version; None whatever it is.

        Raises:
            StoreConflict: The stored version is another; nothing was removed.
            StoreUnavailable: The store cannot be written.
        """
        ...

    async def info(self) -> StoreInfo:
        """How much the store holds, over all owners.

        Raises:
            StoreUnavailable: The store cannot be read.
        """
        ...

    async def close(self) -> None:
        """Free connections and threads; a second call does nothing. A store is an async context manager, too."""
        ...
