"""The versions of a conversation: reading one, going back to one, copying from one."""

from __future__ import annotations

from datetime import UTC, timedelta

from agent_runtime_core.errors import ConversationBusy, LeaseLost, StoreConflict, VersionNotFound
from agent_runtime_core.interfaces import Checkpoint, CheckpointStore
from agent_runtime_core.testing.contracts.refusal import refused
from agent_runtime_core.testing.contracts.turn import (
    LONG,
    SHORT,
    answered,
    begun,
    begun_at_last,
    finish,
    reply,
    user,
    waiting,
)

__all__ = ["StoreRewinding"]


async def written(store: CheckpointStore, conversation_id: str = "c") -> list[Checkpoint]:
    """A conversation of five versions, and what the agent "sales" reads at each of them; the first is version 0."""

    async def commit(agent_key: str, version: int, **what: object) -> None:
        await store.commit(conversation_id, agent_key, expected_version=version, **what)  # type: ignore[arg-type]

    await commit("sales", 0, messages=[user("a"), reply("a")])
    await commit("sales", 1, state={"n": 1}, state_version=7)
    await commit("claims", 2, state={"c": 1}, messages=[user("b")])
    await store.delete_state(conversation_id, "sales")
    await commit("sales", 4, state={"n": 2}, messages=[reply("b")])
    first, all_four = [user("a"), reply("a")], [user("a"), reply("a"), user("b"), reply("b")]
    return [
        Checkpoint(),
        Checkpoint(version=1, messages=first, message_count=2),
        Checkpoint(version=2, state={"n": 1}, state_version=7, messages=first, message_count=2),
        Checkpoint(version=3, state={"n": 1}, state_version=7, messages=all_four[:3], message_count=3),
        Checkpoint(version=4, messages=all_four[:3], message_count=3),
        Checkpoint(version=5, state={"n": 2}, messages=all_four, message_count=4),
    ]


