"""One run writes: its lease holds, is renewed, is freed, and is refused once another run has taken over."""

from __future__ import annotations

import time
from typing import Any

from agent_runtime_core.errors import LeaseLost, StoreConflict
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

__all__ = ["StoreLeases"]


class StoreLeases:
    """The part of the contract about leases: `begin`, `commit(lease=)`, `renew` and `release`."""

    async def test_a_run_commits_as_often_as_it_likes_until_it_finishes(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")

        for version, n in ((1, 1), (2, 2)):
            await store.commit("c", "agent", expected_version=version, state={"n": n}, lease=run.lease)
            assert await waiting(store, "m2") == 0
        await store.commit("c", "agent", expected_version=3, messages=[reply("m1")], lease=run.lease, finish={})

        assert (await begun(store, "m2")).checkpoint == Checkpoint(
            version=5, state={"n": 2}, messages=[user("m1"), reply("m1"), user("m2")], message_count=3
        )

    async def test_a_lease_that_was_finished_or_released_commits_no_more(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        await finish(store, run, [reply("m1")])
        lost = await refused(
            store.commit("c", "agent", expected_version=2, messages=[reply("x")], lease=run.lease), LeaseLost
        )
        assert (lost.key, lost.expected_version, lost.found_version) == ("c", 2, 2)

        run = await begun(store, "m2")
        await store.release("c", run.lease)
        await refused(store.commit("c", "agent", expected_version=3, state={}, lease=run.lease), LeaseLost)

        assert await store.load("c", "agent") == Checkpoint(
            version=3, messages=[user("m1"), reply("m1"), user("m2")], message_count=3
        )

    async def test_an_overtaken_run_writes_nothing(self, store: CheckpointStore) -> None:
        # Given: a run whose lease is over, and another that has taken the conversation
        zombie = await begun(store, "m1", lease_seconds=SHORT)
        run = await begun_at_last(store, "m2")
        before = await store.load("c", "agent")
        assert before == run.checkpoint

        # When: it wakes up and commits, at the version that it has read, at the present one, and at any
        for expected_version in (1, 2, None):
            for result in (None, {"text": "late"}):
                call = store.commit(
                    "c",
                    "agent",
                    expected_version=expected_version,
                    state={"zombie": True},
                    messages=[reply("m1")],
                    lease=zombie.lease,
                    finish=result,
                )
                await refused(call, LeaseLost)

        # Then: nothing was written, and the other is still on
        assert await store.load("c", "agent") == before
        assert await store.renew("c", zombie.lease, lease_seconds=LONG) is False
        await store.release("c", zombie.lease)
        assert await waiting(store, "m3") == 0
        await finish(store, run, [reply("both")])
        assert (await answered(store, "m1")).messages == [user("m2"), reply("both")]

    async def test_who_overtakes_reads_what_the_other_has_committed(self, store: CheckpointStore) -> None:
        zombie = await begun(store, "m1", lease_seconds=SHORT)
        await store.commit(
            "c", "agent", expected_version=1, state={"n": 1}, messages=[reply("half")], lease=zombie.lease
        )

        run = await begun_at_last(store, "m2")

        assert run.checkpoint == Checkpoint(
            version=3, state={"n": 1}, messages=[user("m1"), reply("half"), user("m2")], message_count=3
        )

    async def test_a_run_that_was_only_slow_commits_and_renews(self, store: CheckpointStore) -> None:
        # Given: a lease that is over, and that nobody has taken
        run = await begun(store, "m1", lease_seconds=SHORT)
        over = time.monotonic() + 5 * SHORT
        while time.monotonic() < over:
            await store.load("c", "agent", max_messages=0)

        assert await store.commit("c", "agent", expected_version=1, state={"n": 1}, lease=run.lease) == 2
        assert await store.renew("c", run.lease, lease_seconds=LONG) is True
        assert await waiting(store, "m2") == 0

    async def test_a_renewed_lease_holds_for_its_new_time(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1", lease_seconds=SHORT)
        assert await store.renew("c", run.lease, lease_seconds=LONG) is True
        assert await waiting(store, "m2") == 0

        assert await store.renew("c", run.lease, lease_seconds=SHORT) is True
        assert (await begun_at_last(store, "m2")).placed == 1

    async def test_renewing_writes_no_version(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        before = await store.conversations()

        await store.renew("c", run.lease, lease_seconds=LONG)

        assert await store.conversations() == before
        assert await finish(store, run, [reply("m1")]) == 2

    async def test_what_is_over_is_not_renewed(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        await finish(store, run, [reply("m1")])
        assert await store.renew("c", run.lease, lease_seconds=LONG) is False

        run = await begun(store, "m2")
        assert await store.renew("c", run.lease + 1, lease_seconds=LONG) is False
        await store.release("c", run.lease)
        assert await store.renew("c", run.lease, lease_seconds=LONG) is False

        assert await store.renew("nobody", run.lease, lease_seconds=LONG) is False
        await refused(store.renew("c", run.lease, lease_seconds=0.0), ValueError)
        assert await store.load("nobody", "agent") == Checkpoint()
        assert (await begun(store, "m3")).placed == 1

    async def test_a_released_conversation_is_free_and_its_message_unanswered(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        await store.release("c", run.lease)

        again = await begun(store, "m1")

        assert (again.placed, again.checkpoint) == (0, run.checkpoint)
        assert again.lease != run.lease

    async def test_releasing_what_is_not_held_changes_nothing(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")

        await store.release("c", run.lease + 1)
        await store.release("nobody", run.lease)
        await store.release("c", run.lease, owner="another")

        assert await waiting(store, "m2") == 0
        await finish(store, run, [reply("m1")])
        await store.release("c", run.lease)  # a second end is none
        await begun(store, "m2")
        await store.release("c", run.lease)
        assert await waiting(store, "m3") == 0

    async def test_no_token_is_given_twice(self, store: CheckpointStore) -> None:
        leases = []
        for n in range(12):
            run = await begun(store, f"m{n}")
            leases.append(run.lease)
            if n % 3 == 0:
                await finish(store, run, [reply(f"m{n}")])
            elif n % 3 == 1:
                await store.release("c", run.lease)
            else:
                await store.delete("c")
        leases += [(await begun(store, "m", f"c{n}")).lease for n in range(5)]

        assert len(set(leases)) == 17
        assert min(leases) > 0

    async def test_a_run_in_a_deleted_conversation_is_refused(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        await store.delete("c")

        for expected_version in (1, 0, None):
            call = store.commit("c", "agent", expected_version=expected_version, state={"n": 1}, lease=run.lease)
            lost = await refused(call, LeaseLost)
            assert lost.found_version == 0

        assert await store.load("c", "agent") == Checkpoint()
        assert await store.conversations() == []
        assert await store.renew("c", run.lease, lease_seconds=LONG) is False

    async def test_a_run_does_not_write_into_a_conversation_that_was_begun_anew(self, store: CheckpointStore) -> None:
        # Given: a conversation that was deleted and created again, at the same version
        old = await begun(store, "m1")
        await store.delete("c")
        new = await begun(store, "m1")
        assert new.checkpoint.version == old.checkpoint.version

        # When / Then
        await refused(store.commit("c", "agent", expected_version=1, state={"old": 1}, lease=old.lease), LeaseLost)
        await refused(store.commit("c", "agent", expected_version=None, lease=old.lease, finish={}), LeaseLost)
        await store.release("c", old.lease)
        assert await finish(store, new, [reply("m1")], state={"new": 1}) == 2
        await refused(store.commit("c", "agent", expected_version=2, state={"old": 1}, lease=old.lease), LeaseLost)
        assert (await store.load("c", "agent")).state == {"new": 1}

    async def test_a_lease_is_good_for_its_own_conversation_only(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        await begun(store, "m1", "another")
        await begun(store, "m1", owner="another")

        await refused(store.commit("another", "agent", expected_version=1, state={}, lease=run.lease), LeaseLost)
        await refused(
            store.commit("c", "agent", expected_version=1, state={}, lease=run.lease, owner="another"), LeaseLost
        )
        assert await store.renew("another", run.lease, lease_seconds=LONG) is False
        assert await store.renew("c", run.lease, lease_seconds=LONG, owner="another") is False

    async def test_a_writer_that_is_no_run_meets_the_run_with_a_conflict(self, store: CheckpointStore) -> None:
        # Given
        run = await begun(store, "m1")

        # When
        assert await store.commit("c", "agent", expected_version=None, messages=[user("note")]) == 2

        # Then: the run is told, has not lost its lease, reads again and goes on
        conflict = await refused(finish(store, run, [reply("m1")]), StoreConflict)
        assert type(conflict) is StoreConflict
        assert (conflict.expected_version, conflict.found_version) == (1, 2)
        assert await waiting(store, "m2") == 0
        await store.commit("c", "agent", expected_version=2, messages=[reply("m1")], lease=run.lease, finish={})
        assert await store.history("c") == [user("m1"), user("note"), reply("m1")]

    async def test_deletions_meet_the_run_with_a_conflict(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, state={"n": 1})
        for n, deletion in enumerate((store.delete_messages("c"), store.delete_state("c", "agent"))):
            run = await begun(store, f"m{n}")
            await deletion
            conflict = await refused(finish(store, run, [reply("m")]), StoreConflict)
            assert not isinstance(conflict, LeaseLost)
            await store.release("c", run.lease)

    async def test_a_refused_commit_leaves_the_run_on(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        bad: Any
        for bad in ({"finish": {"n": {1}}}, {"finish": {}, "state": {"n": object()}}, {"messages": [None]}):
            await refused(store.commit("c", "agent", expected_version=1, lease=run.lease, **bad), TypeError)
        await refused(store.commit("c", "agent", expected_version=7, lease=run.lease, finish={}), StoreConflict)

        assert await waiting(store, "m2") == 0
        assert await finish(store, run, [reply("m1")]) == 2

    async def test_only_a_run_finishes(self, store: CheckpointStore) -> None:
        await begun(store, "m1")

        await refused(store.commit("c", "agent", expected_version=1, finish={}), ValueError)
        await refused(store.commit("new", "agent", expected_version=0, finish={}), ValueError)

        assert await waiting(store, "m2") == 0
        assert (await store.load("c", "agent")).version == 1
        assert await store.load("new", "agent") == Checkpoint()
