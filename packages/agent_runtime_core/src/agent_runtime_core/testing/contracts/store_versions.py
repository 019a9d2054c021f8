"""Every write raises a conversation's one version by one; a stale one writes nothing."""

from __future__ import annotations

from agent_runtime_core.errors import StoreConflict
from agent_runtime_core.interfaces import Checkpoint, CheckpointStore
from agent_runtime_core.testing.contracts.refusal import refused

__all__ = ["StoreVersions"]

HELLO = {"role": "user", "content": "hello"}
REPLY = {"role": "assistant", "content": "good day"}


class StoreVersions:
    """The part of the contract about versions and conflicts."""

    async def test_an_unknown_conversation_is_an_empty_checkpoint(self, store: CheckpointStore) -> None:
        assert await store.load("nobody", "agent") == Checkpoint()
        assert await store.history("nobody") == []

    async def test_looking_at_an_unknown_conversation_creates_nothing(self, store: CheckpointStore) -> None:
        await store.load("nobody", "agent")
        await store.history("nobody")

        assert not await store.delete("nobody")

    async def test_what_was_committed_is_loaded(self, store: CheckpointStore) -> None:
        version = await store.commit("c", "agent", expected_version=0, state={"step": "name"}, messages=[HELLO, REPLY])

        assert version == 1
        assert await store.load("c", "agent") == Checkpoint(
            version=1, state={"step": "name"}, messages=[HELLO, REPLY], message_count=2
        )

    async def test_versions_count_the_writes_of_a_conversation(self, store: CheckpointStore) -> None:
        versions = [
            await store.commit("c", "agent", expected_version=0, state={"n": 1}),
            await store.commit("c", "agent", expected_version=1, messages=[HELLO]),
            await store.commit("c", "agent", expected_version=2, state={"n": 2}, messages=[REPLY]),
            await store.commit("c", "agent", expected_version=3),
        ]

        assert versions == [1, 2, 3, 4]
        assert (await store.load("c", "agent")).version == 4
        assert (await store.load("another", "agent")).version == 0

    async def test_a_stale_version_is_a_conflict_and_writes_nothing(self, store: CheckpointStore) -> None:
        # Given: a conversation at version 2
        await store.commit("c", "agent", expected_version=0, state={"n": 1}, messages=[HELLO])
        await store.commit("c", "agent", expected_version=1, state={"n": 2})
        before = await store.load("c", "agent")

        # When: somebody who read version 1 commits
        call = store.commit("c", "agent", expected_version=1, state={"n": 99}, messages=[REPLY])
        conflict = await refused(call, StoreConflict)

        # Then
        assert (conflict.key, conflict.expected_version, conflict.found_version) == ("c", 1, 2)
        assert await store.load("c", "agent") == before

    async def test_a_conversation_that_exists_is_not_begun_again(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, messages=[HELLO])

        conflict = await refused(store.commit("c", "agent", expected_version=0, messages=[REPLY]), StoreConflict)

        assert (conflict.expected_version, conflict.found_version) == (0, 1)
        assert await store.history("c") == [HELLO]

    async def test_a_version_of_an_unknown_conversation_is_a_conflict(self, store: CheckpointStore) -> None:
        conflict = await refused(store.commit("c", "agent", expected_version=3, messages=[HELLO]), StoreConflict)

        assert (conflict.expected_version, conflict.found_version) == (3, 0)
        assert await store.load("c", "agent") == Checkpoint()

    async def test_without_an_expected_version_any_version_is_written(self, store: CheckpointStore) -> None:
        versions = [
            await store.commit("c", "agent", expected_version=None, messages=[HELLO]),
            await store.commit("c", "agent", expected_version=None, messages=[REPLY]),
        ]

        assert versions == [1, 2]
        assert await store.history("c") == [HELLO, REPLY]

    async def test_a_commit_without_a_state_keeps_the_state(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, state={"n": 1})
        await store.commit("c", "agent", expected_version=1, messages=[HELLO])

        assert (await store.load("c", "agent")).state == {"n": 1}

    async def test_a_state_is_replaced_not_merged(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, state={"old": 1, "both": 1})
        await store.commit("c", "agent", expected_version=1, state={"both": 2})

        assert (await store.load("c", "agent")).state == {"both": 2}

    async def test_an_empty_state_is_a_state(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, state={})

        assert (await store.load("c", "agent")).state == {}

    async def test_agents_share_messages_and_version_but_not_state(self, store: CheckpointStore) -> None:
        # When: two agents take part in one conversation
        await store.commit("c", "sales", expected_version=0, state={"who": "sales"}, messages=[HELLO])
        await store.commit("c", "claims", expected_version=1, state={"who": "claims"}, messages=[REPLY])

        # Then
        sales, claims, stranger = [await store.load("c", key) for key in ("sales", "claims", "stranger")]
        assert [sales.state, claims.state, stranger.state] == [{"who": "sales"}, {"who": "claims"}, None]
        assert sales.version == claims.version == stranger.version == 2
        assert sales.messages == claims.messages == stranger.messages == [HELLO, REPLY]

        # And: each has read the version of the other's commit
        await refused(store.commit("c", "sales", expected_version=1, state={}), StoreConflict)

    async def test_conversations_do_not_touch_each_other(self, store: CheckpointStore) -> None:
        await store.commit("a", "agent", expected_version=0, state={"of": "a"}, messages=[HELLO])
        await store.commit("b", "agent", expected_version=0, state={"of": "b"}, messages=[REPLY])
        await store.commit("a", "agent", expected_version=1, messages=[HELLO])

        assert await store.load("b", "agent") == Checkpoint(
            version=1, state={"of": "b"}, messages=[REPLY], message_count=1
        )
