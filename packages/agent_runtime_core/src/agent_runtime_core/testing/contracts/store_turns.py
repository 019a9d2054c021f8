"""A user's message is stored when its turn comes, in the order in which messages came."""

from __future__ import annotations

import asyncio
from typing import Any

from agent_runtime_core.interfaces import Answered, Begun, Checkpoint, CheckpointStore
from agent_runtime_core.testing.contracts.refusal import refused
from agent_runtime_core.testing.contracts.turn import (
    SHORT,
    answered,
    ask,
    begun,
    begun_at_last,
    finish,
    reply,
    user,
    waiting,
)

__all__ = ["StoreTurns"]


class StoreTurns:
    """The part of the contract about `begin` and `withdraw`: who is on, who waits, who merges."""

    async def test_a_message_is_stored_when_its_run_begins(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")

        assert run.placed == 1
        assert run.checkpoint == Checkpoint(version=1, messages=[user("m1")], message_count=1)
        assert await store.load("c", "agent") == run.checkpoint

    async def test_a_run_reads_its_agents_state_and_the_last_messages(self, store: CheckpointStore) -> None:
        await store.commit(
            "c", "agent", expected_version=0, state={"n": 1}, state_version=3, messages=[user("a"), user("b")]
        )
        await store.commit("c", "another", expected_version=1, state={"n": 2})

        run = await begun(store, "m1", max_messages=2)

        assert run.checkpoint == Checkpoint(
            version=3, state={"n": 1}, state_version=3, messages=[user("b"), user("m1")], message_count=3
        )

    async def test_what_a_run_reads_is_its_own(self, store: CheckpointStore) -> None:
        message: dict[str, Any] = {"role": "user", "content": [{"type": "text", "text": "hello"}]}
        answer = await store.begin(
            "c", "agent", message=message, message_id="m1", remember=True, lease_seconds=60.0, on_busy="queue"
        )
        assert isinstance(answer, Begun)

        message["content"].append("changed")
        answer.checkpoint.messages[0]["content"] = "changed"
        answer.checkpoint.messages.append(user("another"))

        assert await store.history("c") == [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]

    async def test_a_message_waits_while_a_run_is_on_and_is_not_in_the_history(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")

        assert await waiting(store, "m2") == 0
        assert await waiting(store, "m3") == 1
        assert await waiting(store, "m4", agent_key="another") == 2
        assert await waiting(store, "m2") == 0  # who asks again keeps its place
        assert await waiting(store, "m3") == 1

        assert await store.load("c", "agent") == run.checkpoint

    async def test_waiting_messages_have_their_turns_in_order(self, store: CheckpointStore) -> None:
        # Given: three messages that wait
        run = await begun(store, "m1")
        for message_id in ("m2", "m3", "m4"):
            await waiting(store, message_id)
        await finish(store, run, [reply("m1")])

        # When: the later ones ask first
        for message_id, later in (("m2", ["m4", "m3"]), ("m3", ["m4"]), ("m4", [])):
            assert [await waiting(store, each) for each in later] == [len(later) - n for n in range(len(later))]
            run = await begun(store, message_id)
            assert run.placed == 1
            await finish(store, run, [reply(message_id)])

        # Then
        order = ["m1", "m2", "m3", "m4"]
        assert await store.history("c") == [each for name in order for each in (user(name), reply(name))]

    async def test_who_comes_later_does_not_overtake_those_in_line(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        await waiting(store, "m2")
        await finish(store, run, [reply("m1")])

        assert await waiting(store, "m3") == 1
        assert await waiting(store, "m4", on_busy="merge") == 2
        assert (await begun(store, "m2")).placed == 1

    async def test_rejecting_leaves_nothing(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        assert await waiting(store, "m2", on_busy="reject") == 0
        await finish(store, run, [reply("m1")])

        # Then: it is not in line, and its id says nothing
        third = await begun(store, "m3")
        assert (third.placed, third.checkpoint.messages) == (1, [user("m1"), reply("m1"), user("m3")])
        await finish(store, third, [reply("m3")])
        assert (await begun(store, "m2", on_busy="reject")).placed == 1

    async def test_rejecting_respects_the_line(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        await waiting(store, "m2")
        await finish(store, run, [reply("m1")])

        assert await waiting(store, "m3", on_busy="reject") == 1  # nobody is on, but m2 is first
        await store.withdraw("c", "m2")
        assert (await begun(store, "m3", on_busy="reject")).placed == 1

    async def test_rejecting_begins_a_conversation_that_is_not_there(self, store: CheckpointStore) -> None:
        assert (await begun(store, "m1", on_busy="reject")).checkpoint.messages == [user("m1")]

    async def test_merging_messages_go_with_the_one_before_them(self, store: CheckpointStore) -> None:
        # Given
        run = await begun(store, "m1")
        await waiting(store, "m2", on_busy="queue")
        await waiting(store, "m3", on_busy="merge")
        await waiting(store, "m4", on_busy="merge")
        await waiting(store, "m5", on_busy="queue")
        await waiting(store, "m6", on_busy="merge")
        await finish(store, run, [reply("m1")])

        # When
        run = await begun(store, "m2")

        # Then: one run for three, and those that merged wait for it
        assert (run.placed, run.checkpoint.version) == (3, 3)
        assert run.checkpoint.messages == [user("m1"), reply("m1"), user("m2"), user("m3"), user("m4")]
        assert [await waiting(store, each, on_busy="merge") for each in ("m3", "m4")] == [0, 0]
        assert await waiting(store, "m5") == 0
        await finish(store, run, [reply("all three")])
        assert (await answered(store, "m3")).messages == [user("m4"), reply("all three")]
        assert (await answered(store, "m4")).messages == [reply("all three")]

        # And: the others are one run, too
        assert (await begun(store, "m5")).placed == 2

    async def test_merging_messages_make_one_run_without_one_that_queues(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1", on_busy="merge")
        await waiting(store, "m2", on_busy="merge")
        await waiting(store, "m3", on_busy="merge")
        assert await store.history("c") == [user("m1")]  # none joins the run that is on
        await finish(store, run, [reply("m1")])

        assert await waiting(store, "m3", on_busy="merge") == 1  # who is first begins it
        assert (await begun(store, "m2", on_busy="merge")).placed == 2

    async def test_the_message_of_a_sender_that_is_gone_goes_into_the_next_run(self, store: CheckpointStore) -> None:
        # Given: two senders that ask once, and never again
        run = await begun(store, "m1")
        await waiting(store, "gone1", lease_seconds=SHORT)
        await waiting(store, "gone2", lease_seconds=SHORT)
        await waiting(store, "m2")
        await waiting(store, "m3", on_busy="merge")
        await finish(store, run, [reply("m1")])

        # When
        run = await begun_at_last(store, "m2")

        # Then: everything in order, nothing lost
        assert run.placed == 4
        assert run.checkpoint.messages[2:] == [user("gone1"), user("gone2"), user("m2"), user("m3")]

    async def test_a_sender_that_was_away_has_kept_its_place(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        await waiting(store, "away", lease_seconds=SHORT)
        await waiting(store, "m2", on_busy="merge")
        await finish(store, run, [reply("m1")])

        run = await begun(store, "away", lease_seconds=SHORT)

        assert (run.placed, run.checkpoint.messages[2:]) == (2, [user("away"), user("m2")])

    async def test_a_sender_that_asks_again_is_waited_for_again(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        await waiting(store, "m2", lease_seconds=SHORT)
        assert await waiting(store, "m2") == 0
        await waiting(store, "m3")
        await finish(store, run, [reply("m1")])

        assert await waiting(store, "m3") == 1
        assert (await begun(store, "m2")).placed == 1

    async def test_a_sender_whose_message_went_with_another_run_waits_for_that_run(
        self, store: CheckpointStore
    ) -> None:
        # Given
        run = await begun(store, "m1")
        await waiting(store, "away", lease_seconds=SHORT)
        await finish(store, run, [reply("m1")])
        run = await begun_at_last(store, "m2")

        # When: the sender is back
        assert await waiting(store, "away") == 0
        await waiting(store, "m3")
        assert await waiting(store, "away") == 0  # it is in the history, and in no line

        # Then
        await finish(store, run, [reply("m2")], result={"run": 2})
        answer = await answered(store, "away")
        assert (answer.messages, answer.result) == ([user("m2"), reply("m2")], {"run": 2})

    async def test_a_sender_whose_message_went_with_a_broken_run_goes_on_with_it(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        await waiting(store, "away", lease_seconds=SHORT)
        await finish(store, run, [reply("m1")])
        run = await begun_at_last(store, "m2")
        await store.release("c", run.lease)

        run = await begun(store, "away")

        assert (run.placed, run.checkpoint.messages[2:]) == (0, [user("away"), user("m2")])
        await finish(store, run, [reply("both")])
        assert (await answered(store, "m2")).messages == [reply("both")]

    async def test_a_message_that_waits_can_be_withdrawn(self, store: CheckpointStore) -> None:
        # Given
        run = await begun(store, "m1")
        for message_id in ("m2", "m3", "m4"):
            await waiting(store, message_id)

        # When: the first in line and the last go
        assert [await store.withdraw("c", each) for each in ("m2", "m4", "m2")] == [True, True, False]

        # Then: who stood behind is first, and what was withdrawn is stored nowhere
        await finish(store, run, [reply("m1")])
        run = await begun(store, "m3")
        assert (run.placed, run.checkpoint.messages) == (1, [user("m1"), reply("m1"), user("m3")])

    async def test_a_withdrawn_message_may_come_again_as_a_new_one(self, store: CheckpointStore) -> None:
        await begun(store, "m1")
        await waiting(store, "m2")
        await waiting(store, "m3")
        await store.withdraw("c", "m2")

        assert await waiting(store, "m2") == 1  # behind the other now

    async def test_what_is_in_the_history_cannot_be_withdrawn(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")

        assert await store.withdraw("c", "m1") is False
        assert await store.withdraw("c", "nobody's") is False
        assert await store.withdraw("nobody", "m1") is False
        assert await store.load("c", "agent") == run.checkpoint
        await finish(store, run, [reply("m1")])
        assert await store.withdraw("c", "m1") is False
        assert (await answered(store, "m1")).messages == [reply("m1")]
        assert await store.load("nobody", "agent") == Checkpoint()

    async def test_conversations_have_lines_of_their_own(self, store: CheckpointStore) -> None:
        await begun(store, "m1", "a")
        await waiting(store, "m2", "a")

        assert (await begun(store, "m2", "b")).placed == 1
        assert (await begun(store, "m2", "a", owner="another")).placed == 1

    async def test_a_message_that_is_no_json_data_begins_nothing(self, store: CheckpointStore) -> None:
        bad: Any
        for bad in ({"role": "user", "content": {1, 2}}, "hello", None, {"role": "user", 1: "x"}):
            call = store.begin("c", "agent", message=bad, message_id="m1", remember=True, lease_seconds=60.0)
            await refused(call, TypeError)

        assert await store.load("c", "agent") == Checkpoint()
        assert await store.conversations() == []
        assert (await begun(store, "m1")).placed == 1

    async def test_arguments_that_mean_nothing_begin_nothing(self, store: CheckpointStore) -> None:
        unknown: Any = "wait"
        await refused(ask(store, "m1", on_busy=unknown), ValueError)
        await refused(ask(store, "m1", lease_seconds=0), ValueError)
        await refused(ask(store, "m1", lease_seconds=-1.0), ValueError)
        await refused(ask(store, "m1", max_messages=-1), ValueError)

        assert await store.load("c", "agent") == Checkpoint()

    async def test_of_many_at_once_each_has_a_run_of_its_own(self, store: CheckpointStore) -> None:
        async def send(message_id: str) -> None:
            run = await begun_at_last(store, message_id)
            assert run.checkpoint.messages[-1] == user(message_id)
            version = await store.commit(
                "c", "agent", expected_version=run.checkpoint.version, messages=[reply(message_id)], lease=run.lease
            )
            await asyncio.sleep(0)
            await store.commit("c", "agent", expected_version=version, lease=run.lease, finish={})

        names = [f"m{n}" for n in range(15)]
        await asyncio.gather(*map(send, names))

        history = await store.history("c")
        assert sorted(message["content"] for message in history[::2]) == sorted(user(name)["content"] for name in names)
        for asked, given in zip(history[::2], history[1::2], strict=True):
            assert given["content"] == asked["content"].replace("this is", "answer to")
        assert (await store.load("c", "agent")).version == 45

    async def test_of_many_at_once_one_run_takes_all_that_merge(self, store: CheckpointStore) -> None:
        first = await begun(store, "m0")
        names = [f"m{n}" for n in range(1, 11)]
        await asyncio.gather(*(waiting(store, name, on_busy="merge") for name in names))
        await finish(store, first, [reply("m0")])

        answers = await asyncio.gather(*(ask(store, name, on_busy="merge") for name in names))

        runs = [answer for answer in answers if isinstance(answer, Begun)]
        assert [run.placed for run in runs] == [10]
        await finish(store, runs[0], [reply("all")])
        answers = await asyncio.gather(*(ask(store, name, on_busy="merge") for name in names))
        assert all(isinstance(answer, Answered) and answer.messages[-1] == reply("all") for answer in answers)
        assert (await store.load("c", "agent")).message_count == 13

    async def test_a_cancelled_begin_stores_its_message_once(self, store: CheckpointStore) -> None:
        for n in range(30):
            conversation_id = f"c{n}"
            task = asyncio.create_task(ask(store, "m1", conversation_id, lease_seconds=SHORT, remember=n % 2 == 0))
            for _ in range(n % 5):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

            # When: the same message comes again; its lost run, if it began, lasts until its lease is over
            run = await begun_at_last(store, "m1", conversation_id, remember=n % 2 == 0)

            # Then
            assert run.checkpoint == Checkpoint(version=1, messages=[user("m1")], message_count=1)
            assert run.placed in (0, 1)
            await finish(store, run, [reply("m1")], conversation_id)

    async def test_a_cancelled_wait_keeps_one_place_at_most(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        for n in range(12):
            task = asyncio.create_task(ask(store, "m2"))
            for _ in range(n % 4):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        assert await waiting(store, "m2") == 0
        await finish(store, run, [reply("m1")])
        assert (await begun(store, "m2")).placed == 1
        assert await store.history("c") == [user("m1"), reply("m1"), user("m2")]
