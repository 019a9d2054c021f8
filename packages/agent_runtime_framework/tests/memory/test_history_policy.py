"""What the model sees of a long conversation: the last messages, so many tokens, or a summary of what came before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runtime_core.errors import ConfigError, LLMUnavailable
from agent_runtime_core.history import is_sendable, sendable
from agent_runtime_core.llm.prompt_prefix import common_prefix
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import JourneyConfig, LastMessages, LastTokens, SummariseOlder

NOTE = tool_call_reply("note", text="x")


@dataclass
class Stored:
    """A conversation of which a policy has loaded the end."""

    all: list[Any]
    loaded: int
    conversation_id: str = "c"
    note: Any = None
    messages: list[Any] = field(init=False)
    first: int = field(init=False)

    def __post_init__(self) -> None:
        self.first = max(0, len(self.all) - self.loaded)
        self.messages = self.all[self.first :]

    async def read(self, start: int, stop: int) -> list[Any]:
        return self.all[start:stop]

    async def load_note(self) -> Any:
        return self.note

    async def save_note(self, note: Any) -> None:
        self.note = note


def run(number: int) -> list[dict[str, Any]]:
    call = {"id": f"c{number}", "type": "function", "function": {"name": "note", "arguments": "{}"}}
    return [
        {"role": "user", "content": f"question {number}"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "done", "tool_call_id": f"c{number}", "name": "note"},
        {"role": "assistant", "content": f"answer {number}"},
    ]


RUNS = st.lists(st.integers(0, 3), max_size=20).map(
    lambda shapes: [
        *(message for n, shape in enumerate(shapes) for message in (run(n) if shape else run(n)[::3])),
        {"role": "user", "content": "now"},
    ]
)


@given(RUNS, st.integers(0, 12))
async def test_the_last_messages_begin_with_a_user_and_are_whole(said, count):
    policy = LastMessages(count)

    shown = await policy.fit(Stored(said, count + 1))

    assert len(shown) <= count + 1
    assert shown == said[len(said) - len(shown) :]
    assert shown[0]["role"] == "user"
    assert is_sendable(shown)


@given(RUNS, st.integers(1, 300))
async def test_the_last_tokens_are_not_more_than_allowed_but_for_the_newest_message(said, tokens):
    policy = LastTokens(tokens, count=lambda message: len(str(message["content"])))

    shown = await policy.fit(Stored(said, 1000))

    assert shown[-1] == said[-1]
    assert shown == said[len(said) - len(shown) :]
    assert sum(len(str(message["content"])) for message in shown) <= max(tokens, len("now"))
    assert is_sendable(shown)


async def test_the_window_moves_by_steps_so_that_requests_begin_alike():
    said = [message for n in range(60) for message in run(n)[::3]]
    policy = LastMessages(20)
    starts = []
    for end in range(41, 81, 2):
        shown = await policy.fit(Stored(said[:end], 21))
        starts.append(end - len(shown))

    assert len(set(starts)) <= len(starts) / 2
    assert all(16 <= end - start <= 21 for end, start in zip(range(41, 81, 2), starts, strict=True))


async def test_a_window_within_one_long_run_has_no_results_without_their_calls():
    said = [{"role": "user", "content": "go"}, *(message for n in range(9) for message in run(n)[1:3])]

    for count in range(1, 8):
        shown = await LastMessages(count).fit(Stored(said, count + 1))
        assert is_sendable(shown)


async def test_what_is_short_is_not_summarised():
    policy = SummariseOlder(llm := ScriptedLLM([]), keep=4, every=4)
    said = [message for n in range(2) for message in run(n)]

    assert await policy.fit(Stored(said, policy.max_messages + 1)) == said
    assert llm.call_count == 0


async def test_older_messages_are_summarised_once_and_then_now_and_again():
    policy = SummariseOlder(llm := ScriptedLLM(f"summary {n}" for n in range(12)), keep=4, every=8)
    said: list[Any] = []
    note = None
    for n in range(12):
        said += run(n)
        now = [*said, {"role": "user", "content": "now"}]
        stored = Stored(now, policy.max_messages + 1, note=note)
        shown = await policy.fit(stored)
        note = stored.note
        assert is_sendable(shown)
        assert len(shown) <= policy.max_messages + 2
        uncovered = shown[1:] if note else shown
        assert uncovered == now[len(now) - len(uncovered) :]
        assert len(uncovered) >= min(len(now), 4)
        if note:
            assert note["covered"] == len(now) - len(uncovered)
            assert note["text"] in shown[0]["content"]

    assert 3 <= llm.call_count <= 5
    assert "summary" in llm.calls[-1]["messages"][1]["content"]  # the notes so far go into the next ones


async def test_a_summary_that_fails_does_not_fail_the_run(caplog):
    policy = SummariseOlder(ScriptedLLM([LLMUnavailable("down")]), keep=2, every=2)
    said = [message for n in range(5) for message in run(n)]

    shown = await policy.fit(Stored(said, policy.max_messages + 1))

    assert shown == sendable(shown) == said[-5:]
    assert "older messages of conversation 'c' were not summarised (LLMUnavailable)" in caplog.text


async def test_an_agent_summarises_and_keeps_the_summary_with_the_conversation(signup, store):
    writer = ScriptedLLM(["Ada wants a pony."])
    config = JourneyConfig(history=SummariseOlder(writer, keep=2, every=4))
    agent = signup.Agent(llm := ScriptedLLM(list("abcdef")), config, store=store)

    for number in range(5):
        await agent.send("c", f"message {number}")

    assert writer.call_count == 1
    assert llm.calls[-1]["messages"][1]["content"].endswith("Ada wants a pony.")
    assert llm.calls[-1]["messages"][-1]["content"] == "message 4"
    assert len(await agent.get_history("c")) == 10  # the store keeps all
    again = signup.Agent(later := ScriptedLLM(["g"]), config, store=store)
    await again.send("c", "message 5")
    assert later.calls[0]["messages"][1]["content"].endswith("Ada wants a pony.")
    assert writer.call_count == 1


async def test_requests_of_an_agent_with_a_window_begin_alike_most_of_the_time(signup, store):
    agent = signup.Agent(llm := ScriptedLLM(["a"] * 60), JourneyConfig(max_history_messages=40), store=store)
    for number in range(60):
        await agent.send("c", f"message {number}")

    pairs = list(zip(llm.calls[30:], llm.calls[31:], strict=False))
    kept = [common_prefix(before, after).messages >= 30 for before, after in pairs]
    assert sum(kept) >= 0.7 * len(kept)


@pytest.mark.parametrize(
    "make",
    [
        lambda: LastMessages(-1),
        lambda: LastMessages("last"),  # type: ignore[arg-type]
        lambda: LastTokens(0),
        lambda: LastTokens("many"),  # type: ignore[arg-type]
        lambda: LastTokens(10, count=4),  # type: ignore[arg-type]
        lambda: LastTokens(10, max_messages=0),
        lambda: SummariseOlder(ScriptedLLM([]), keep=0),
        lambda: SummariseOlder(ScriptedLLM([]), every=0),
        lambda: SummariseOlder(ScriptedLLM([]), words=0),
        lambda: SummariseOlder(ScriptedLLM([]), keep="all"),  # type: ignore[arg-type]
    ],
)
def test_a_number_that_means_nothing_is_refused(make):
    with pytest.raises(ConfigError, match="give"):
        make()
