"""The journey that recovers."""

from __future__ import annotations

import pytest

from agent_runtime_core.interfaces import LLMClient
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply

pytestmark = pytest.mark.parametrize("example", ["order_lookup"], indirect=True)

LOOK_UP = tool_call_reply("look_up_order", number="A-1001")
AGAIN = tool_call_reply("try_again")


async def test_a_model_that_keeps_trying_gets_through(example, talk):
    # Given
    agent = example.LookupAgent(
        ScriptedLLM([LOOK_UP, AGAIN, AGAIN, "It is on its way."], strict=True), backend=example.OrderSystem(2)
    )

    # When
    result = await talk(agent, "Where is A-1001?")

    # Then
    assert result.state == {"step": "found", "number": "A-1001", "tries": 0, "status": "on its way"}


async def test_after_the_last_try_a_person_takes_over(example, talk, tool_results):
    # Given
    backend = example.OrderSystem(failures=100)
    agent = example.LookupAgent(
        ScriptedLLM([LOOK_UP, AGAIN, AGAIN, AGAIN, "A colleague will write to you."]), backend=backend
    )

    # When
    result = await talk(agent, "Where is A-1001?")

    # Then
    assert tool_results(result)[3] == "Error: Unknown tool 'try_again'. Tools offered now: none, answer in words."
    assert backend.failures == 97
    assert result.response == "A colleague will write to you."
    assert result.state == {"step": "handed_over", "number": "A-1001", "tries": 3, "status": ""}


async def test_what_a_tool_has_changed_before_it_raised_is_undone(example, talk, tool_results):
    # Given
    banana = tool_call_reply("look_up_order", number="banana")
    agent = example.LookupAgent(ScriptedLLM([banana, "Which number?"], strict=True))

    # When
    result = await talk(agent, "Where is my banana?")

    # Then
    assert tool_results(result) == ["Error executing look_up_order: BANANA is no order number, they look like A-1001"]
    assert await agent.get_state("a-conversation") == example.LookupState(step=example.Step.ASK_NUMBER, number="")


async def test_a_number_that_does_not_exist_is_asked_for_again(example, talk, tool_results):
    # Given
    unknown = tool_call_reply("look_up_order", number="A-9")
    agent = example.LookupAgent(
        ScriptedLLM([unknown, "Which?", LOOK_UP, "There."], strict=True), backend=example.OrderSystem(0)
    )

    # When
    first = await talk(agent, "A-9")
    state = await agent.get_state("a-conversation")
    second = await talk(agent, "A-1001, sorry")

    # Then
    assert tool_results(first) == ["There is no order A-9."]
    assert state is not None
    assert state.step is example.Step.ASK_NUMBER
    assert tool_results(second) == ["Order A-1001 is on its way."]


async def test_there_is_nothing_to_retry_before_the_first_try(example, talk, tool_results):
    # Given
    backend = example.OrderSystem(failures=1)
    agent = example.LookupAgent(ScriptedLLM([AGAIN, "Which number?"], strict=True), backend=backend)

    # When
    result = await talk(agent, "Try again!")

    # Then
    assert tool_results(result) == ["Error: Unknown tool 'try_again'. Tools offered now: look_up_order."]
    assert backend.failures == 1


@pytest.mark.parametrize(
    ("lines", "number", "status"),
    [
        (("where is my order?", "A-1001", "yes", "try again"), "A-1001", "on its way"),
        (("hi", "it's A-1002", "ok", "yes please"), "A-1002", "waiting for its payment"),
        (("my order number is a-1001", "again", "retry"), "A-1001", "on its way"),
        (("hi", "banana", "A-1001", "yes", "sure"), "A-1001", "on its way"),
        (("hi", "A-77", "yes", "yes", "sorry, A-1002"), "A-1002", "waiting for its payment"),
    ],
)
async def test_plain_answers_find_the_order(
    example, talk, offline: LLMClient, lines: tuple[str, ...], number: str, status: str
):
    # Given
    agent = example.LookupAgent(offline)

    # When
    result = await talk(agent, *lines)

    # Then
    assert result.state == {"step": "found", "number": number, "tries": 0, "status": status}
    assert f"Order {number} is {status}." in result.response


@pytest.mark.parametrize(
    ("lines", "tries"),
    [
        (("hi", "A-1001", "yes", "yes"), 3),
        (("A-1001", "I want to talk to a person"), 1),
        (("A-1001", "no thanks"), 1),
        (("A-1001", "yes", "give up"), 2),
    ],
)
async def test_plain_answers_reach_a_person(example, talk, offline: LLMClient, lines: tuple[str, ...], tries: int):
    # Given
    agent = example.LookupAgent(offline, backend=example.OrderSystem(failures=100))

    # When
    result = await talk(agent, *lines)

    # Then
    assert result.state == {"step": "handed_over", "number": "A-1001", "tries": tries, "status": ""}
    assert "A colleague will write to you today." in result.response


async def test_tries_are_counted_across_restarts(example, talk, offline: LLMClient, store_url: str):
    # Given
    async with example.LookupAgent(offline, store=store_url, backend=example.OrderSystem(failures=100)) as agent:
        await talk(agent, "A-1001", "yes")

    # When
    async with example.LookupAgent(offline, store=store_url, backend=example.OrderSystem(failures=100)) as agent:
        before = await agent.get_state("a-conversation")
        await talk(agent, "yes")
        after = await agent.get_state("a-conversation")

    # Then
    assert before == example.LookupState(step=example.Step.RETRY, number="A-1001", tries=2)
    assert after == example.LookupState(step=example.Step.HANDED_OVER, number="A-1001", tries=3)
