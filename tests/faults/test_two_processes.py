"""Two processes at one conversation: who waits, who joins, who is refused, and who was thought dead and wakes up."""

from __future__ import annotations

import asyncio

import pytest

from agent_runtime_core.stores import open_store
from agent_runtime_framework import JourneyConfig
from tests.faults.ledger import Clerk, LedgerAgent, check_consistent, check_whole, done, entered

STOPPED_AT = ("nothing", "begun", "begun", "entered", "entered", "counted", "counted", "answered")
"""What a run that stops at each of its points has stored by then."""


def test_a_message_waits_its_turn_while_another_process_runs(url, start, look):
    first, second = start(url, gated=True), start(url, tells_points=True)
    first.send("c", "m1")
    first.wait_for("asked")
    second.send("c", "m2")
    while second.wait_for("point") != ("after begin",):
        pass
    first.let()
    first.wait_until_done(["m1"])
    second.wait_until_done(["m2"])

    assert (first.answers["m1"], second.answers["m2"]) == ((done("m1"), False), (done("m2"), False))
    history = look(lambda store: check_consistent(store, "c"))
    check_whole(history, ["m1", "m2"])


def test_a_message_that_is_not_to_wait_is_refused_while_another_process_runs(url, start, look):
    first, second = start(url, gated=True), start(url)
    first.send("c", "m1")
    first.wait_for("asked")
    second.send("c", "m2", on_busy="reject")
    second.wait_until_done(["m2"])
    first.let()
    first.wait_until_done(["m1"])

    assert [failure[2] for failure in second.failures] == ["ConversationBusy"]
    check_whole(look(lambda store: check_consistent(store, "c")), ["m1"])


def test_messages_of_two_processes_are_merged_into_one_run(url, start, look):
    running, second, third = start(url, gated=True), start(url, tells_points=True), start(url, tells_points=True)
    running.send("c", "m1")
    running.wait_for("asked")
    for process, text in ((second, "m2"), (third, "m3")):
        process.send("c", text, on_busy="merge")
        while process.wait_for("point") != ("after begin",):
            pass
    running.let()
    for process, text in ((running, "m1"), (second, "m2"), (third, "m3")):
        process.wait_until_done([text])

    answers = check_whole(look(lambda store: check_consistent(store, "c")), ["m1", "m2", "m3"])
    assert answers == {"m1": done("m1"), "m2": done("m2", "m3"), "m3": done("m2", "m3")}
    assert {**second.answers, **third.answers} == {"m2": (done("m2", "m3"), False), "m3": (done("m2", "m3"), True)}


def test_two_runs_at_once_and_then_a_third_whose_model_sees_every_message_in_order(url, start, look):
    processes = [start(url), start(url)]
    for process, text in zip(processes, ("m1", "m2"), strict=True):
        process.send("c", text)
    for process, text in zip(processes, ("m1", "m2"), strict=True):
        process.wait_until_done([text])
    before = look(lambda store: check_consistent(store, "c"))

    third = start(url, gated=True)
    third.send("c", "m3")
    [seen] = third.wait_for("asked")
    third.let()
    third.wait_until_done(["m3"])

    assert [(role, text) for role, text in seen if role == "user"][2:] == [("user", "m3")]
    assert seen[:-1] == [(message["role"], message["content"]) for message in before]
    check_whole(look(lambda store: check_consistent(store, "c")), ["m1"], ["m2"], ["m3"])


