"""Whatever is said and whatever the schema: no exception, no made-up argument, no long wait."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_runtime_core.llm.offline import OfflineClient

NAMES = (
    "name email age year make kind phone budget date note first_name last_name quantity item order_number newsletter"
    " website postcode from größe"
).split()
PHRASES = [
    *("Ada", "my name is Ada", "ada@example.org", "42", "£12.50", "3 May 2026", "10:30", "yes", "no", "done", "red"),
    *("the second one", "a, b and c", "name: Ada, year: 2020", "AB-1234", "two hundred", "https://example.org/x"),
    *("Łukasz", "O'Brien", "?", "hello", "2 apples and 3 pears", "\x00", "-1", "1e400", "9" * 40, "maybe", "all", "🙂"),
    *("123e4567-e89b-12d3-a456-426614174000", "020 7946 0958", "none", "true", "\n\n", "٣", "½"),
]

texts = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(PHRASES), min_size=1, max_size=4).map(", ".join),
    st.lists(st.one_of(st.sampled_from(PHRASES), st.text(max_size=12)), min_size=1, max_size=5).map(" ".join),
)
bounds = st.integers(min_value=-5, max_value=3000)


CHOICES = st.lists(
    st.one_of(st.sampled_from(["red", "green", "dark red", "yes", "a"]), st.text(max_size=6)),
    min_size=1,
    max_size=4,
    unique=True,
)
FORMATS = ("email", "date", "time", "date-time", "uri", "uuid", "ipv4")
TEXT_RULES: list[dict[str, Any]] = [
    {},
    {},
    *({"format": name} for name in FORMATS),
    {"pattern": r"^[A-Z]{2}-\d{4}$"},
    {"pattern": "[0-9]"},
    {"pattern": "^[A-Za-z ]+$"},
    {"minLength": 3, "maxLength": 8},
]
DESCRIPTIONS = ["The user's name", "Whether the user agrees", "How many", "red or green"]


@st.composite
def leaf(draw: st.DrawFn) -> dict[str, Any]:
    """A schema of one value, as authors of tools write them."""
    kind = draw(st.sampled_from(["string", "choice", "integer", "number", "boolean"]))
    schema: dict[str, Any] = {"type": kind}
    if kind == "choice":
        schema = {"type": "string", "enum": draw(CHOICES)}
    elif kind == "string":
        schema.update(draw(st.sampled_from(TEXT_RULES)))
    elif kind in ("integer", "number"):
        low, high = sorted((draw(bounds), draw(bounds)))
        limits = [
            {},
            {"minimum": low},
            {"exclusiveMaximum": high},
            {"minimum": low, "maximum": high},
            {"multipleOf": 5},
        ]
        schema.update(draw(st.sampled_from(limits)))
    if draw(st.booleans()):
        schema["description"] = draw(st.sampled_from(DESCRIPTIONS))
    return schema


def listing(item: dict[str, Any], rules: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item, **rules}


def record(inner: dict[str, Any], all_required: bool) -> dict[str, Any]:
    return {"type": "object", "properties": inner, "required": list(inner) if all_required else []}


records = st.dictionaries(st.sampled_from(NAMES), leaf(), min_size=1, max_size=2)
LIST_RULES: list[dict[str, Any]] = [{}, {"minItems": 2}, {"maxItems": 1}, {"uniqueItems": True}]
properties = st.one_of(
    leaf(),
    leaf(),
    st.builds(listing, leaf(), st.sampled_from(LIST_RULES)),
    st.builds(record, records, st.booleans()),
    st.builds(lambda inner: {"anyOf": [{"type": "null"}, inner]}, leaf()),
    st.builds(lambda inner: listing(record(inner, True), {}), records),
)
TOOL_NAMES = ["save_it", "add_item", "checkout", "confirm", "look_up"]


@st.composite
def tools(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One to three tools with any of these parameters, some required."""
    listed = []
    for name in draw(st.lists(st.sampled_from(TOOL_NAMES), min_size=1, max_size=3, unique=True)):
        found = draw(st.dictionaries(st.sampled_from(NAMES), properties, max_size=4))
        required = list(found)[: draw(st.integers(min_value=0, max_value=2))]
        parameters = {"type": "object", "properties": found, "required": required, "additionalProperties": False}
        listed.append({"type": "function", "function": {"name": name, "description": "", "parameters": parameters}})
    return listed


