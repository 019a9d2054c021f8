"""Which of several tools the user's words call for, and what is not called."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from agent_runtime_core.llm.offline import OfflineClient

TEXT: dict[str, Any] = {"type": "string"}
WARES = {**TEXT, "enum": ["apples", "bread", "coffee", "milk"]}


@pytest.fixture
def offers(tool: Callable[..., Any]) -> dict[str, list[Any]]:
    item = {**TEXT, "description": "What to add"}
    return {
        "cart": [
            tool("add_item", "Add an item to the cart", required=["item"], item=item, quantity={"type": "integer"}),
            tool("remove_item", "Remove an item from the cart", item={**TEXT, "description": "What to remove"}),
            tool("checkout", "Finish the order"),
            tool("view_cart", "Show what is in the cart"),
        ],
        "shelf": [
            tool("add_item", item={**TEXT, "enum": ["apples", "bread"]}, quantity={"type": "integer"}),
            tool("remove_item", item={**TEXT, "enum": ["apples", "bread"]}),
        ],
        "basket": [
            tool("add_item", item=WARES, quantity={"type": "integer"}),
            tool("remove_item", item=WARES),
            tool("check_out"),
        ],
        "one apiece": [
            tool("add_item", required=["item"], item=WARES, quantity={"type": "integer", "default": 1}),
            tool("remove_item", item={**TEXT, "enum": ["coffee"]}),
        ],
        "order": [
            tool("look_up_order", "Look up an order", order_number={**TEXT, "pattern": r"^[A-Z]{2}-\d{4}$"}),
            tool("give_up", "Stop looking and hand over to a person"),
        ],
        "routes": [
            tool("start_quote", "Get a new insurance quote"),
            tool("file_claim", "File or check on a claim"),
            tool("get_support", "Talk to support"),
        ],
        "quote": [tool("accept_quote", "Accept the quote"), tool("decline_quote", "Decline the quote")],
        "booking": [tool("confirm_booking", "Confirm the booking"), tool("cancel_booking", "Cancel the booking")],
        "retry": [tool("try_again", "Look once more"), tool("hand_over_to_person", "Give up")],
    }


CALLS: list[tuple[str, str, str, str | None, dict[str, Any]]] = [
    ("cart", "Anything else?", "apples", "add_item", {"item": "apples"}),
    ("cart", "Anything else?", "add two apples please", "add_item", {"item": "apples", "quantity": 2}),
    ("cart", "Anything else?", "Can I have 2 bottles of milk?", "add_item", {"item": "bottles of milk", "quantity": 2}),
    ("cart", "Anything else?", "remove the apples", "remove_item", {"item": "apples"}),
    ("cart", "Anything else?", "what's in my cart?", "view_cart", {}),
    ("cart", "Anything else?", "no", "checkout", {}),
    ("cart", "Anything else?", "no, that's all", "checkout", {}),
    ("cart", "Anything else?", "I'm done", "checkout", {}),
    ("cart", "Anything else?", "check out please", "checkout", {}),
    ("cart", "", "finish the order", "checkout", {}),
    ("cart", "Anything else?", "yes", None, {}),
    ("cart", "Anything else?", "add another", None, {}),
    ("cart", "Anything else?", "remove something", None, {}),
    ("cart", "Anything else?", "hello", None, {}),
    ("cart", "Anything else?", "don't check out", None, {}),
    ("shelf", "Anything else?", "bread", None, {}),
    ("shelf", "Anything else?", "delete the bread", "remove_item", {"item": "bread"}),
    ("cart", "Anything else?", "take the milk out of the cart", "remove_item", {"item": "milk"}),
    ("cart", "Anything else?", "I'd like a take away burger", "add_item", {"item": "take away burger"}),
    ("basket", "Anything else?", "take out the milk", "remove_item", {"item": "milk"}),
    ("basket", "Anything else?", "take the milk out please", "remove_item", {"item": "milk"}),
    ("basket", "Anything else?", "get rid of the bread", "remove_item", {"item": "bread"}),
    ("basket", "Anything else?", "check out", "check_out", {}),
    ("one apiece", "Anything else?", "two apples", "add_item", {"item": "apples", "quantity": 2}),
    ("one apiece", "Anything else?", "apples", "add_item", {"item": "apples"}),
    ("one apiece", "Anything else?", "remove apples", None, {}),
    ("one apiece", "Anything else?", "remove the coffee", "remove_item", {"item": "coffee"}),
    ("order", "What is the order number?", "my order is ab-1234", "look_up_order", {"order_number": "AB-1234"}),
    ("order", "What is the order number?", "I give up", "give_up", {}),
    ("order", "What is the order number?", "never mind", "give_up", {}),
    ("order", "What is the order number?", "I lost it", None, {}),
    ("routes", "", "I want a quote", "start_quote", {}),
    ("routes", "", "I had an accident and want to make a claim", "file_claim", {}),
    ("routes", "", "hello", None, {}),
    ("routes", "", "what is a claim?", None, {}),
    ("quote", "Do you accept the quote?", "yes please", "accept_quote", {}),
    ("quote", "Do you accept the quote?", "no thanks", "decline_quote", {}),
    ("quote", "Do you accept the quote?", "I accept", "accept_quote", {}),
    ("quote", "Do you accept the quote?", "I decline it", "decline_quote", {}),
    ("quote", "Do you accept the quote?", "hm", None, {}),
    ("quote", "Do you accept the quote?", "I'll take it", "accept_quote", {}),
    ("quote", "Do you accept the quote?", "deal", "accept_quote", {}),
    ("quote", "Do you accept the quote?", "okay then", "accept_quote", {}),
    ("quote", "Do you accept the quote?", "too expensive, no", "decline_quote", {}),
    ("quote", "Do you accept the quote?", "that's a bit steep, no thanks", "decline_quote", {}),
    ("quote", "Do you accept the quote?", "no deal", "decline_quote", {}),
    ("booking", "Shall I book it?", "ok", "confirm_booking", {}),
    ("booking", "Shall I book it?", "no", "cancel_booking", {}),
    ("booking", "Shall I book it?", "don't cancel", None, {}),
    ("retry", "Do you want to try again?", "yes", "try_again", {}),
    ("retry", "Do you want to try again?", "try again", "try_again", {}),
    ("retry", "Do you want to try again?", "no", "hand_over_to_person", {}),
    ("retry", "Do you want to try again?", "I want to talk to a person", "hand_over_to_person", {}),
    ("retry", "Do you want to try again?", "I'd rather talk to a person", "hand_over_to_person", {}),
    ("retry", "Do you want to try again?", "get me a human", "hand_over_to_person", {}),
    ("retry", "Do you want to try again?", "put me through to someone please", "hand_over_to_person", {}),
]


@pytest.mark.parametrize(("offer", "asked", "said", "name", "arguments"), CALLS, ids=lambda each: str(each)[:40])
async def test_the_tool_that_the_words_call_for_is_called(
    offer: str,
    asked: str,
    said: str,
    name: str | None,
    arguments: dict[str, Any],
    offers: dict[str, list[Any]],
    answer: Callable[..., Any],
) -> None:
    # When
    reply = await answer(said, *offers[offer], asked=asked)

    # Then
    assert reply.call == (None if name is None else (name, arguments))


def called(tool_name: str, call_id: str, result: str, /, **arguments: Any) -> list[dict[str, Any]]:
    """A call and its result as messages."""
    function = {"name": tool_name, "arguments": json.dumps(arguments)}
    call = {"id": call_id, "type": "function", "function": function}
    return [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call_id, "name": tool_name, "content": result},
    ]


async def after(messages: list[dict[str, Any]], *tools: Any, **kwargs: Any) -> Any:
    response = await OfflineClient(announce=False).generate(messages, tools=list(tools) or None, **kwargs)
    return response.tool_calls[0] if response.tool_calls else response.content


async def test_a_value_that_is_evident_in_the_same_message_goes_to_the_next_tool(tool: Callable[..., Any]) -> None:
    # Given
    messages = [
        {"role": "user", "content": "I'm Ada, ada@example.org"},
        *called("save_name", "call_1", "Hello, Ada!", name="Ada"),
    ]

    # When
    call = await after(messages, tool("save_email", email=TEXT))

    # Then
    assert (call.name, call.arguments, call.id) == ("save_email", {"email": "ada@example.org"}, "call_2")


@pytest.mark.parametrize("name", ["save_city", "save_first_name", "save_reason"])
async def test_the_same_words_do_not_serve_two_tools(name: str, tool: Callable[..., Any]) -> None:
    # Given
    messages = [{"role": "user", "content": "Ada"}, *called("save_name", "call_1", "Saved.", name="Ada")]

    # When
    reply = await after(messages, tool(name, **{name.removeprefix("save_"): TEXT}))

    # Then
    assert reply.startswith("Saved. What is ")


async def test_a_yes_does_not_serve_two_tools(tool: Callable[..., Any]) -> None:
    # Given
    messages = [{"role": "user", "content": "yes"}, *called("accept_terms", "call_1", "Thank you.", accept=True)]

    # When
    reply = await after(messages, tool("order_now", confirm={"type": "boolean"}), tool("confirm_order"))

    # Then
    assert reply == "Thank you. Confirm? (yes/no)"


async def test_what_was_said_about_the_next_step_is_not_asked_again(tool: Callable[..., Any]) -> None:
    # Given
    offered = tool("save_home", kind={**TEXT, "enum": ["flat", "house"]}, area={"type": "number"})
    messages = [
        {"role": "user", "content": "my home, a flat"},
        *called("choose_type", "call_1", "A home, then.", type="home"),
    ]

    # When
    question = await after(messages, offered)
    messages += [{"role": "assistant", "content": question}, {"role": "user", "content": "80"}]
    call = await after(messages, offered)

    # Then
    assert question == "A home, then. What is the area?"
    assert call.arguments == {"kind": "flat", "area": 80}


async def test_after_a_failure_the_same_call_is_not_made_again_by_itself(tool: Callable[..., Any]) -> None:
    # Given
    offered = tool("look_up", email={**TEXT, "format": "email"})
    result = "Error executing look_up: no answer"
    messages = [
        {"role": "user", "content": "ada@example.org"},
        *called("look_up", "call_1", result, email="ada@example.org"),
    ]

    # When
    reply = await after(messages, offered, tool_choice="required")

    # Then
    assert reply == "That did not work: no answer. What is your email?"


@pytest.mark.parametrize("said", ["try again", "please try it again", "retry", "once more", "yes, again"])
async def test_the_user_may_ask_for_the_failed_call_again(said: str, tool: Callable[..., Any]) -> None:
    # Given
    offered = tool("look_up", email={**TEXT, "format": "email"})
    messages = [
        {"role": "user", "content": "ada@example.org"},
        *called("look_up", "call_1", "Error: no answer", email="ada@example.org"),
        {"role": "assistant", "content": "That did not work: no answer. What is your email?"},
        {"role": "user", "content": said},
    ]

    # When
    call = await after(messages, offered)

    # Then
    assert (call.name, call.arguments, call.id) == ("look_up", {"email": "ada@example.org"}, "call_2")


@pytest.mark.parametrize(
    ("result", "question"),
    [
        ("Error: 3020 has not come yet", "That did not work: 3020 has not come yet. What is the year?"),
        ("Error: no room", "That did not work: no room. What is the make?"),
        ("We insure cars built until 2026, not 3020.", "We insure cars built until 2026, not 3020. What is the year?"),
        ("Sorry, a Toyota cannot be of 3020.", "Sorry, a Toyota cannot be of 3020. What is the make?"),
    ],
)
async def test_after_wrong_arguments_only_the_wrong_one_must_be_said_again(
    result: str, question: str, tool: Callable[..., Any]
) -> None:
    # Given
    offered = tool("save_car", make=TEXT, year={"type": "integer"})
    messages = [
        {"role": "user", "content": "Toyota 3020"},
        *called("save_car", "call_1", result, make="Toyota", year=3020),
    ]

    # When
    asked = await after(messages, offered)
    said = "2020" if "Sorry" not in result else "Toyota 2020"
    call = await after([*messages, {"role": "assistant", "content": asked}, {"role": "user", "content": said}], offered)

    # Then
    assert asked.removesuffix(" (a whole number)") == question
    assert call.arguments == {"make": "Toyota", "year": 2020}


async def test_after_a_success_nothing_of_the_last_call_is_used_again(tool: Callable[..., Any]) -> None:
    # Given
    messages = [
        {"role": "user", "content": "2 apples"},
        *called("add_item", "call_1", "Added 2 x apples, not on offer.", item="apples", quantity=2),
        {"role": "assistant", "content": "Anything else?"},
        {"role": "user", "content": "bread"},
    ]

    # When
    reply = await after(messages, tool("add_item", item=WARES, quantity={"type": "integer"}))

    # Then
    assert reply == "What is the quantity?"


async def test_required_calls_a_tool_that_needs_nothing_rather_than_answering(offers: dict[str, list[Any]]) -> None:
    # Given
    messages = [{"role": "user", "content": "hm"}]

    # When
    call = await after(messages, *offers["order"], tool_choice="required")

    # Then
    assert call.name == "give_up"


async def test_required_makes_no_argument_up(tool: Callable[..., Any]) -> None:
    # When
    reply = await after([{"role": "user", "content": "hello"}], tool("save_name", name=TEXT), tool_choice="required")

    # Then
    assert reply == "Hello! What is your name?"


async def test_a_named_tool_choice_leaves_the_others_alone_and_none_leaves_all(offers: dict[str, list[Any]]) -> None:
    # Given
    messages = [{"role": "user", "content": "checkout"}]
    view = {"type": "function", "function": {"name": "view_cart"}}

    # When
    call = await after(messages, *offers["cart"], tool_choice=view)
    text = await after(messages, *offers["cart"], tool_choice="none")

    # Then
    assert call.name == "view_cart"
    assert isinstance(text, str)