def test_a_model_that_fails_after_a_tool_has_run_does_not_make_it_run_again(url, start, look, tmp_path):
    effects = tmp_path / "effects"
    for conversation_id, text in (("named", "m1"), ("unnamed", "m2")):
        process = start(url, failing_call=1, effects=effects)
        process.send(conversation_id, text, named=conversation_id == "named")
        process.wait_until_done([text])
        assert [failure[2] for failure in process.failures] == ["LLMUnavailable"]

    # The user repeats the message: in the first conversation by its id, in the second as words of their own.
    repeating = start(url, effects=effects)
    repeating.send("named", "m1")
    repeating.send("unnamed", "m2", named=False)
    repeating.wait_until_done(["m1", "m2"])

    assert repeating.answers == {"m1": (done("m1"), False), "m2": (done("m2", "m2"), False)}
    assert len(effects.read_text().split()) == 2
    check_whole(look(lambda store: check_consistent(store, "named")), ["m1"])
    repeated = look(lambda store: check_consistent(store, "unnamed"))
    assert [text for _, text in entered(repeated)] == ["m2"]
    roles = ["user", "assistant", "tool", "user", "assistant", "tool", "assistant"]
    assert [message["role"] for message in repeated] == roles


def test_a_process_that_was_stopped_and_taken_over_writes_nothing_when_it_wakes_up(url, start, look):
    stopped = [start(url, lease_seconds=0.3, stops_at_point=point) for point in range(len(STOPPED_AT))]
    for point, process in enumerate(stopped):
        process.send(f"c{point}", f"m{point}")
    for process in stopped:
        process.wait_until_stopped()

    other = start(url)
    for point in range(len(stopped)):
        other.send(f"c{point}", f"other{point}")
    other.wait_until_done([f"other{point}" for point in range(len(stopped))])
    assert other.failures == []

    for point, (process, stored) in enumerate(zip(stopped, STOPPED_AT, strict=True)):
        process.carry_on()
        process.wait_until_done([f"m{point}"])
        alone = stored in ("nothing", "answered")
        assert [failure[2] for failure in process.failures] == ([] if alone else ["LeaseLost"])
        # What was stored first was answered by the other process; sent again, it gets that answer.
        process.send(f"c{point}", f"m{point}")
        again = process.wait_for("answered")
        together = done(f"other{point}") if alone else done(f"m{point}", f"other{point}")
        assert other.answers[f"other{point}"] == (together, False)
        assert again[2:] == (done(f"m{point}") if alone else together, True)
        history = look(lambda store, point=point: check_consistent(store, f"c{point}"))
        check_whole(history, [f"m{point}"], [f"other{point}"])


@pytest.mark.parametrize("each_waits_for_its_answer", [True, False])
def test_two_processes_in_the_same_conversations_at_once_lose_and_double_nothing(
    url, start, look, scale, each_waits_for_its_answer
):
    conversations = [f"c{number}" for number in range(scale("CONVERSATIONS", 10))]
    count = scale("MESSAGES", 2)
    sent = {
        (sender, name): [f"{sender}-{name}-{number}" for number in range(count)]
        for sender in ("a", "b")
        for name in conversations
    }
    senders = {sender: start(url) for sender in ("a", "b")}
    for (sender, name), texts in sent.items():
        for together in [texts] if each_waits_for_its_answer else [[text] for text in texts]:
            senders[sender].send(name, *together)
    for sender, process in senders.items():
        process.wait_until_done([text for (by, _), texts in sent.items() if by == sender for text in texts])

    assert [process.failures for process in senders.values()] == [[], []]
    answers: dict[str, str] = {}
    for name in conversations:
        history = look(lambda store, name=name: check_consistent(store, name))
        answers |= check_whole(history, sent["a", name], sent["b", name])
    told = {text: answer for process in senders.values() for text, (answer, _) in process.answers.items()}
    assert told == answers


async def test_many_conversations_at_once_meet_no_conflict(url, scale):
    names = [f"c{number}" for number in range(scale("AT_ONCE", 100))]
    async with open_store(url) as store:  # type: ignore[attr-defined]
        agent = LedgerAgent(Clerk(), JourneyConfig(), store=store)

        results = await asyncio.gather(*(agent.send(name, f"hello-{name}") for name in names))

        assert [result.response for result in results] == [done(f"hello-{name}") for name in names]
        for name in names[::50]:
            check_whole(await check_consistent(store, name), [f"hello-{name}"])
