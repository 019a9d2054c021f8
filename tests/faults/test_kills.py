"""A process that is killed, anywhere: no message is lost, none is entered or answered twice, and all goes on."""

from __future__ import annotations

import random
from typing import Any

from tests.faults.ledger import check_consistent, check_whole, entered

LEASE_S = 0.3
CONVERSATIONS = ("ada", "bob", "cleo")
POINTS = ("begin", "the first commit", "the second commit", "the last commit")


def test_killed_right_before_or_after_any_write_a_run_is_taken_up_where_it_was(url, start, look, tmp_path):
    effects = tmp_path / "effects"
    victims = []
    for point in range(2 * len(POINTS)):
        victims.append(start(url, lease_seconds=LEASE_S, effects=effects, dies_at_point=point))
        victims[-1].send(f"c{point}", f"m{point}")
    for victim in victims:
        victim.wait_for_death()
    look(lambda store: check_all(store, [f"c{point}" for point in range(len(victims))]))

    survivor = start(url, lease_seconds=LEASE_S, effects=effects)
    for point in range(len(victims)):
        survivor.send(f"c{point}", f"m{point}", f"next{point}")
    survivor.wait_until_done([f"{name}{point}" for point in range(len(victims)) for name in ("m", "next")])

    assert survivor.failures == []
    histories = look(lambda store: check_all(store, [f"c{point}" for point in range(len(victims))]))
    for point, history in enumerate(histories):
        answers = check_whole(history, [f"m{point}"], [f"next{point}"])
        assert {text: survivor.answers[text][0] for text in answers} == answers
    # Killed behind the last commit, a message has its answer; before that, a run has to find it.
    assert [survivor.answers[f"m{point}"][1] for point in range(len(victims))] == [False] * 7 + [True]
    # What was committed was done once; one killed before its first commit has done its work in vain.
    made = effects.read_text().split()
    committed = [number for history in histories for number, _ in entered(history)]
    assert sorted(set(made)) == sorted(made)
    assert set(committed) <= set(made)
    assert len(made) == len(committed) + 1


def test_killed_at_random_moments_again_and_again(url, start, look, tmp_path, scale):
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # shown when the test fails
    chance = random.Random(seed)
    effects = tmp_path / "effects"
    sent: dict[str, list[str]] = {name: [] for name in CONVERSATIONS}
    answers: dict[str, str] = {}
    stored_answers = cut = 0
    kills = scale("KILLS", 6)

    for kill in range(kills + 1):
        process = start(url, lease_seconds=LEASE_S, effects=effects, tells_points=True)
        again = []
        for name, texts in sent.items():
            texts += [f"{name}-{kill}-{number}" for number in range(chance.randint(1, 3))]
            # the last that was answered, too: its answer must not change
            first = max(0, sum(text in answers for text in texts) - 1)
            process.send(name, *texts[first:])
            again += texts[first:]
        if kill == kills:
            process.wait_until_done(again)
        else:
            listen(process, events=chance.randint(0, 6 * len(again)), until=again)
            process.kill(after_s=chance.uniform(0, 0.004))
            cut += not set(again) <= set(process.answers)
        assert process.failures == []
        for text, (answer, stored) in process.answers.items():
            assert answers.setdefault(text, answer) == answer
            stored_answers += stored
        look(lambda store: check_all(store, CONVERSATIONS))

    histories = look(lambda store: check_all(store, CONVERSATIONS))
    found: dict[str, str] = {}
    for name, history in zip(CONVERSATIONS, histories, strict=True):
        found |= check_whole(history, sent[name])
    assert answers == found
    made = effects.read_text().split()
    committed = {number for history in histories for number, _ in entered(history)}
    assert len(set(made)) == len(made)
    assert committed <= set(made)
    assert len(made) - len(committed) <= kills * len(CONVERSATIONS)
    print(
        f"{kills} kills, {cut} before all was answered; {len(found)} messages, {stored_answers} stored answers, "
        f"{len(made) - len(committed)} entries made in vain"
    )


def listen(process: Any, *, events: int, until: list[str]) -> None:
    """Read that many things that the process tells, or all until the messages are answered."""
    for _ in range(events):
        if set(until) <= set(process.answers):
            return
        process.next_event()


async def check_all(store: Any, names: Any) -> list[Any]:
    return [await check_consistent(store, name) for name in names]
