"""What the client says: questions from prompts, descriptions and names; results in plain words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from agent_runtime_core.llm.offline import OfflineClient

TEXT: dict[str, Any] = {"type": "string"}
NO_AI = "I am the offline client: rules for trying things out, no AI"

SPOKEN = [
    ("Welcome! Ask for the user's name.", "Welcome! What is your name?"),
    ("Thank the user for completing onboarding.", "Thank you for completing onboarding."),
    ("Collect the user's name using save_name tool.", "What is your name?"),
    ("Ask the user for their full name and email.", "What are your full name and email?"),
    ("Greet the user and ask for their order number.", "Hello! What is your order number?"),
    ("You are a helpful assistant. Be polite.\n- Ask for the user's date of birth.", "What is your date of birth?"),
    ("Ask whether they want car or home insurance.", "Do you want car or home insurance?"),
    (
        "Ask whether it is a flat or a house and for its area in square metres",
        "Is it a flat or a house? What is its area in square metres?",
    ),
    ("Ask for their name and whether they smoke.", "What is your name? Do you smoke?"),
    ("Ask if the user is ready to check out.", "Are you ready to check out?"),
    ("Ask what the user wants to buy.", "Please tell me what you want to buy."),
    ("Ask the user to choose between tea and coffee.", "Please choose between tea and coffee."),
    ("Ask for the make and year of the car, then save them with save_car.", "What are the make and year of the car?"),
    ("Explain that the price is 120 pounds and ask if they accept it.", "The price is 120 pounds. Do you accept it?"),
    ("Tell the user their order is on its way.", "Your order is on its way."),
    ("Ask Ada for their email address.", "What is your email address?"),
    ("Apologise for the delay.", "I am sorry for the delay."),
    ("Welcome! How can I help?", "Welcome! How can I help?"),
    ("I'm here to assist you.", "I'm here to assist you."),
    ("Please provide your information.", "Please provide your information."),
    ("Ask for an order number such as AB-1234.", "What is the order number, such as AB-1234?"),
    ("Thank them and say goodbye.", "Thank you. Goodbye!"),
]


@pytest.mark.parametrize(("prompt", "spoken"), SPOKEN)
async def test_a_prompt_without_tools_is_turned_into_speech(
    prompt: str, spoken: str, answer: Callable[..., Any]
) -> None:
    # When
    reply = await answer("hello", prompt=prompt)

    # Then
    assert reply.text == spoken


@pytest.mark.parametrize(
    "prompt", ["", "You are a pirate. Never mention prices.", "The user wants a quote.", "If asked, explain X."]
)
async def test_instructions_that_are_no_speech_are_not_leaked(prompt: str, answer: Callable[..., Any]) -> None:
    # When
    reply = await answer("hello", prompt=prompt)

    # Then
    assert reply.text == f"Hello! {NO_AI}, and there is nothing to ask for at this point."


QUESTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("email", {**TEXT, "description": "The user's email"}, "What is your email?"),
    ("order_number", TEXT, "What is the order number?"),
    ("make", {**TEXT, "description": "The make of the car"}, "What is the make of the car?"),
    ("birthday", {**TEXT, "description": "Date of birth"}, "What is your date of birth?"),
    (
        "accept",
        {"type": "boolean", "description": "Whether the user accepts the quote"},
        "Do you accept the quote? (yes/no)",
    ),
    ("newsletter", {"type": "boolean"}, "Newsletter? (yes/no)"),
    ("type", {**TEXT, "enum": ["car", "home"]}, "What is the type? (car or home)"),
    ("kind", {**TEXT, "enum": ["flat", "house"], "description": "House or flat"}, "House or flat?"),
    ("item", {**TEXT, "description": "What to add"}, "What would you like to add?"),
    ("quantity", {"type": "integer", "description": "How many"}, "How many?"),
    ("colour", {**TEXT, "description": "Which colour do you like?"}, "Which colour do you like?"),
    ("number", {**TEXT, "description": "The order number, such as A-1001"}, "What is the order number?"),
    (
        "note",
        {**TEXT, "description": "Anything that the driver should know. Keep it short."},
        "Please tell me: anything that the driver should know.",
    ),
]


@pytest.mark.parametrize(("name", "schema", "question"), QUESTIONS)
async def test_a_question_comes_from_the_description_or_the_name(
    name: str, schema: dict[str, Any], question: str, tool: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    # When
    reply = await answer("hello", tool("save_it", **{name: schema}))

    # Then
    assert reply.text == f"Hello! {question}"


async def test_the_words_of_the_prompt_come_first(tool: Callable[..., Any], answer: Callable[..., Any]) -> None:
    # Given
    offered = tool("save_car", make={**TEXT, "description": "Brand"}, year={"type": "integer", "description": "Built"})
    prompt = "Welcome to the garage! Ask for the make and year of the car, then call save_car."

    # When
    replies = [await answer(said, offered, prompt=prompt) for said in ("hi", "a Toyota")]

    # Then
    assert [reply.text for reply in replies] == [
        "Welcome to the garage! What are the make and year of the car?",
        "Welcome to the garage! What is the year of the car?",
    ]


async def test_what_was_not_understood_is_said_with_an_example_and_a_way_out(
    tool: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    # Given
    number = {**TEXT, "pattern": r"^[A-Z]{2}-\d{4}$", "description": "The order number"}
    offered = [tool("look_up_order", order_number=number), tool("give_up")]

    # When
    reply = await answer("I lost it", *offered, asked="What is the order number?")

    # Then
    assert reply.text == (
        f"I did not understand that. {NO_AI}. What is the order number? (for example AB-1234) "
        'You can also say "give up".'
    )


@pytest.mark.parametrize(
    ("said", "before"),
    [
        ("hello", "Hello!"),
        ("thanks a lot", "You are welcome."),
        ("what is this?", f"I cannot answer questions: {NO_AI}."),
    ],
)
async def test_greetings_thanks_and_questions_are_met_and_the_question_stays_open(
    said: str, before: str, tool: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    # When
    reply = await answer(said, tool("save_name", name=TEXT), asked="What is your name?")

    # Then
    assert reply.text == f"{before} What is your name?"


async def test_a_number_out_of_bounds_is_asked_for_with_its_bounds(
    tool: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    # When
    reply = await answer(
        "17", tool("save_age", age={"type": "integer", "minimum": 18, "maximum": 120}), asked="Your age?"
    )

    # Then
    assert reply.text.endswith("What is your age? (a whole number from 18 to 120)")


async def test_tools_without_values_are_offered_in_words(tool: Callable[..., Any], answer: Callable[..., Any]) -> None:
    # When
    offered = [tool("start_quote", "Get a new quote"), tool("file_claim", "File a claim.")]
    reply = await answer("hello", *offered)

    # Then
    assert reply.text == "Hello! What would you like to do: get a new quote; or file a claim?"


RESULTS = [
    ("Saved.", "Saved. What is your email?"),
    ("Saved. Now, what's your email?", "Saved. Now, what's your email?"),
    ("Please give me your email.", "Please give me your email."),
    ("", "Done. What is your email?"),
    (json.dumps({"status": "sent", "urgent": True}), "status: sent, urgent: yes What is your email?"),
    (json.dumps({"message": "All good."}), "All good. What is your email?"),
    ("Error executing save_name: the disk is full", "That did not work: the disk is full. What is your email?"),
    ("Error: Ada is taken.", "That did not work: Ada is taken. What is your email?"),
    (
        "Error: invalid arguments for 'save_name': 'x' is too short. Call it again.",
        "That did not work: 'x' is too short. What is your email?",
    ),
]


@pytest.mark.parametrize(("result", "spoken"), RESULTS)
async def test_a_result_is_said_in_plain_words_and_what_comes_next(
    result: str, spoken: str, tool: Callable[..., Any]
) -> None:
    # Given
    call = {"id": "call_1", "type": "function", "function": {"name": "save_name", "arguments": '{"name": "Ada"}'}}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "Ada"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": result},
    ]

    # When
    response = await OfflineClient(announce=False).generate(messages, tools=[tool("save_email", email=TEXT)])

    # Then
    assert response.content == spoken
