"""The looping journey."""

from __future__ import annotations

import pytest

from agent_runtime_core.interfaces import LLMClient
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply

pytestmark = pytest.mark.parametrize("example", ["cart"], indirect=True)


def add(item: str, quantity: int) -> dict[str, object]:
    return tool_call_reply("add_item", item=item, quantity=quantity)


async def test_the_loop_goes_round_until_the_order_is_placed(example, talk):
    # Given
    llm = ScriptedLLM(
        [
            "Welcome!",
            add("apples", 2),
            add("bread", 1),
            add("apples", 3),
            "Anything else?",
            tool_call_reply("checkout"),
            "Shall I?",
            tool_call_reply("cancel_checkout"),
            tool_call_reply("remove_item", item="bread"),
            tool_call_reply("checkout"),
            tool_call_reply("place_order"),
            "Thank you!",
        ],
        strict=True,
    )
    agent = example.CartAgent(llm)

    # When
    result = await talk(
        agent, "Hello", "Two apples, a bread, three more apples", "That's all", "No bread, and then yes"
    )

    # Then
    assert result.state == {"step": "done", "lines": [{"item": "apples", "quantity": 5}]}
    assert "5 x apples, 2.00 euros in all" in llm.calls[-2]["messages"][0]["content"]


async def test_an_empty_cart_can_only_be_filled(example, talk, tool_results):
    # Given
    llm = ScriptedLLM(["Welcome!", tool_call_reply("checkout"), "There is nothing in it."], strict=True)
    agent = example.CartAgent(llm)

    # When
    result = await talk(agent, "Hello", "Check out")

    # Then
    assert tool_results(result) == ["Error: Unknown tool 'checkout'. Tools offered now: add_item."]
    assert await agent.get_state("a-conversation") == example.CartState(step=example.Step.SHOPPING)


async def test_a_reply_that_empties_the_cart_does_not_checkout(example, talk, tool_results):
    # Given
    emptying = tool_call_reply("remove_item", ("checkout", {}), item="milk")
    agent = example.CartAgent(ScriptedLLM(["Welcome!", add("milk", 1), "Else?", emptying, "It is empty."], strict=True))

    # When
    result = await talk(agent, "Hello", "A milk", "No, none, and that's all")

    # Then
    assert tool_results(result) == [
        "In your cart: nothing, 0.00 euros in all.",
        "Error: Unknown tool 'checkout'. Tools offered now: add_item.",
    ]
    assert await agent.get_state("a-conversation") == example.CartState(step=example.Step.SHOPPING)


@pytest.mark.parametrize(
    ("item", "quantity", "told"),
    [
        ("apples", 19, "You can have 1 to 20 x apples, so not 19 more."),
        ("apples", 0, "You can have 1 to 20 x apples, so not 0 more."),
        ("apples", -2, "You can have 1 to 20 x apples, so not -2 more."),
        ("diamonds", 1, "Error: invalid arguments for 'add_item': item"),
    ],
)
async def test_what_the_shop_does_not_sell_stays_out(example, talk, tool_results, item: str, quantity: int, told: str):
    # Given
    agent = example.CartAgent(ScriptedLLM(["Welcome!", add("apples", 2), add(item, quantity), "Sorry."], strict=True))

    # When
    result = await talk(agent, "Hello", "Two apples and more")

    # Then
    assert tool_results(result)[1].startswith(told)
    assert await agent.get_state("a-conversation") == example.CartState(
        step=example.Step.SHOPPING, lines=[example.Line("apples", 2)]
    )


async def test_an_order_cannot_be_placed_without_checking_out(example, talk, tool_results):
    # Given
    calls = tool_call_reply("add_item", ("place_order", {}), item="milk", quantity=1)
    agent = example.CartAgent(ScriptedLLM(["Welcome!", calls, "Anything else?"], strict=True))

    # When
    result = await talk(agent, "Hello", "A milk, and order it")

    # Then
    assert tool_results(result)[1].startswith("Error: Unknown tool 'place_order'.")
    assert await agent.get_state("a-conversation") == example.CartState(
        step=example.Step.SHOPPING, lines=[example.Line("milk", 1)]
    )


@pytest.mark.parametrize(
    ("lines", "ordered"),
    [
        (("hello", "two apples", "that's all", "yes"), [("apples", 2)]),
        (("hi", "apples", "2", "1 bread", "no", "go ahead"), [("apples", 2), ("bread", 1)]),
        (
            ("hi", "coffee x 2", "Add 1 bread please", "that will be all", "yes, place the order"),
            [("coffee", 2), ("bread", 1)],
        ),
        (("hello", "2 milk", "3 apples", "remove the milk", "check out", "yes please"), [("apples", 3)]),
        (("hello", "one coffee", "done", "no", "2 more coffees", "that's it", "sure"), [("coffee", 3)]),
        (
            ("hi", "3 apples and 2 milk", "a coffee", "one", "that's all", "yes"),
            [("apples", 3), ("milk", 2), ("coffee", 1)],
        ),
        (("hi", "3 breads", "no thanks", "I confirm"), [("bread", 3)]),
        (("hello", "30 apples", "20 apples", "nothing else", "ok"), [("apples", 20)]),
    ],
)
async def test_plain_answers_place_an_order(
    example, talk, offline: LLMClient, lines: tuple[str, ...], ordered: list[tuple[str, int]]
):
    # Given
    agent = example.CartAgent(offline)

    # When
    await talk(agent, *lines)

    # Then
    assert await agent.get_state("a-conversation") == example.CartState(
        step=example.Step.DONE, lines=[example.Line(item, quantity) for item, quantity in ordered]
    )


async def test_the_cart_is_still_full_the_next_day(example, talk, offline: LLMClient, store_url: str):
    # Given
    async with example.CartAgent(offline, store=store_url) as agent:
        await talk(agent, "hello", "two apples", "1 bread")

    # When
    async with example.CartAgent(offline, store=store_url) as agent:
        before = await agent.get_state("a-conversation")
        result = await talk(agent, "remove the apples", "that's all", "yes")

    # Then
    assert before == example.CartState(
        step=example.Step.SHOPPING, lines=[example.Line("apples", 2), example.Line("bread", 1)]
    )
    assert result.state == {"step": "done", "lines": [{"item": "bread", "quantity": 1}]}
    assert "Ordered: 1 x bread, 2.60 euros in all." in result.response
