"""What users say, what a parameter wants, and the value that comes of it (None: the client asks instead)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

TEXT: dict[str, Any] = {"type": "string"}
WHOLE = {"type": "integer"}
NUMBER = {"type": "number"}
YES_NO = {"type": "boolean"}
CAR_OR_HOME = {
    **TEXT,
    "enum": ["car", "home"],
    "description": "What to insure: car (vehicle, auto) or home (house, apartment)",
}
ORDER = {**TEXT, "pattern": r"^[A-Z]{2}-\d{4}$"}

ONE_VALUE: list[tuple[str, dict[str, Any], str, Any]] = [
    # a person's name
    ("name", TEXT, "Ada", "Ada"),
    ("name", TEXT, "ada", "ada"),
    ("name", TEXT, "My name is Ada Lovelace.", "Ada Lovelace"),
    ("name", TEXT, "I'm Ada", "Ada"),
    ("name", TEXT, "call me Ada", "Ada"),
    ("name", TEXT, "ok, it's Ada", "Ada"),
    ("name", TEXT, "Hi, I'm Ada and I like tea", "Ada"),
    ("name", TEXT, "Ada here", "Ada"),
    ("name", TEXT, "sure, Ada", "Ada"),
    ("name", TEXT, "name: Ada", "Ada"),
    ("name", TEXT, '"Ada"', "Ada"),
    ("name", TEXT, "Ada, thanks", "Ada"),
    ("name", TEXT, "J. R. R. Tolkien", "J. R. R. Tolkien"),
    ("name", TEXT, "Łukasz", "Łukasz"),
    ("name", TEXT, "O'Brien", "O'Brien"),
    ("name", TEXT, "María José", "María José"),
    ("name", TEXT, "I\u2019m Seán O\u2019Casey", "Seán O\u2019Casey"),
    ("name", TEXT, "山田太郎", "山田太郎"),
    ("name", TEXT, "hello", None),
    ("name", TEXT, "good morning!", None),
    ("name", TEXT, "what is this?", None),
    ("name", TEXT, "why do you need it", None),
    ("name", TEXT, "thanks", None),
    ("name", TEXT, "I don't know", None),
    ("name", TEXT, "I'm not sure", None),
    ("name", TEXT, "yes", None),
    ("name", TEXT, "no", None),
    ("name", TEXT, "done", None),
    ("name", TEXT, "I'm looking for a quote", None),
    ("name", TEXT, "tell me a joke", None),
    ("name", TEXT, "ada@example.org", None),
    ("name", TEXT, "42", None),
    ("name", {**TEXT, "minLength": 2}, "A", None),
    ("name", {**TEXT, "pattern": "^[A-Za-z ]+$"}, "My name is Ada Lovelace", "Ada Lovelace"),
    # texts with a form
    ("email", TEXT, "my email is Ada.L@Example.co.uk.", "Ada.L@Example.co.uk"),
    ("email", TEXT, "it's <ada@example.org>", "ada@example.org"),
    ("contact", {**TEXT, "description": "The user's email address"}, "ada@example.org, thanks", "ada@example.org"),
    ("email", TEXT, "ada at example", None),
    ("website", {**TEXT, "format": "uri"}, "https://example.org/x?y=1.", "https://example.org/x?y=1"),
    ("website", {**TEXT, "format": "uri"}, "www.example.org", "https://www.example.org"),
    ("website", {**TEXT, "format": "uri"}, "I have none", None),
    (
        "id",
        {**TEXT, "format": "uuid"},
        "it is 123e4567-e89b-12d3-a456-426614174000",
        "123e4567-e89b-12d3-a456-426614174000",
    ),
    ("id", {**TEXT, "format": "uuid"}, "123", None),
    ("host", {**TEXT, "format": "ipv4"}, "try 10.0.0.1.", "10.0.0.1"),
    ("phone", TEXT, "my number is 020 7946 0958.", "020 7946 0958"),
    ("phone", TEXT, "+44 20 7946 0958", "+44 20 7946 0958"),
    ("phone", TEXT, "call me", None),
    ("postcode", TEXT, "I live in sw1a 1aa", "SW1A 1AA"),
    ("order_number", ORDER, "AB-1234", "AB-1234"),
    ("order_number", ORDER, "it's ab-1234, I think", "AB-1234"),
    ("order_number", ORDER, "1234", None),
    ("code", {**TEXT, "pattern": "^[0-9]{6}$"}, "my code is 123 456", "123456"),
    ("slug", {**TEXT, "pattern": "^[a-z]+(-[a-z]+)*$"}, "It's my-slug", "my-slug"),
    # dates and times: the day comes first, there is no clock, and no zone means UTC
    ("birthday", {**TEXT, "format": "date"}, "3 May 1990", "1990-05-03"),
    ("birthday", {**TEXT, "format": "date"}, "I was born on the 3rd of May, 1990", "1990-05-03"),
    ("birthday", {**TEXT, "format": "date"}, "May 3, 1990", "1990-05-03"),
    ("birthday", {**TEXT, "format": "date"}, "05/03/2026", "2026-03-05"),
    ("birthday", {**TEXT, "format": "date"}, "05/23/2026", "2026-05-23"),
    ("birthday", {**TEXT, "format": "date"}, "2026-05-03", "2026-05-03"),
    ("birthday", {**TEXT, "format": "date"}, "31/02/2026", None),
    ("birthday", {**TEXT, "format": "date"}, "tomorrow", None),
    ("birthday", {**TEXT, "format": "date"}, "3 May", None),
    ("at", {**TEXT, "format": "time"}, "at 3:15 pm please", "15:15:00Z"),
    ("at", {**TEXT, "format": "time"}, "noon", "12:00:00Z"),
    ("when", {**TEXT, "format": "date-time"}, "3 May 2026 at 3pm", "2026-05-03T15:00:00Z"),
    ("when", {**TEXT, "format": "date-time"}, "2026-05-03 10:30", "2026-05-03T10:30:00Z"),
    ("when", {**TEXT, "format": "date-time"}, "3 May 2026", None),
    # numbers
    ("age", WHOLE, "36", 36),
    ("age", WHOLE, "I am forty-two", 42),
    ("age", WHOLE, "42 years", 42),
    ("age", WHOLE, "12.5", None),
    ("age", {**WHOLE, "minimum": 18}, "17", None),
    ("quantity", WHOLE, "two hundred and five", 205),
    ("quantity", WHOLE, "a dozen", 12),
    ("quantity", WHOLE, "the 3rd", None),
    ("budget", NUMBER, "£12.50", 12.5),
    ("budget", NUMBER, "about 1,200 pounds", 1200),
    ("budget", NUMBER, "12,50 €", 12.5),
    ("budget", NUMBER, "$3k", 3000),
    ("area", NUMBER, "80m2", 80),
    ("temperature", NUMBER, "-5", -5),
    ("amount", {**NUMBER, "multipleOf": 0.5}, "2.3", None),
    ("budget", NUMBER, "a lot", None),
    # yes and no
    ("accept", YES_NO, "yes", True),
    ("accept", YES_NO, "Sure, go ahead", True),
    ("accept", YES_NO, "I accept the quote", True),
    ("accept", YES_NO, "nope", False),
    ("accept", YES_NO, "no thanks", False),
    ("accept", YES_NO, "I don't accept it", False),
    ("accept", YES_NO, "I'd rather not", False),
    ("accept", YES_NO, "maybe", None),
    ("accept", YES_NO, "how much?", None),
    ("agreed", {**TEXT, "enum": ["yes", "no"]}, "yeah", "yes"),
    # choices
    ("type", CAR_OR_HOME, "Car please", "car"),
    ("type", CAR_OR_HOME, "I'd like to insure my CARS", "car"),
    ("type", CAR_OR_HOME, "the second one", "home"),
    ("type", CAR_OR_HOME, "2", "home"),
    ("type", CAR_OR_HOME, "my apartment", "home"),
    ("type", CAR_OR_HOME, "not a car, home", "home"),
    ("type", CAR_OR_HOME, "car and home", None),
    ("type", CAR_OR_HOME, "what does home cover?", None),
    ("type", CAR_OR_HOME, "carpet", None),
    ("plan", {**TEXT, "enum": ["basic", "premium", "premium_plus"]}, "premium plus", "premium_plus"),
    ("plan", {**TEXT, "enum": ["basic", "premium"]}, "prem", "premium"),
    ("stars", {**WHOLE, "enum": [1, 2, 3]}, "three stars", 3),
    ("stars", {**WHOLE, "enum": [1, 2, 3]}, "6", None),
    # lists
    ("allergies", {"type": "array", "items": TEXT}, "peanuts, milk and eggs", ["peanuts", "milk", "eggs"]),
    ("allergies", {"type": "array", "items": TEXT}, "none", []),
    (
        "extras",
        {"type": "array", "items": {**TEXT, "enum": ["wifi", "parking"]}},
        "parking and wifi",
        ["parking", "wifi"],
    ),
    ("extras", {"type": "array", "items": {**TEXT, "enum": ["wifi", "parking"]}}, "both", ["wifi", "parking"]),
    ("extras", {"type": "array", "items": {**TEXT, "enum": ["wifi", "parking"]}, "minItems": 1}, "nothing", None),
    ("numbers", {"type": "array", "items": WHOLE}, "1, 2 and 3", [1, 2, 3]),
    # any other words
    ("make", TEXT, "It's a Toyota.", "Toyota"),
    ("city", TEXT, "I live in The Hague", "The Hague"),
    ("address", TEXT, "12 High Street, London", "12 High Street, London"),
    ("order_number", TEXT, "my order number is 12345", "12345"),
    ("reason", TEXT, "I want a refund because it was late.", "I want a refund because it was late."),
    ("query", TEXT, "what is your return policy?", "what is your return policy?"),
    ("make", TEXT, "I want to go home", None),
    ("make", TEXT, "hm", None),
]


@pytest.mark.parametrize(("name", "schema", "said", "value"), ONE_VALUE, ids=lambda each: str(each)[:40])
async def test_an_answer_becomes_the_value_that_was_asked_for(
    name: str, schema: dict[str, Any], said: str, value: Any, tool: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    # When
    reply = await answer(said, tool("save_it", **{name: schema}), asked="Now the next thing, please?")

    # Then
    assert reply.call == (None if value is None else ("save_it", {name: value}))
    assert bool(reply.text) == (value is None)


CAR = {"make": TEXT, "year": {**WHOLE, "minimum": 1900, "maximum": 2030}}
PERSON = {"name": TEXT, "email": TEXT, "age": WHOLE}
CITIES = {**TEXT, "enum": ["London", "Paris", "Rome"]}
ADDRESS = {
    "address": {
        "type": "object",
        "properties": {"street": TEXT, "city": TEXT, "postcode": TEXT},
        "required": ["street", "city"],
    }
}
LINES = {
    "lines": {
        "type": "array",
        "items": {"type": "object", "properties": {"item": TEXT, "quantity": WHOLE}, "required": ["item", "quantity"]},
    }
}
WHOLE_ADDRESS = {"address": {"street": "12 High Street", "city": "London", "postcode": "SW1A 1AA"}}

SEVERAL_VALUES: list[tuple[dict[str, Any], str, dict[str, Any] | None]] = [
    (CAR, "Toyota 2020", {"make": "Toyota", "year": 2020}),
    (CAR, "Toyota, 2020", {"make": "Toyota", "year": 2020}),
    (CAR, "2020 Toyota", {"make": "Toyota", "year": 2020}),
    (CAR, "It's a Toyota from 2020", {"make": "Toyota", "year": 2020}),
    (CAR, "the make is Toyota and the year is 2020", {"make": "Toyota", "year": 2020}),
    (CAR, "make: Toyota, year: 2020", {"make": "Toyota", "year": 2020}),
    (CAR, "I drive a Volkswagen Golf, built in 2019.", {"make": "Volkswagen Golf", "year": 2019}),
    (CAR, "a red Ford built in 2015", {"make": "red Ford", "year": 2015}),
    (CAR, "a Ford, made in 2015", {"make": "Ford", "year": 2015}),
    (CAR, "Toyota 1890", None),
    (PERSON, "Ada, ada@example.org, 36", {"name": "Ada", "email": "ada@example.org", "age": 36}),
    (PERSON, "I'm Ada, 36, ada@example.org", {"name": "Ada", "email": "ada@example.org", "age": 36}),
    (PERSON, "Ada ada@example.org 36", {"name": "Ada", "email": "ada@example.org", "age": 36}),
    (PERSON, "name: Ada\nemail: ada@example.org\nage: 36", {"name": "Ada", "email": "ada@example.org", "age": 36}),
    (PERSON, "my name is Ada and my email is ada@example.org", None),
    ({"first_name": TEXT, "last_name": TEXT}, "Ada Lovelace", {"first_name": "Ada", "last_name": "Lovelace"}),
    ({"first_name": TEXT, "last_name": TEXT}, "I'm Ada Lovelace", {"first_name": "Ada", "last_name": "Lovelace"}),
    ({"origin": CITIES, "destination": CITIES}, "from London to Paris", {"origin": "London", "destination": "Paris"}),
    ({"origin": CITIES, "destination": CITIES}, "to Rome from Paris", {"origin": "Paris", "destination": "Rome"}),
    ({"doors": WHOLE, "year": WHOLE}, "built 2020, 5 doors", {"doors": 5, "year": 2020}),
    ({"cover": WHOLE, "excess": WHOLE}, "£50,000 and 250", {"cover": 50_000, "excess": 250}),
    ({"cover": WHOLE, "excess": WHOLE}, "£50,000", None),
    ({"smoker": YES_NO, "drinks": YES_NO}, "I smoke but don't drink", {"smoker": True, "drinks": False}),
    (ADDRESS, "12 High Street, London", {"address": {"street": "12 High Street", "city": "London"}}),
    (ADDRESS, "street: 12 High Street, city: London, postcode: SW1A 1AA", WHOLE_ADDRESS),
    (LINES, "2 apples and 3 pears", {"lines": [{"item": "apples", "quantity": 2}, {"item": "pears", "quantity": 3}]}),
]


@pytest.mark.parametrize(("schemas", "said", "arguments"), SEVERAL_VALUES, ids=lambda each: str(each)[:50])
async def test_one_message_may_hold_several_values(
    schemas: dict[str, Any],
    said: str,
    arguments: dict[str, Any] | None,
    tool: Callable[..., Any],
    answer: Callable[..., Any],
) -> None:
    # When
    reply = await answer(said, tool("save_it", **schemas), asked="What are they, please?")

    # Then
    assert reply.call == (None if arguments is None else ("save_it", arguments))


async def test_values_given_in_several_messages_are_put_together(
    tool: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    # Given
    offered = tool("save_car", **CAR)
    history = [
        {"role": "user", "content": "Toyota"},
        {"role": "assistant", "content": "What is the year?"},
        {"role": "user", "content": "hm, let me see"},
        {"role": "assistant", "content": "What is the year?"},
    ]

    # When
    reply = await answer("2020", offered, history=history)

    # Then
    assert reply.call == ("save_car", {"make": "Toyota", "year": 2020})


ORDERS = [
    (["2 pizzas", "What is the item?", "1 bread"], {"item": "bread", "quantity": 1}),
    (["2 pizzas", "What is the item?", "bread"], {"item": "bread", "quantity": 2}),
    (["apples", "What is the quantity?", "no", "Anything else?", "3 bread"], {"item": "bread", "quantity": 3}),
]


async def test_a_number_in_a_street_is_no_new_count(tool: Callable[..., Any], answer: Callable[..., Any]) -> None:
    # Given
    offered = tool("save_visit", number_of_people=WHOLE, street=TEXT)
    history = [
        {"role": "user", "content": "4"},
        {"role": "assistant", "content": "What is the street?"},
    ]

    # When
    reply = await answer("12 High Street", offered, history=history)

    # Then
    assert reply.call == ("save_visit", {"number_of_people": 4, "street": "12 High Street"})


@pytest.mark.parametrize(("said", "arguments"), ORDERS)
async def test_the_newer_number_counts_what_stands_beside_it(
    said: list[str], arguments: dict[str, Any], tool: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    # Given
    offered = tool("add_item", item={**TEXT, "enum": ["apples", "bread"]}, quantity=WHOLE)
    history = [{"role": "assistant" if place % 2 else "user", "content": text} for place, text in enumerate(said[:-1])]

    # When
    reply = await answer(said[-1], offered, history=history)

    # Then
    assert reply.call == ("add_item", arguments)


async def test_a_value_is_corrected_by_its_name(tool: Callable[..., Any], answer: Callable[..., Any]) -> None:
    # Given
    history = [{"role": "user", "content": "Toyota"}, {"role": "assistant", "content": "What is the year?"}]

    # When
    reply = await answer("the make is Honda, and it's from 2020", tool("save_car", **CAR), history=history)

    # Then
    assert reply.call == ("save_car", {"make": "Honda", "year": 2020})


async def test_optional_values_are_taken_when_given_and_never_asked_for(
    tool: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    # Given
    offered = tool("add_item", required=["item"], item=TEXT, quantity={**WHOLE, "default": 1}, note=TEXT)

    # When
    replies = [await answer(said, offered, asked="What would you like?") for said in ("apples", "3 apples")]

    # Then
    assert [reply.call for reply in replies] == [
        ("add_item", {"item": "apples"}),
        ("add_item", {"item": "apples", "quantity": 3}),
    ]


async def test_references_alternatives_and_constants_of_a_schema_are_followed(answer: Callable[..., Any]) -> None:
    # Given
    parameters = {
        "$defs": {"Colour": {"type": "string", "enum": ["red", "green"]}},
        "type": "object",
        "properties": {
            "colour": {"$ref": "#/$defs/Colour"},
            "size": {"anyOf": [{"type": "null"}, {"type": "integer"}]},
            "unit": {"const": "cm"},
        },
        "required": ["colour", "size", "unit"],
    }
    offered = {"type": "function", "function": {"name": "pick", "parameters": parameters}}

    # When
    reply = await answer("green, size 4", offered)

    # Then
    assert reply.call == ("pick", {"colour": "green", "size": 4, "unit": "cm"})
