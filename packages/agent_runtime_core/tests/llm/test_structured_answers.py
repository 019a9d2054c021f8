"""What a pydantic model becomes in a request: a schema that the vendor takes."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

import pytest
from pydantic import BaseModel, Field

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.llm.anthropic import AnthropicClient
from agent_runtime_core.llm.openai import OpenAIClient

USER = [{"role": "user", "content": "Ada is 36."}]
T = TypeVar("T")


class Bounded(BaseModel):
    name: str = Field(min_length=1)
    age: int = Field(ge=0, le=150, description="In years")
    town: str = "nowhere"


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Owner(BaseModel):
    pet: Cat | Dog = Field(discriminator="kind")


class Scores(BaseModel):
    points: dict[str, int]


class Anything(BaseModel):
    value: Any


class Pair(BaseModel):
    both: tuple[int, str]


class Box(BaseModel, Generic[T]):
    inside: T


@pytest.fixture
def of_openai(model_server):
    async def ask(wanted: Any) -> dict[str, Any]:
        model_server.reply({"choices": [{"message": {"role": "assistant", "content": "{}"}, "finish_reason": "stop"}]})
        async with OpenAIClient("test-key", "gpt-4o", base_url=model_server.base_url, max_retries=0) as client:
            await client.generate(USER, response_format=wanted)
        sent: dict[str, Any] = model_server.requests[-1]["response_format"]["json_schema"]
        return sent

    return ask


@pytest.fixture
def of_anthropic(model_server):
    async def ask(wanted: Any) -> dict[str, Any]:
        model_server.reply({"content": [{"type": "text", "text": "{}"}], "stop_reason": "end_turn"})
        async with AnthropicClient("test-key", "claude-x", base_url=model_server.base_url, max_retries=0) as client:
            await client.generate(USER, response_format=wanted)
        sent: dict[str, Any] = model_server.requests[-1]["output_config"]["format"]["schema"]
        return sent

    return ask


def words_of(schema: Any) -> set[str]:
    """All keywords that a schema holds, at any depth."""
    if isinstance(schema, dict):
        return set(schema).union(*map(words_of, schema.values()))
    return set().union(*map(words_of, schema)) if isinstance(schema, list) else set()


async def test_anthropic_reads_bounds_in_the_descriptions(of_anthropic):
    schema = await of_anthropic(Bounded)

    assert not words_of(schema) & {"minimum", "maximum", "minLength", "default"}
    assert "minimum: 0" in schema["properties"]["age"]["description"]
    assert "In years" in schema["properties"]["age"]["description"]
    assert schema["additionalProperties"] is False
    assert "minimum: 0" in str(await of_anthropic({"type": "json_schema", "json_schema": {"schema": by_hand()}}))


def by_hand() -> dict[str, Any]:
    return {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}}


async def test_openai_gets_a_strict_schema(of_openai):
    described = await of_openai(Bounded)

    assert (described["name"], described["strict"]) == ("Bounded", True)
    assert described["schema"]["required"] == ["name", "age", "town"]
    assert described["schema"]["additionalProperties"] is False
    assert "default" not in words_of(described["schema"])


async def test_a_union_by_a_tag_is_strict_in_openais_words(of_openai):
    described = await of_openai(Owner)

    assert described["strict"] is True
    assert len(described["schema"]["properties"]["pet"]["anyOf"]) == 2
    assert not words_of(described["schema"]) & {"oneOf", "discriminator"}


@pytest.mark.parametrize("model", [Scores, Anything, Pair], ids=lambda model: model.__name__)
async def test_what_strict_mode_cannot_take_goes_to_openai_without_it(of_openai, model):
    described = await of_openai(model)

    assert described["strict"] is False
    assert described["schema"] == model.model_json_schema()


async def test_a_name_that_openai_refuses_is_made_fit(of_openai):
    assert (await of_openai(Box[int]))["name"] == "Box_int"


@pytest.mark.parametrize(("model", "words"), [(Scores, "keys of any name"), (Anything, "a field of any type")])
async def test_what_anthropic_cannot_answer_in_is_refused_in_words(of_anthropic, model_server, model, words):
    with pytest.raises(ConfigError, match=f"response_format {model.__name__} has .*{words}"):
        await of_anthropic(model)

    assert not model_server.requests


async def test_a_schema_by_hand_that_the_sdk_does_not_know_goes_out_as_it_is(of_anthropic):
    schema = {"type": ["object", "null"], "properties": {}, "additionalProperties": False}

    assert await of_anthropic({"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}) == schema


@pytest.mark.parametrize("vendor", ["of_openai", "of_anthropic"])
async def test_an_object_of_a_model_is_refused(request, vendor, model_server):
    with pytest.raises(ConfigError, match="response_format=Cat"):
        await request.getfixturevalue(vendor)(Cat(kind="cat"))

    assert not model_server.requests
