"""Each message is answered once: its id may come again, and finds what was stored for it."""

from __future__ import annotations

import asyncio
from typing import Any

from agent_runtime_core.interfaces import Answered, Begun, CheckpointStore
from agent_runtime_core.testing.contracts.store_values import IDS, STATE
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

__all__ = ["StoreReceipts"]


class StoreReceipts:
    """The part of the contract about message ids: answered again, taken up again, remembered or not."""

    async def test_an_answered_message_is_answered_again_from_the_store(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        await finish(store, run, [reply("m1")], result={"text": "answer"}, state={"n": 1})
        before = await store.load("c", "agent")

        for _ in range(3):
            assert await ask(store, "m1") == Answered(version=2, messages=[reply("m1")], result={"text": "answer"})

        assert await store.load("c", "agent") == before

    async def test_an_answer_ends_with_the_run_that_gave_it(self, store: CheckpointStore) -> None:
        for name in ("m1", "m2", "m3"):
            await finish(store, await begun(store, name), [reply(name), reply(f"{name} again")], result={"of": name})

        for name in ("m2", "m1", "m3"):
            answer = await answered(store, name)
            assert (answer.version, answer.messages) == (6, [reply(name), reply(f"{name} again")])
            assert answer.result == {"of": name}

    async def test_an_answer_can_be_fetched_while_another_run_is_on(self, store: CheckpointStore) -> None:
        await finish(store, await begun(store, "m1"), [reply("m1")])
        await begun(store, "m2")
        await waiting(store, "m3")

        for on_busy in ("queue", "reject", "merge"):
            how: Any = on_busy
            assert (await answered(store, "m1", on_busy=how)).messages == [reply("m1")]

    async def test_an_answer_holds_what_all_commits_of_the_run_have_stored(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        call: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
        outcome: dict[str, Any] = {"role": "tool", "content": ["done"], "tool_call_id": "1"}
        await store.commit("c", "agent", expected_version=1, messages=[call, outcome], lease=run.lease)
        await store.commit("c", "agent", expected_version=2, messages=[reply("m1")], lease=run.lease)
        await store.commit("c", "agent", expected_version=3, lease=run.lease, finish={})
        await store.commit("c", "agent", expected_version=4, messages=[user("a note")])

        assert await answered(store, "m1") == Answered(version=5, messages=[call, outcome, reply("m1")])

    async def test_results_come_back_equal_and_are_the_readers_own(self, store: CheckpointStore) -> None:
        result = {"state": STATE, "text": "half \ud83d and a null \0"}
        await finish(store, await begun(store, "m1"), [{"role": "assistant", "content": ["x"]}], result=result)

        answer = await answered(store, "m1")
        assert answer.result == result
        answer.result["state"]["step"] = "changed"
        answer.messages[0]["content"].append("changed")

        again = await answered(store, "m1")
        assert (again.result, again.messages) == (result, [{"role": "assistant", "content": ["x"]}])

    async def test_a_broken_run_is_taken_up_again_where_it_was(self, store: CheckpointStore) -> None:
        # Given: a run that has committed a part, and whose process is gone
        run = await begun(store, "m1", lease_seconds=SHORT)
        await store.commit("c", "agent", expected_version=1, state={"n": 1}, messages=[reply("half")], lease=run.lease)

        # When
        run = await begun_at_last(store, "m1")

        # Then
        assert run.placed == 0
        assert (run.checkpoint.state, run.checkpoint.messages) == ({"n": 1}, [user("m1"), reply("half")])
        assert run.checkpoint.version == 2  # nothing was written
        await finish(store, run, [reply("m1")])
        assert (await answered(store, "m1")).messages == [reply("half"), reply("m1")]

    async def test_a_broken_run_does_not_wait_behind_others(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        await waiting(store, "m2")
        await store.release("c", run.lease)

        run = await begun(store, "m1")

        assert run.placed == 0
        assert await waiting(store, "m2") == 0

    async def test_the_next_run_answers_what_a_broken_one_did_not(self, store: CheckpointStore) -> None:
        for remember in (True, False):
            run = await begun(store, "m1", f"c{remember}", remember=remember)
            await store.release(f"c{remember}", run.lease)
            run = await begun(store, "m2", f"c{remember}")
            assert await waiting(store, "m1", f"c{remember}", remember=remember) == 0
            await finish(store, run, [reply("both")], f"c{remember}")

            answer = await answered(store, "m1", f"c{remember}", remember=remember)

            assert answer.messages == [user("m2"), reply("both")]

    async def test_of_the_same_message_at_once_one_runs(self, store: CheckpointStore) -> None:
        answers = await asyncio.gather(*(ask(store, "m1") for _ in range(10)))
        runs = [answer for answer in answers if isinstance(answer, Begun)]
        assert [run.placed for run in runs] == [1]
        assert [await waiting(store, "m1") for _ in range(3)] == [0, 0, 0]

        await finish(store, runs[0], [reply("m1")])

        answers = await asyncio.gather(*(ask(store, "m1") for _ in range(10)))
        assert answers == [Answered(version=2, messages=[reply("m1")])] * 10

    async def test_the_same_message_stands_in_line_once(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        await asyncio.gather(*(ask(store, "m2") for _ in range(10)))
        await waiting(store, "m3")
        await finish(store, run, [reply("m1")])

        answers = await asyncio.gather(*(ask(store, "m2") for _ in range(10)))

        runs = [answer for answer in answers if isinstance(answer, Begun)]
        assert [run.placed for run in runs] == [1]
        await finish(store, runs[0], [reply("m2")])
        assert (await begun(store, "m3")).placed == 1
        assert (await store.load("c", "agent")).message_count == 5

    async def test_an_id_that_is_not_to_be_remembered_is_forgotten_with_the_end_of_its_run(
        self, store: CheckpointStore
    ) -> None:
        await finish(store, await begun(store, "m1", remember=False), [reply("m1")])

        run = await begun(store, "m1", remember=False)

        assert (run.placed, run.checkpoint.messages) == (1, [user("m1"), reply("m1"), user("m1")])

    async def test_an_id_that_is_not_to_be_remembered_is_forgotten_once_its_answer_was_fetched(
        self, store: CheckpointStore
    ) -> None:
        # Given: a message that merged into a run
        first = await begun(store, "m1", remember=False)
        await waiting(store, "m2", remember=False)
        await waiting(store, "m3", remember=False, on_busy="merge")
        await finish(store, first, [reply("m1")])
        await finish(store, await begun(store, "m2", remember=False), [reply("both")])
        assert (await answered(store, "m3", remember=False)).messages == [reply("both")]

        assert (await begun(store, "m3", remember=False)).placed == 1

    async def test_an_answer_that_was_not_fetched_waits_for_its_sender(self, store: CheckpointStore) -> None:
        # Given: a sender that went away while its message waited, and one whose run was overtaken
        zombie = await begun(store, "m1", remember=False)
        await waiting(store, "away", remember=False, lease_seconds=SHORT)
        await store.renew("c", zombie.lease, lease_seconds=SHORT)
        await finish(store, await begun_at_last(store, "m2"), [reply("m2")])

        # When: others have had their runs meanwhile
        for name in ("m3", "m4"):
            await finish(store, await begun(store, name), [reply(name)])

        # Then: neither message is stored twice
        for name, behind in (("m1", [user("away"), user("m2")]), ("away", [user("m2")])):
            answer = await answered(store, name, remember=False)
            assert (answer.version, answer.messages) == (7, [*behind, reply("m2")])

    async def test_an_id_names_a_message_within_its_conversation(self, store: CheckpointStore) -> None:
        await finish(store, await begun(store, "m1", "a"), [reply("of a")], "a")

        assert (await begun(store, "m1", "b")).placed == 1
        assert (await begun(store, "m1", "a", owner="another")).placed == 1
        assert (await answered(store, "m1", "a")).messages == [reply("of a")]

    async def test_any_text_is_a_message_id(self, store: CheckpointStore) -> None:
        for number, name in enumerate(IDS):
            await finish(store, await begun(store, name), [reply(name)], result={"number": number})
        await begun(store, "the last")
        for place, name in enumerate(IDS):
            assert await waiting(store, f"{name}\0") == place
        for name in IDS:
            assert await store.withdraw("c", f"{name}\0") is True

        for number, name in enumerate(IDS):
            answer = await answered(store, name)
            assert (answer.messages, answer.result) == ([reply(name)], {"number": number}), name

    async def test_a_deleted_conversation_has_forgotten_its_messages(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        await waiting(store, "m2")
        await finish(store, run, [reply("m1")])
        await store.delete("c")

        run = await begun(store, "m1")

        assert (run.placed, run.checkpoint.messages, run.checkpoint.version) == (1, [user("m1")], 1)

    async def test_deleted_messages_stay_answered_and_their_answers_are_gone(self, store: CheckpointStore) -> None:
        await finish(store, await begun(store, "m1"), [reply("m1")], result={"n": 1})
        run = await begun(store, "m2")
        await waiting(store, "m3")
        await store.release("c", run.lease)
        await store.delete_messages("c")
        await store.commit("c", "agent", expected_version=None, messages=[user("x"), reply("x")])

        assert (await answered(store, "m1")).messages == []
        assert (await begun(store, "m3")).placed == 1  # it still was first in line
        assert await waiting(store, "m2") == 0  # unanswered, so it is a new one
        assert await store.history("c") == [user("x"), reply("x"), user("m3")]
