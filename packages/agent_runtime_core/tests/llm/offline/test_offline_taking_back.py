"""Tools that say "only when the user asks for it": they are called on those words, and on no others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_runtime_core.llm.offline import OfflineClient

ON_REQUEST = "Only when the user asks for it: "
TEXT = {"type": "string"}


def tool(name: str, description: str, **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


FIELD = {"type": "string", "enum": ["full_name", "email", "start_date", "city"]}
BACK = [
    tool("go_back", f"{ON_REQUEST}go back to the step before."),
    tool("change_answer", f"{ON_REQUEST}reopen an answer.", field=FIELD),
    tool("start_again", f"{ON_REQUEST}forget all answers."),
    tool("cancel", f"{ON_REQUEST}cancel."),
]
SAVE_PET = tool("save_pet", "Save the pet.", pet={**TEXT, "description": "The user's pet"})
SAVE_EMAIL = tool("save_email", "Save the email.", email={**TEXT, "description": "The user's email"})
SAVE_TRIP = tool("save_trip", "Save the trip.", city=TEXT, nights={"type": "integer"})
ASK_PET = {"role": "system", "content": "Ask which pet the user has."}


async def answer(said: str, *, tools: list[Any] | None = None, before: list[Any] | None = None) -> dict[str, Any]:
    asked = [ASK_PET, {"role": "user", "content": "hello"}, {"role": "assistant", "content": "Which pet do you have?"}]
    messages = [*(asked if before is None else before), {"role": "user", "content": said}]
    reply = await OfflineClient(announce=False).generate(messages, tools=[SAVE_PET, *BACK] if tools is None else tools)
    return dict(reply.message)


def called(message: dict[str, Any]) -> tuple[str, Any] | None:
    calls = message.get("tool_calls")
    return (calls[0]["function"]["name"], json.loads(calls[0]["function"]["arguments"])) if calls else None


def ran(name: str, arguments: dict[str, Any], result: str, call_id: str = "c1") -> list[dict[str, Any]]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return [
        {"role": "assistant", "content": "", "tool_calls": [{"id": call_id, "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": call_id, "content": result},
    ]


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("go back", "go_back"),
        ("Back, please.", "go_back"),
        ("Wait, can we go back one step?", "go_back"),
        ("undo that", "go_back"),
        ("start again", "start_again"),
        ("I'd like to start over", "start_again"),
        ("Let's begin from the beginning", "start_again"),
        ("restart", "start_again"),
        ("cancel", "cancel"),
        ("Please cancel everything.", "cancel"),
        ("yes, cancel it", "cancel"),
        ("I want to cancel my application", "cancel"),
        ("stop", "cancel"),
        ("forget it", "cancel"),
    ],
)
async def test_what_is_taken_back_as_a_whole(said: str, name: str) -> None:
    assert called(await answer(said)) == (name, {})


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ("change my email", "email"),
        ("change my email to x@example.org", "email"),
        ("Can I change the email address?", "email"),
        ("actually my name is Bob", "full_name"),
        ("No, my name is Bob.", "full_name"),
        ("sorry, the city should be Paris", "city"),
        ("my name is Ada, not Eda", "full_name"),
        ("The city is not Rome but Paris", "city"),
        ("my start date is wrong", "start_date"),
        ("the date is incorrect, it should be 2026-05-03", "start_date"),
        ("please correct my full name", "full_name"),
    ],
)
async def test_an_answer_that_is_to_be_changed(said: str, field: str) -> None:
    assert called(await answer(said)) == ("change_answer", {"field": field})


@pytest.mark.parametrize(
    "said",
    [
        "a cat",
        "yes",
        "no",
        "hello",
        "thanks",
        "Goodbye",
        "My name is Bob",
        "I have a dog and want to go back to work with it",
        "He came back",
        "What does it cost to cancel?",
        "Why did you cancel it?",
        "I never start again what I have finished",
        "do not cancel",
        "don't go back",
        "I changed my mind",
        "My wife likes to change her email",
        "change my car to a bus",
        "the weather is wrong",
        "Actually it is a cat",
        "next",
        "again",
        "cancel culture is my pet",
    ],
)
async def test_other_words_take_nothing_back(said: str) -> None:
    found = called(await answer(said))
    assert found is None or found[0] == "save_pet"


async def test_a_tool_of_the_journey_that_does_what_is_said_comes_first() -> None:
    own = [tool("decline_offer", "The user declines the offer."), SAVE_PET, *BACK]
    assert called(await answer("cancel", tools=own)) == ("decline_offer", {})


async def test_a_tool_of_that_name_that_does_not_say_so_is_like_any_other() -> None:
    own = [tool("cancel", "Cancel the order.", order={**TEXT, "description": "The order number"})]
    message = await answer("cancel", tools=own, before=[])
    assert (called(message), message["content"]) == (None, "What is the order number?")


async def test_the_new_answer_is_saved_at_once_with_what_else_was_said_for_the_tool() -> None:
    said = {"role": "user", "content": "Actually, the city is Paris"}
    before = [
        {"role": "user", "content": "Rome, 3 nights"},
        *ran("save_trip", {"city": "Rome", "nights": 3}, "Saved."),
        {"role": "assistant", "content": "Saved. Which pet do you have?"},
        said,
        *ran("change_answer", {"field": "city"}, "Reopened: city. The journey is at step TRIP now.", "c2"),
    ]
    reply = await OfflineClient(announce=False).generate(before, tools=[SAVE_TRIP, *BACK])
    assert called(dict(reply.message)) == ("save_trip", {"city": "Paris", "nights": 3})


async def test_an_answer_that_was_not_given_is_asked_for_alone() -> None:
    before = [
        {"role": "user", "content": "Rome, 3 nights"},
        *ran("save_trip", {"city": "Rome", "nights": 3}, "Saved."),
        {"role": "assistant", "content": "Saved. Which pet do you have?"},
        {"role": "user", "content": "the city is wrong"},
        *ran("change_answer", {"field": "city"}, "Reopened: city. The journey is at step TRIP now.", "c2"),
    ]
    client = OfflineClient(announce=False)
    question = await client.generate(before, tools=[SAVE_TRIP, *BACK])
    assert (called(dict(question.message)), question.message["content"]) == (None, "What is the city?")

    message = await answer("Paris", tools=[SAVE_TRIP, *BACK], before=[*before, dict(question.message)])
    assert called(message) == ("save_trip", {"city": "Paris", "nights": 3})


@pytest.mark.parametrize(
    ("name", "result", "words"),
    [
        ("cancel", "Not cancelled. Ask the user whether ...", "Do you really want to cancel?"),
        ("cancel", "Cancelled. Tell the user so; ask nothing more.", "It is cancelled."),
        ("start_again", "Nothing is forgotten. Ask ...", "Do you really want to start again and forget all answers?"),
        (
            "start_again",
            "Everything begins again at step PET; ...",
            "All right, from the beginning. Please tell me which pet you have.",
        ),
        (
            "go_back",
            "The journey is at step PET again. ...",
            "All right, one step back. Please tell me which pet you have.",
        ),
        ("go_back", "Error: Unknown tool 'go_back'. Tools offered now: save_pet.", None),
    ],
)
async def test_what_comes_of_it_is_told_in_words_for_the_user(name: str, result: str, words: str | None) -> None:
    messages = [ASK_PET, {"role": "user", "content": "well"}, *ran(name, {}, result)]
    reply = await OfflineClient(announce=False).generate(messages, tools=[SAVE_PET, *BACK])
    content = str(reply.message["content"])
    assert (content == words) if words else content.startswith("That did not work: Unknown tool 'go_back'.")


@pytest.mark.parametrize(
    ("said", "calls"), [("yes", ("cancel", {})), ("no", None), ("No, thanks.", None), ("Yes, please!", ("cancel", {}))]
)
async def test_the_answer_to_the_question_is_no_answer_to_the_one_before(said: str, calls: Any) -> None:
    wants = tool("save_news", "Save it.", news={"type": "boolean", "description": "Whether the user wants news"})
    before = [
        {"role": "system", "content": "Ask whether the user wants news."},
        {"role": "user", "content": "cancel"},
        *ran("cancel", {}, "Not cancelled. Ask the user."),
        {"role": "assistant", "content": "Do you really want to cancel?"},
    ]
    message = await answer(said, tools=[wants, *BACK], before=before)
    assert called(message) == calls
    assert calls is not None or message["content"] == "Do you want news? (yes/no)"


async def test_what_was_cancelled_says_how_to_begin_anew() -> None:
    message = await answer("Bob", tools=[BACK[2]])
    assert message["content"] == 'This is cancelled. To begin anew, say "start again".'
    assert called(await answer("start again", tools=[BACK[2]])) == ("start_again", {})


async def test_a_wish_to_change_what_is_asked_for_is_no_answer_to_it() -> None:
    message = await answer("the pet is wrong")
    assert (called(message), message["content"]) == (None, "Please tell me which pet you have.")
    assert called(await answer("change my pet to a dog")) == ("save_pet", {"pet": "a dog"})


async def test_a_yes_is_no_wish_for_another_journey() -> None:
    ways = [tool("start_hours", "The user asks when we are open."), tool("reroute_conversation", "Something else.")]
    before = [{"role": "user", "content": "well"}, {"role": "assistant", "content": "Should it be paid out?"}]
    paying = tool("pay_out", "Pay the claim out.")
    assert called(await answer("yes", tools=[paying, *ways], before=before)) == ("pay_out", {})
    assert called(await answer("yes", tools=[SAVE_PET, *ways], before=before)) is None
    assert called(await answer("start hours", tools=[SAVE_PET, *ways], before=before)) == ("start_hours", {})


async def test_a_message_that_has_led_here_is_not_acted_on_again() -> None:
    led = {"role": "system", "content": "Ask which pet the user has. The user has just come to this."}
    ways = [tool("start_pets", "The user has a pet."), tool("reroute_conversation", "Something else.")]
    before = [led, {"role": "user", "content": "reroute conversation"}]
    message = await answer("start pets", tools=[SAVE_PET, *ways[1:]], before=before)
    assert (called(message), message["content"]) == (None, "Please tell me which pet you have.")
