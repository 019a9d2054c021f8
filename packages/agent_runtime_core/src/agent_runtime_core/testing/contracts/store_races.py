"""Many at once: one wins, nothing is lost, and nobody leaves half a commit."""

from __future__ import annotations

import asyncio

from agent_runtime_core.errors import StoreConflict
from agent_runtime_core.interfaces.checkpoint_store import CheckpointStore

__all__ = ["StoreRaces"]


class StoreRaces:
    """The part of the contract about commits at the same time and commits that are cancelled."""

    async def test_of_commits_on_one_version_exactly_one_wins(self, store: CheckpointStore) -> None:
        # Given: twenty runs that have read version 1
        await store.commit("c", "agent", expected_version=0, state={"winner": None})

        # When: all commit at once
        outcomes = await asyncio.gather(
            *(
                store.commit("c", "agent", expected_version=1, state={"winner": n}, messages=[{"role": "user", "n": n}])
                for n in range(20)
            ),
            return_exceptions=True,
        )

        # Then
        winners = [n for n, outcome in enumerate(outcomes) if outcome == 2]
        assert len(winners) == 1
        losers = [outcome for outcome in outcomes if outcome != 2]
        assert all(isinstance(loser, StoreConflict) and loser.found_version == 2 for loser in losers)
        checkpoint = await store.load("c", "agent")
        assert checkpoint.state == {"winner": winners[0]}
        assert checkpoint.messages == [{"role": "user", "n": winners[0]}]
        assert checkpoint.version == 2

    async def test_appends_at_once_are_all_kept(self, store: CheckpointStore) -> None:
        versions = await asyncio.gather(
            *(
                store.commit(
                    "c",
                    "agent",
                    expected_version=None,
                    messages=[{"role": "user", "n": n}, {"role": "assistant", "n": n}],
                )
                for n in range(50)
            )
        )

        # Then: each has a version of its own, and lies where the version says
        assert sorted(versions) == list(range(1, 51))
        messages = await store.history("c")
        assert len(messages) == 100
        for n, version in enumerate(versions):
            place = 2 * (version - 1)
            assert messages[place : place + 2] == [{"role": "user", "n": n}, {"role": "assistant", "n": n}]

    async def test_conversations_at_once_do_not_disturb_each_other(self, store: CheckpointStore) -> None:
        async def talk(conversation_id: str) -> None:
            for n in range(10):
                checkpoint = await store.load(conversation_id, "agent")
                assert checkpoint.version == n
                await store.commit(
                    conversation_id,
                    "agent",
                    expected_version=n,
                    state={"n": n, "of": conversation_id},
                    messages=[{"role": "user", "content": f"{n} of {conversation_id}"}],
                )

        names = [f"conversation {n}" for n in range(20)]
        await asyncio.gather(*map(talk, names))

        for name in names:
            checkpoint = await store.load(name, "agent")
            assert checkpoint.state == {"n": 9, "of": name}
            assert [message["content"] for message in checkpoint.messages] == [f"{n} of {name}" for n in range(10)]

    async def test_a_reader_sees_whole_commits_only(self, store: CheckpointStore) -> None:
        async def write() -> None:
            for n in range(1, 31):
                messages = [{"role": "user", "n": n}, {"role": "assistant", "n": n}]
                await store.commit("c", "agent", expected_version=None, state={"n": n}, messages=messages)

        writing = asyncio.create_task(write())
        while not writing.done():
            checkpoint = await store.load("c", "agent")
            await asyncio.sleep(0)  # a store without a real wait in it would leave the writer no turn
            if checkpoint.version:
                assert checkpoint.state == {"n": checkpoint.version}
                assert len(checkpoint.messages) == checkpoint.message_count == 2 * checkpoint.version
        await writing

    async def test_a_cancelled_commit_happens_whole_or_not_at_all(self, store: CheckpointStore) -> None:
        for n in range(40):
            conversation_id = f"c{n}"
            messages = [{"role": "user", "n": n}, {"role": "assistant", "n": n}]
            task = asyncio.create_task(
                store.commit(conversation_id, "agent", expected_version=0, state={"n": n}, messages=messages)
            )
            for _ in range(n % 4):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

            # The next commit takes the version that a cancelled one might still be on its way to.
            version = await store.commit(conversation_id, "agent", expected_version=None)

            checkpoint = await store.load(conversation_id, "agent")
            found = (checkpoint.version, checkpoint.state, checkpoint.messages)
            assert found == ((1, None, []) if version == 1 else (2, {"n": n}, messages))