@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    said=st.lists(texts, min_size=1, max_size=3),
    offered=tools(),
    asked=st.sampled_from(["", "What is your name?", "Anything else?", "Do you agree?"]),
    choice=st.sampled_from([None, "auto", "required"]),
)
def test_a_call_always_satisfies_its_schema(
    said: list[str], offered: list[dict[str, Any]], asked: str, choice: str | None
) -> None:
    # Given
    messages: list[dict[str, Any]] = [{"role": "system", "content": "Ask for the user's name."}]
    for text in said:
        messages += [{"role": "user", "content": text}, {"role": "assistant", "content": asked}]

    # When: twice, with the call's result in between
    client = OfflineClient(announce=False)
    for _ in range(2):
        response = asyncio.run(client.generate(messages[:-1], tools=offered, tool_choice=choice))

        # Then
        assert isinstance(response.content, str)
        if not response.tool_calls:
            assert response.content or choice == "none"
            return
        (call,) = response.tool_calls
        (schema,) = [each["function"]["parameters"] for each in offered if each["function"]["name"] == call.name]
        validator = jsonschema_rs.validator_for(schema, validate_formats=True)
        assert [error.message for error in validator.iter_errors(call.arguments)] == []
        result = {"role": "tool", "tool_call_id": call.id, "content": "Saved."}
        messages[-1:] = [response.message, result, {"role": "assistant", "content": ""}]


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
KEYWORDS = (
    "type properties required items enum const format pattern minimum maximum anyOf allOf $ref description default"
    " examples multipleOf minLength minItems name"
).split()
odd_schemas = st.recursive(
    json_values,
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(KEYWORDS), inner, max_size=5),
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from(NAMES), inner)}
        ),
    ),
    max_leaves=12,
)
odd_messages = st.lists(
    st.one_of(
        json_values,
        st.fixed_dictionaries(
            {
                "role": st.sampled_from(["system", "user", "assistant", "tool", "critic"]),
                "content": st.one_of(json_values, texts),
                "tool_calls": json_values,
                "tool_call_id": json_values,
            }
        ),
    ),
    max_size=6,
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    messages=odd_messages, schemas=st.lists(odd_schemas, max_size=2), name=json_values, said=texts, choice=json_values
)
def test_malformed_messages_and_schemas_get_an_answer(
    messages: list[Any], schemas: list[Any], name: Any, said: str, choice: Any
) -> None:
    # Given
    offered = [{"type": "function", "function": {"name": "save_it", "parameters": schema}} for schema in schemas]
    offered += [{"function": name}, name]

    # When
    response = asyncio.run(
        OfflineClient(announce=False).generate(
            [*messages, {"role": "user", "content": said}], tools=offered, tool_choice=choice
        )
    )

    # Then
    assert response.content or response.tool_calls


@pytest.mark.parametrize(
    "messages",
    [[], None, "hello", [None], [{"role": "user"}], [{"role": "user", "content": None}], [{"content": "hi"}], {}],
)
async def test_hardly_a_conversation_still_gets_words(messages: Any, tool: Callable[..., Any]) -> None:
    # When
    response = await OfflineClient(announce=False).generate(
        messages, tools=[tool("save_name", name={"type": "string"})]
    )

    # Then
    assert response.content == "What is your name?" or response.content.endswith(" What is your name?")


JUNK = [
    *(
        "a",
        "a ",
        "1 ",
        "1,",
        "@",
        "a@",
        "a.a",
        "- ",
        "ok ",
        "my name is ",
        "not ",
        "and 1 ",
        "12:",
        "http://",
        "('",
        "€1 ",
    ),
    *("2 apples and ", "\n", "one ", "i'm ", "Ada Lovelace ", "name: ", "May 3 ", "ä", "🙂", "yes, ", "the user's "),
]


