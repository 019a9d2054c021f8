"""What runs and conversations cost, and budgets."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from agent_runtime_core import LLMResponse
from agent_runtime_core.errors import ConfigError
from agent_runtime_core.events import LLMCallFinished, RunFinished
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_core.testing.llm import ScriptedReply
from agent_runtime_framework import CallableToolExecutor, JourneyConfig, LLMExecutor, LLMExecutorConfig, RunLimits


def penny(model: str, usage: Mapping[str, Any], provider: str | None) -> Decimal | None:
    """A dollar a token; a model that nobody knows has no price."""
    return None if model == "unknown" else Decimal(usage["prompt_tokens"] + usage["completion_tokens"])


def answer(text: str = "Hello.", *, model: str = "gpt-4o", prompt: int = 10, completion: int = 20) -> LLMResponse:
    usage = {"prompt_tokens": prompt, "completion_tokens": completion}
    return LLMResponse({"role": "assistant", "content": text}, usage, model=model)


def forever() -> ScriptedLLM:
    """A model that always calls a tool: 10 tokens in, 20 out."""
    return ScriptedLLM([tool_call_reply("note", text="x")] * 20)


COUNTED = JourneyConfig(pricing=penny)


async def test_a_run_says_what_it_has_cost(signup: SimpleNamespace) -> None:
    agent = signup.Agent(ScriptedLLM([tool_call_reply("note", text="x"), answer()]), COUNTED)

    result = await agent.send("c", "Hi")

    assert result.metadata["cost"] == "60"


async def test_costs_are_not_counted_unless_somebody_wants_to_know(signup: SimpleNamespace) -> None:
    agent = signup.Agent(ScriptedLLM([answer()]))

    result = await agent.send("c", "Hi")

    assert "cost" not in result.metadata
    assert [message.metadata for message in await agent.get_history("c")] == [{}, {}]


async def test_the_price_is_that_of_the_model_that_answered(signup: SimpleNamespace) -> None:
    # Given
    class Named(ScriptedLLM):
        default_model = "gpt-4o"
        provider = "openai"

    asked: list[tuple[str, str | None]] = []

    def noted(model: str, usage: Mapping[str, Any], provider: str | None) -> Decimal:
        asked.append((model, provider))
        return Decimal(1)

    agent = signup.Agent(Named([answer(model="gpt-4o-2024-08-06"), answer(model="")]), JourneyConfig(pricing=noted))

    # When
    await agent.send("c", "Hi")
    await agent.send("c", "Hi")

    # Then
    assert asked == [("gpt-4o-2024-08-06", "openai"), ("gpt-4o", "openai")]


@pytest.mark.parametrize("unknown_first", [True, False])
async def test_a_run_with_a_call_of_unknown_price_has_no_known_cost(
    signup: SimpleNamespace, unknown_first: bool
) -> None:
    replies = [LLMResponse(tool_call_reply("note", text="x"), {"prompt_tokens": 1, "completion_tokens": 1}), answer()]
    replies[0 if unknown_first else 1].model = "unknown"
    agent = signup.Agent(ScriptedLLM(replies), COUNTED)

    result = await agent.send("c", "Hi")

    assert "cost" not in result.metadata
    assert await agent.get_cost("c") is None


async def test_a_conversation_says_what_it_has_cost(signup: SimpleNamespace, tmp_path: Any) -> None:
    # Given
    url = f"sqlite:///{tmp_path}/journeys.db"
    script: list[ScriptedReply] = [tool_call_reply("note", text="x"), answer(), answer(completion=5)]
    async with signup.Agent(ScriptedLLM(script), COUNTED, store=url) as agent:
        await agent.send("c", "Hi")
        await agent.send("c", "Hi again")

    # When: another process looks
    async with signup.Agent(ScriptedLLM(), store=url) as later:
        cost, other = await later.get_cost("c"), await later.get_cost("another")
        history = await later.get_history("c")

    # Then
    assert (cost, other) == (Decimal(75), Decimal(0))
    assert [message.metadata for message in history if message.role == "assistant"] == [
        {"cost": "30", "model": "scripted"},
        {"cost": "30", "model": "gpt-4o"},
        {"cost": "15", "model": "gpt-4o"},
    ]


async def test_no_model_is_told_what_it_costs(signup: SimpleNamespace) -> None:
    llm = ScriptedLLM([tool_call_reply("note", text="x"), answer(), answer()])
    agent = signup.Agent(llm, COUNTED)

    await agent.send("c", "Hi")
    await agent.send("c", "Hi again")

    assert not any("metadata" in message for call in llm.calls for message in call["messages"])


@pytest.mark.parametrize(
    ("budget", "calls", "cost"),
    [
        (Decimal(30), 1, "30"),  # spent to the cent
        (Decimal(39), 1, "30"),  # a prompt as long as the last one would be too much
        (40.0, 2, "60"),  # the prompt fits; nobody can know how long the answer gets
        (70, 3, "90"),
        (0, 0, "0"),
    ],
)
async def test_a_budget_ends_the_run_before_the_call_that_would_break_it(
    signup: SimpleNamespace, budget: Decimal | float, calls: int, cost: str
) -> None:
    llm = forever()
    agent = signup.Agent(llm, JourneyConfig(pricing=penny, limits=RunLimits(max_cost=budget)))

    result = await agent.send("c", "Hi")

    assert result.metadata["stopped_reason"] == "limit:cost"
    assert result.metadata["cost"] == cost
    assert llm.call_count == calls
    assert result.response == JourneyConfig().closing_text


async def test_a_budget_that_is_enough_changes_nothing(signup: SimpleNamespace) -> None:
    config = JourneyConfig(pricing=penny, limits=RunLimits(max_cost=1000))

    result = await signup.Agent(ScriptedLLM([answer()]), config).send("c", "Hi")

    assert result.metadata["stopped_reason"] == "text_response"


async def test_a_budget_without_prices_uses_the_price_lists(signup: SimpleNamespace) -> None:
    # Given: a model that is in the lists, and a dear reply
    dear = LLMResponse(
        tool_call_reply("note", text="x"), {"prompt_tokens": 10**9, "completion_tokens": 0}, model="gpt-4o"
    )
    llm = ScriptedLLM([dear, answer()])

    # When
    result = await signup.Agent(llm, JourneyConfig(limits=RunLimits(max_cost=1))).send("c", "Hi")

    # Then
    assert result.metadata["stopped_reason"] == "limit:cost"
    assert llm.call_count == 1
    assert Decimal(result.metadata["cost"]) > 1


async def test_where_a_price_is_not_known_the_budget_counts_as_used_up(signup: SimpleNamespace) -> None:
    llm = ScriptedLLM([LLMResponse(tool_call_reply("note", text="x"), {}, model="unknown"), answer()])
    config = JourneyConfig(pricing=penny, limits=RunLimits(max_cost=1000))

    result = await signup.Agent(llm, config).send("c", "Hi")

    assert result.metadata["stopped_reason"] == "limit:cost"
    assert llm.call_count == 1


@pytest.mark.parametrize("budget", [-1, float("nan"), "much"])
async def test_a_budget_that_is_no_amount_is_an_error(signup: SimpleNamespace, budget: Any) -> None:
    agent = signup.Agent(ScriptedLLM(), JourneyConfig(limits=RunLimits(max_cost=budget)))

    with pytest.raises(ConfigError, match="max_cost is"):
        await agent.send("c", "Hi")


@pytest.mark.parametrize(("budget", "calls"), [(30, 1), (39, 1), (40, 2), (0, 0)])
async def test_a_budget_of_tokens_looks_ahead_in_the_same_way(signup: SimpleNamespace, budget: int, calls: int) -> None:
    llm = forever()

    result = await signup.Agent(llm, JourneyConfig(limits=RunLimits(max_total_tokens=budget))).send("c", "Hi")

    assert result.metadata["stopped_reason"] == "limit:total_tokens"
    assert llm.call_count == calls


@pytest.mark.parametrize(
    ("limits", "reason"),
    [(RunLimits(max_cost=30), "limit:cost"), (RunLimits(max_total_tokens=39), "limit:total_tokens")],
)
async def test_the_closing_words_are_not_asked_for_when_they_would_break_the_budget(
    signup: SimpleNamespace, limits: RunLimits, reason: str
) -> None:
    # Given: a run that may ask the model once, and has spent its budget then
    llm = forever()
    config = JourneyConfig(max_tool_iterations=1, pricing=penny, limits=limits)

    # When
    result = await signup.Agent(llm, config).send("c", "Hi")

    # Then
    assert llm.call_count == 1
    assert result.metadata["stopped_reason"] == reason
    assert result.response == JourneyConfig().closing_text


async def test_the_closing_words_are_asked_for_when_the_budget_allows_them(signup: SimpleNamespace) -> None:
    llm = forever()
    config = JourneyConfig(max_tool_iterations=1, pricing=penny, limits=RunLimits(max_cost=40))

    result = await signup.Agent(llm, config).send("c", "Hi")

    assert (llm.call_count, result.metadata["stopped_reason"]) == (2, "max_iterations")


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": "many"}])
async def test_where_nobody_counts_the_budget_of_tokens_counts_as_used_up(signup: SimpleNamespace, usage: Any) -> None:
    llm = ScriptedLLM([LLMResponse(tool_call_reply("note", text="x"), usage), answer()])

    result = await signup.Agent(llm, JourneyConfig(limits=RunLimits(max_total_tokens=1000))).send("c", "Hi")

    assert (llm.call_count, result.metadata["stopped_reason"]) == (1, "limit:total_tokens")


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 30, "completion_tokens": 5, "total_tokens": 35},
        {"input_tokens": 10, "cache_read_input_tokens": 20, "output_tokens": 5},
        {"total_tokens": 35},
        {"prompt_tokens": 30, "completion_tokens": 5, "total_tokens": -100},
    ],
)
async def test_tokens_are_counted_whatever_a_vendor_calls_them(signup: SimpleNamespace, usage: Any) -> None:
    # Given: a first reply that counts another way than the second
    first = LLMResponse(tool_call_reply("note", text="x"), usage)
    llm = ScriptedLLM([first, tool_call_reply("note", text="x"), answer()])

    # When: 35 of the first and 30 of the second
    result = await signup.Agent(llm, JourneyConfig(limits=RunLimits(max_total_tokens=65))).send("c", "Hi")

    # Then
    assert (llm.call_count, result.metadata["stopped_reason"]) == (2, "limit:total_tokens")


@pytest.mark.parametrize(("budget", "calls"), [(30, 1), (40, 2)])
async def test_a_stream_is_bound_by_the_same_budget(signup: SimpleNamespace, budget: int, calls: int) -> None:
    llm = forever()
    agent = signup.Agent(llm, JourneyConfig(pricing=penny, limits=RunLimits(max_cost=budget)))

    events = [event async for event in agent.stream("c", "Hi")]

    assert llm.call_count == calls
    assert isinstance(events[-1], RunFinished)
    assert events[-1].reason == "limit:cost"


async def test_events_carry_the_cost(signup: SimpleNamespace) -> None:
    agent = signup.Agent(ScriptedLLM([tool_call_reply("note", text="x"), answer()]), COUNTED)

    events = [event async for event in agent.stream("c", "Hi")]

    assert [event.cost for event in events if isinstance(event, LLMCallFinished)] == [Decimal(30), Decimal(30)]
    (finished,) = [event for event in events if isinstance(event, RunFinished)]
    assert (finished.cost, finished.to_dict()["cost"]) == (Decimal(60), "60")


async def test_an_executor_without_a_journey_counts_too() -> None:
    executor = LLMExecutor(
        ScriptedLLM([tool_call_reply("add"), answer()]),
        CallableToolExecutor({"add": lambda: 3}),
        LLMExecutorConfig(pricing=penny),
    )

    result = await executor.run([{"role": "user", "content": "1 + 2?"}])

    assert result.cost == Decimal(60)
