"""The branching journey."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from agent_runtime_core.interfaces import LLMClient
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply

pytestmark = pytest.mark.parametrize("example", ["insurance_quote"], indirect=True)

TOYOTA = {"make": "Toyota", "year": 2019}
FLAT = {"kind": "flat", "area_m2": 85}


def quote_tools(llm: ScriptedLLM) -> set[str]:
    """All tools that the model was ever offered."""
    return {tool["function"]["name"] for call in llm.calls for tool in call["tools"] or []}


@pytest.mark.parametrize(
    ("type", "save", "details", "price", "other_branch"),
    [
        ("car", "save_car", TOYOTA, 514, "save_home"),
        ("home", "save_home", FLAT, 145, "save_car"),
        ("home", "save_home", {"kind": "house", "area_m2": 85}, 230, "save_car"),
    ],
)
async def test_each_type_has_its_own_branch_and_price(
    example, talk, type: str, save: str, details: dict[str, Any], price: int, other_branch: str
):
    # Given
    llm = ScriptedLLM(
        ["Welcome!", tool_call_reply("choose_type", type=type), tool_call_reply(save, **details), f"It is {price}."],
        strict=True,
    )
    agent = example.QuoteAgent(llm)

    # When
    result = await talk(agent, "Hello", "All at once, please")

    # Then
    assert result.state == {"step": "quote", "details": details, "euros_a_year": price, "accepted": None}
    assert f"{price} euros a year" in llm.calls[-1]["messages"][0]["content"]
    assert other_branch not in quote_tools(llm)


async def test_the_other_branch_is_closed(example, talk, tool_results, style):
    # Given
    calls = tool_call_reply("choose_type", ("save_home", FLAT), type="car")
    agent = example.QuoteAgent(ScriptedLLM(["Welcome!", calls, "Which car?"], strict=True))

    # When
    result = await talk(agent, "Hello", "A car")

    # Then
    way_back = ", go_back, start_again, cancel" if style == "declared" else ""
    refused = f"Error: Unknown tool 'save_home'. Tools offered now: save_car{way_back}."
    assert tool_results(result) == ["A car, then.", refused]
    assert await agent.get_state("a-conversation") == example.QuoteState(step=example.Step.CAR)


@pytest.mark.parametrize(
    ("type", "call", "told"),
    [
        ("car", tool_call_reply("save_car", make="Benz", year=1886), f"from 1980 to {date.today().year}, not 1886"),
        ("car", tool_call_reply("save_car", make="Benz", year=9999), f"to {date.today().year}, not 9999"),
        ("home", tool_call_reply("save_home", kind="house", area_m2=0), "of 1 to 1000 square metres, not 0"),
        ("home", tool_call_reply("save_home", kind="house", area_m2=1001), "not 1001"),
        (
            "car",
            tool_call_reply("save_car", make="Toyota", year="new"),
            "Error: invalid arguments for 'save_car': year",
        ),
        (
            "home",
            tool_call_reply("save_home", kind="boat", area_m2=9),
            "Error: invalid arguments for 'save_home': kind",
        ),
        ("car", tool_call_reply("save_car", **TOYOTA, euros_a_year=1), "'euros_a_year' was unexpected"),
    ],
)
async def test_nothing_outside_the_limits_gets_a_price(
    example, talk, tool_results, type: str, call: dict[str, Any], told: str
):
    # Given
    agent = example.QuoteAgent(
        ScriptedLLM(["Welcome!", tool_call_reply("choose_type", type=type), "Which?", call, "Again?"], strict=True)
    )
    await talk(agent, "Hello", f"A {type}")
    before = await agent.get_state("a-conversation")

    # When
    result = await talk(agent, "This one")

    # Then
    assert told in tool_results(result)[0]
    assert await agent.get_state("a-conversation") == before


@pytest.mark.parametrize(
    ("lines", "details", "price", "accepted"),
    [
        (("hi", "a car please", "it's a Toyota from 2019", "yes please"), TOYOTA, 514, True),
        (("hello", "I have a car", "Toyota", "2019", "I accept"), TOYOTA, 514, True),
        (("hello", "the first one", "make: Toyota, year: 2019", "not really"), TOYOTA, 514, False),
        (("hello", "car", "Toyota, 2019", "ok"), TOYOTA, 514, True),
        (("hi", "car", "a Toyota from 1919", "sorry, a Toyota from 2019", "yes"), TOYOTA, 514, True),
        (("Good morning", "my flat", "a flat, 85 square metres", "no thanks"), FLAT, 145, False),
        (("hi", "home", "flat", "85", "sounds good"), FLAT, 145, True),
        (("hi", "I want to insure my home", "it has 85 m2 and it's a flat", "I decline"), FLAT, 145, False),
    ],
)
async def test_plain_answers_get_a_quote(
    example, talk, offline: LLMClient, lines: tuple[str, ...], details: dict[str, Any], price: int, accepted: bool
):
    # Given
    agent = example.QuoteAgent(offline)

    # When
    await talk(agent, *lines[:-1])
    shown = await agent.get_state("a-conversation")
    result = await talk(agent, lines[-1])

    # Then
    assert shown == example.QuoteState(step=example.Step.QUOTE, details=details, euros_a_year=price)
    assert result.state == {"step": "done", "details": details, "euros_a_year": price, "accepted": accepted}


async def test_a_quote_waits_for_its_answer(example, talk, offline: LLMClient, store_url: str):
    # Given
    async with example.QuoteAgent(offline, store=store_url) as agent:
        shown = await talk(agent, "hi", "car", "Toyota 2019")

    # When
    async with example.QuoteAgent(offline, store=store_url) as agent:
        result = await talk(agent, "yes")
        state = await agent.get_state("a-conversation")

    # Then
    assert "514 euros" in shown.response
    assert "Insured from today, for 514 euros a year." in result.response
    assert state == example.QuoteState(step=example.Step.DONE, details=TOYOTA, euros_a_year=514, accepted=True)