@pytest.mark.parametrize("junk", JUNK)
async def test_a_megabyte_is_read_within_a_second(junk: str, tool: Callable[..., Any]) -> None:
    # Given
    text = junk * (1_000_000 // len(junk))
    offered = [
        tool(
            "save",
            name={"type": "string", "description": "The user's name"},
            email={"type": "string", "format": "email"},
            age={"type": "integer"},
            kind={"type": "string", "enum": ["car", "home", "a b c"]},
            code={"type": "string", "pattern": r"^[A-Z]{2}-\d{4}$"},
            tags={"type": "array", "items": {"type": "string"}},
            when={"type": "string", "format": "date-time"},
        ),
        tool("note", note={"type": "string"}),
        tool("checkout"),
    ]
    messages = [
        {"role": "system", "content": f"Ask for {text[:50_000]}"},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "What is it? " + text},
        {"role": "user", "content": text},
    ]

    # When
    started = time.process_time()
    await OfflineClient(announce=False).generate(messages, tools=offered)

    # Then: CPU time, so that a busy machine does not count
    assert time.process_time() - started < 1


async def test_a_long_text_is_taken_whole_where_words_are_wanted(
    tool: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    # Given
    text = "It happened on a rainy day. " * 40_000 + "The end"

    # When
    reply = await answer(text, tool("file_complaint", story={"type": "string"}), asked="What happened?")

    # Then
    assert reply.call == ("file_complaint", {"story": text})


RUNAWAYS = [
    *("^(a+)+$", "^(a|aa)+$", "^(a|a)*b$", "^([a-z]+)*x$", "(.*)*(.*)*y", "^(\\w+\\s?)*$", ".*.*.*.*.*.*.*x"),
    *("^" + "a?" * 14 + "a" * 14 + "$", "^(?:(?:a{1,30}){1,30}){1,30}$", "a{5000}"),
    *("(", "[", "(?<year>\\d{4})", "\\p{L}+"),
]


@pytest.mark.parametrize("pattern", RUNAWAYS)
async def test_a_runaway_pattern_costs_no_time(
    pattern: str, tool: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    # Given
    offered = tool("save_code", code={"type": "string", "pattern": pattern})

    # When
    started = time.process_time()
    for text in ("a" * 64, "a" * 40 + "!", "a a a a a a a a a a a a a a a a a a a a a a a a a!", "x" * 2_000):
        await answer(text, offered, asked="Which code?")

    # Then
    assert time.process_time() - started < 1


async def test_deep_and_recursive_schemas_end(answer: Callable[..., Any]) -> None:
    # Given
    again = {"$ref": "#/$defs/node"}
    inner = {"value": {"type": "string"}, "next": again, "children": {"type": "array", "items": again}}
    parameters = {
        "$defs": {
            "node": {"type": "object", "properties": inner, "required": ["value"]},
            "loop": {"$ref": "#/$defs/loop"},
        },
        "type": "object",
        "properties": {"tree": again, "odd": {"$ref": "#/$defs/loop"}},
        "required": ["tree"],
    }
    offered = {"type": "function", "function": {"name": "plant", "parameters": parameters}}

    # When
    reply = await answer("value: oak", offered)

    # Then
    assert reply.call is not None
    assert jsonschema_rs.is_valid(parameters, reply.call[1])


async def test_null_bytes_and_odd_characters_do_not_reach_the_arguments(
    tool: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    # When
    reply = await answer("Ad\x00a\ud800 Love\u200blace\r\n", tool("save_name", name={"type": "string"}), asked="Name?")

    # Then
    assert reply.call is not None
    assert json.dumps(reply.call[1], ensure_ascii=False).encode()
    assert "\x00" not in reply.call[1]["name"]


async def test_content_parts_are_read_as_their_text(tool: Callable[..., Any], answer: Callable[..., Any]) -> None:
    # When
    parts = [{"type": "text", "text": "I'm "}, {"type": "image_url", "image_url": {}}, {"type": "text", "text": "Ada"}]
    reply = await answer(parts, tool("save_name", name={"type": "string"}), asked="What is your name?")

    # Then
    assert reply.call == ("save_name", {"name": "Ada"})