class StoreRewinding:
    """The part of the contract about `versions`, `load(at_version=)`, `rewind` and `fork`."""

    async def test_every_commit_is_a_version(self, store: CheckpointStore) -> None:
        await written(store)

        versions = await store.versions("c")

        assert [(each.version, each.message_count, each.agent_keys) for each in versions] == [
            (1, 2, ()),
            (2, 2, ("sales",)),
            (3, 3, ("claims",)),
            (4, 3, ("sales",)),
            (5, 4, ("sales",)),
        ]
        times = [each.committed_at for each in versions]
        assert times == sorted(times)
        assert all(each.utcoffset() == timedelta(0) and each.tzinfo is UTC for each in times)
        assert await store.versions("nobody") == []

    async def test_a_message_that_begins_a_run_is_a_version(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        await waiting(store, "m2")
        await store.renew("c", run.lease, lease_seconds=LONG)
        await finish(store, run, [reply("m1")], state={"n": 1})
        await begun(store, "m2")

        versions = await store.versions("c")

        assert [(each.version, each.message_count, each.agent_keys) for each in versions] == [
            (1, 1, ()),
            (2, 2, ("agent",)),
            (3, 3, ()),
        ]

    async def test_a_version_is_read_as_its_commit_left_it(self, store: CheckpointStore) -> None:
        checkpoints = await written(store)

        for version in (5, 3, 1, 4, 2):
            assert await store.load("c", "sales", at_version=version) == checkpoints[version]
        assert await store.load("c", "sales") == checkpoints[5]
        assert await store.load("c", "sales", at_version=3, max_messages=1) == Checkpoint(
            version=3, state={"n": 1}, state_version=7, messages=[user("b")], message_count=3
        )
        assert (await store.load("c", "claims", at_version=2)).state is None
        assert (await store.load("c", "claims", at_version=5)).state == {"c": 1}
        assert (await store.load("c", "stranger", at_version=5, max_messages=0)).messages == []

    async def test_a_version_that_is_not_there_is_not_read(self, store: CheckpointStore) -> None:
        await written(store)

        for name, version in (("c", 6), ("c", 10**30), ("c", -1), ("nobody", 1)):
            missing = await refused(store.load(name, "sales", at_version=version), VersionNotFound)
            assert (missing.key, missing.version) == (name, version)
            await refused(store.rewind(name, version), VersionNotFound)
            await refused(store.fork(name, "copy", version=version), VersionNotFound)
        await refused(store.fork("nobody", "copy"), VersionNotFound)
        assert [each.conversation_id for each in await store.conversations()] == ["c"]
        assert (await store.load("c", "sales")).version == 5

    async def test_going_back_takes_everything_later_away(self, store: CheckpointStore) -> None:
        for version in (1, 2, 3, 4, 5):
            name = f"c{version}"
            before = (await written(store, name))[version]

            assert await store.rewind(name, version) == 6

            # Then: it is as it was then, at a version of its own
            now = await store.load(name, "sales")
            assert now == Checkpoint(
                version=6,
                state=before.state,
                state_version=before.state_version,
                messages=before.messages,
                message_count=before.message_count,
            )
            assert await store.history(name) == before.messages
            assert (await store.load(name, "claims")).state == ({"c": 1} if version >= 3 else None)
            assert [each.version for each in await store.versions(name)] == [*range(1, version + 1), 6]
            assert await store.load(name, "sales", at_version=6) == now
            assert await store.load(name, "sales", at_version=version) == before
            for gone in range(version + 1, 6):
                await refused(store.load(name, "sales", at_version=gone), VersionNotFound)

    async def test_a_conversation_goes_on_behind_the_version_it_went_back_to(self, store: CheckpointStore) -> None:
        await written(store)
        await store.rewind("c", 1)

        await refused(store.commit("c", "sales", expected_version=1, messages=[user("x")]), StoreConflict)
        await refused(store.commit("c", "sales", expected_version=5, messages=[user("x")]), StoreConflict)
        assert await store.commit("c", "claims", expected_version=6, state={"c": 2}, messages=[user("x")]) == 7

        assert await store.history("c") == [user("a"), reply("a"), user("x")]
        assert await store.load("c", "claims") == Checkpoint(
            version=7, state={"c": 2}, messages=[user("a"), reply("a"), user("x")], message_count=3
        )
        assert (await store.load("c", "claims", at_version=6)).state is None
        (info,) = await store.conversations()
        assert (info.version, info.message_count, info.agent_keys) == (7, 3, ("claims",))

    async def test_nobody_goes_back_while_a_run_is_on(self, store: CheckpointStore) -> None:
        await written(store)
        run = await begun(store, "m1")

        busy = await refused(store.rewind("c", 1), ConversationBusy)

        assert busy.key == "c"
        assert (await store.load("c", "agent")) == run.checkpoint
        assert await finish(store, run, [reply("m1")]) == 7
        assert await store.rewind("c", 1) == 8

    async def test_a_run_whose_time_is_over_does_not_write_behind_a_rewind(self, store: CheckpointStore) -> None:
        await written(store)
        zombie = await begun(store, "m1", lease_seconds=SHORT)
        version = 0
        while not version:  # until its lease is over
            try:
                version = await store.rewind("c", 1)
            except ConversationBusy:
                continue

        for expected_version in (6, 7, None):
            call = store.commit("c", "agent", expected_version=expected_version, state={}, lease=zombie.lease)
            await refused(call, LeaseLost)

        assert version == 7
        assert await store.renew("c", zombie.lease, lease_seconds=LONG) is False
        assert await store.history("c") == [user("a"), reply("a")]

    async def test_who_waits_in_line_still_waits_after_going_back(self, store: CheckpointStore) -> None:
        await written(store)
        run = await begun(store, "m1")
        await waiting(store, "m2")
        await waiting(store, "m3")
        await store.release("c", run.lease)

        await store.rewind("c", 2)

        assert await waiting(store, "m3") == 1
        assert (await begun(store, "m2")).checkpoint.messages == [user("a"), reply("a"), user("m2")]

    async def test_going_back_into_a_run_makes_its_message_unanswered(self, store: CheckpointStore) -> None:
        # Given: versions 1 (message), 2 (half of the answer), 3 (the rest)
        run = await begun(store, "m1")
        await store.commit("c", "agent", expected_version=1, messages=[reply("half")], lease=run.lease)
        await store.commit("c", "agent", expected_version=2, messages=[reply("m1")], lease=run.lease, finish={"n": 1})

        await store.rewind("c", 2)

        # Then: the next run of this message goes on from there
        run = await begun(store, "m1")
        assert (run.placed, run.checkpoint.messages) == (0, [user("m1"), reply("half")])
        await finish(store, run, [reply("anew")], result={"n": 2})
        answer = await answered(store, "m1")
        assert (answer.messages, answer.result) == ([reply("half"), reply("anew")], {"n": 2})

    async def test_going_back_before_a_message_makes_it_unknown(self, store: CheckpointStore) -> None:
        await finish(store, await begun(store, "m1"), [reply("m1")])
        await finish(store, await begun(store, "m2"), [reply("m2")])

        await store.rewind("c", 2)

        assert (await answered(store, "m1")).messages == [reply("m1")]
        run = await begun(store, "m2")
        assert (run.placed, run.checkpoint.messages) == (1, [user("m1"), reply("m1"), user("m2")])

    async def test_a_broken_run_that_was_gone_back_to_is_taken_up(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1", remember=False)
        await store.commit("c", "agent", expected_version=1, messages=[reply("half")], lease=run.lease)
        await store.release("c", run.lease)

        await store.rewind("c", 1)

        run = await begun(store, "m1", remember=False)
        assert (run.placed, run.checkpoint.messages) == (0, [user("m1")])

    async def test_a_copy_is_what_was_there(self, store: CheckpointStore) -> None:
        checkpoints = await written(store)

        assert await store.fork("c", "copy") == 5
        assert await store.fork("c", "old", version=3) == 3

        assert await store.load("copy", "sales") == checkpoints[5]
        assert await store.load("old", "sales") == checkpoints[3]
        assert (await store.load("old", "claims")).state == {"c": 1}
        assert [each.version for each in await store.versions("old")] == [1, 2, 3]
        assert await store.versions("copy") == await store.versions("c")
        assert await store.load("old", "sales", at_version=1) == checkpoints[1]
        assert await store.load("c", "sales") == checkpoints[5]

    async def test_a_copy_goes_its_own_way(self, store: CheckpointStore) -> None:
        checkpoints = await written(store)
        await store.fork("c", "copy", version=2)

        await store.commit("copy", "sales", expected_version=2, state={"n": 9}, messages=[user("x")])
        await store.rewind("c", 4)
        await store.delete_messages("c")

        assert await store.history("copy") == [user("a"), reply("a"), user("x")]
        assert await store.load("copy", "sales", at_version=2) == checkpoints[2]
        await store.delete("c")
        assert (await store.load("copy", "sales")).state == {"n": 9}
        assert await store.rewind("copy", 2) == 4

    async def test_a_copy_has_no_run_no_line_and_no_message_ids(self, store: CheckpointStore) -> None:
        await finish(store, await begun(store, "m1"), [reply("m1")])
        run = await begun(store, "m2")
        await waiting(store, "m3")

        assert await store.fork("c", "copy") == 3

        assert (await begun(store, "m1", "copy")).checkpoint.messages == [
            user("m1"),
            reply("m1"),
            user("m2"),
            user("m1"),
        ]
        await refused(store.commit("copy", "agent", expected_version=None, lease=run.lease), LeaseLost)
        assert (await store.delete("copy")).waiting == 0
        await finish(store, run, [reply("m2")])
        assert (await begun_at_last(store, "m3")).placed == 1

    async def test_a_copy_replaces_nothing(self, store: CheckpointStore) -> None:
        await written(store)
        await store.commit("there", "agent", expected_version=0, messages=[user("x")])

        conflict = await refused(store.fork("c", "there", version=2), StoreConflict)

        assert (conflict.key, conflict.found_version) == ("there", 1)
        await refused(store.fork("c", "c"), StoreConflict)
        assert await store.history("there") == [user("x")]
        assert (await store.load("c", "sales")).version == 5

    async def test_behind_deleted_messages_nobody_goes_back(self, store: CheckpointStore) -> None:
        await written(store)
        await store.delete_messages("c")

        assert [(each.version, each.message_count) for each in await store.versions("c")] == [(6, 0)]
        for version in range(1, 6):
            await refused(store.load("c", "sales", at_version=version), VersionNotFound)
        assert await store.commit("c", "sales", expected_version=6, state={"n": 3}, messages=[user("x")]) == 7
        assert await store.rewind("c", 6) == 8
        assert await store.load("c", "sales") == Checkpoint(version=8, state={"n": 2})
