"""Removing a state, the messages, or all of a conversation."""

from __future__ import annotations

from agent_runtime_core.errors import StoreConflict
from agent_runtime_core.interfaces import Checkpoint, CheckpointStore, Removal
from agent_runtime_core.testing.contracts.refusal import refused

__all__ = ["StoreDeletions"]

HELLO = {"role": "user", "content": "hello"}
REPLY = {"role": "assistant", "content": "good day"}


class StoreDeletions:
    """The part of the contract about the three ways to delete, and about closing."""

    async def test_a_deleted_state_is_gone_and_the_rest_stays(self, store: CheckpointStore) -> None:
        await store.commit("c", "sales", expected_version=0, state={"n": 1}, messages=[HELLO])
        await store.commit("c", "claims", expected_version=1, state={"n": 2})

        assert await store.delete_state("c", "sales") is True

        assert await store.load("c", "sales") == Checkpoint(version=3, messages=[HELLO], message_count=1)
        assert (await store.load("c", "claims")).state == {"n": 2}

    async def test_deleting_a_state_that_is_not_there_changes_nothing(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, messages=[HELLO])

        assert await store.delete_state("c", "agent") is False
        assert await store.delete_state("nobody", "agent") is False
        assert (await store.load("c", "agent")).version == 1
        assert (await store.load("nobody", "agent")).version == 0

    async def test_deleted_messages_are_gone_and_states_stay(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, state={"n": 1}, messages=[HELLO, REPLY])

        assert await store.delete_messages("c") == 2

        assert await store.load("c", "agent") == Checkpoint(version=2, state={"n": 1})
        assert await store.history("c") == []

    async def test_deleting_messages_that_are_not_there_changes_nothing(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, state={"n": 1})

        assert await store.delete_messages("c") == 0
        assert await store.delete_messages("nobody") == 0
        assert (await store.load("c", "agent")).version == 1
        assert (await store.load("nobody", "agent")).version == 0

    async def test_messages_begin_anew_behind_deleted_ones(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, messages=[HELLO, HELLO])
        await store.delete_messages("c")

        await store.commit("c", "agent", expected_version=2, messages=[REPLY])

        assert await store.history("c", start=0) == [REPLY]
        assert (await store.load("c", "agent")).message_count == 1

    async def test_a_run_does_not_overwrite_a_deletion(self, store: CheckpointStore) -> None:
        # Given: a run that has read version 1
        await store.commit("c", "agent", expected_version=0, state={"n": 1}, messages=[HELLO])

        # When: state and messages are deleted before it commits
        await store.delete_state("c", "agent")
        await store.delete_messages("c")

        # Then
        conflict = await refused(store.commit("c", "agent", expected_version=1, state={"n": 2}), StoreConflict)
        assert conflict.found_version == 3

    async def test_a_deleted_conversation_leaves_nothing(self, store: CheckpointStore) -> None:
        await store.commit("c", "sales", expected_version=0, state={"n": 1}, messages=[HELLO])
        await store.commit("c", "claims", expected_version=1, state={"n": 2})
        await store.commit("another", "sales", expected_version=0, state={"n": 3}, messages=[REPLY])

        assert await store.delete("c") == Removal(conversations=1, messages=1, states=2)

        assert await store.load("c", "sales") == Checkpoint()
        assert await store.load("c", "claims") == Checkpoint()
        assert await store.history("c") == []
        assert await store.load("another", "sales") == Checkpoint(
            version=1, state={"n": 3}, messages=[REPLY], message_count=1
        )

    async def test_deleting_twice_says_so(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0)

        assert [bool(await store.delete("c")), bool(await store.delete("c"))] == [True, False]

    async def test_a_deleted_conversation_can_begin_again(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, state={"n": 1}, messages=[HELLO])
        await store.delete("c")

        assert await store.commit("c", "agent", expected_version=0, messages=[REPLY]) == 1
        assert await store.load("c", "agent") == Checkpoint(version=1, messages=[REPLY], message_count=1)

    async def test_closing_twice_is_closing_once(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, messages=[HELLO])

        await store.close()
        await store.close()
