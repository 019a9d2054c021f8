"""Arguments against a tool's schema: what passes, and in which words the model hears what does not."""

from __future__ import annotations

from typing import Any

import pytest

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework.tools import ToolSchemaBuilder
from agent_runtime_framework.tools.arguments import argument_problems, exact_arguments


def schema(**kinds: dict[str, Any]) -> dict[str, Any]:
    builder = ToolSchemaBuilder("tool")
    for name, options in kinds.items():
        builder.param(name, **{"required": True, **options})
    parameters_schema: dict[str, Any] = builder.to_openai_format()["function"]["parameters"]
    return parameters_schema


def problems(parameters: dict[str, Any], **arguments: Any) -> str | None:
    return argument_problems("tool", parameters, arguments)


STRING, INTEGER = {"type": "string"}, {"type": "integer"}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (STRING, "Ada"),
        (STRING, ""),
        (STRING, "x" * 1_000_000),
        (STRING, "nul \0 and \U0001f680"),
        (INTEGER, 3),
        (INTEGER, 3.0),
        (INTEGER, -(10**30)),
        ({"type": "number"}, 2.5),
        ({"type": "number"}, 2),
        ({"type": "boolean"}, False),
        ({"type": "array"}, [1, "a"]),
        ({"type": "array", "items": STRING}, ["a"]),
        ({"type": "object"}, {"any": [1]}),
        ({"type": "string", "enum": ["red", "blue"]}, "blue"),
        ({"type": "integer", "enum": [1, 2]}, 2),
        ({"type": "null"}, None),
    ],
)
def test_arguments_that_fit_have_no_problems(kind, value):
    assert problems(schema(x=kind), x=value) is None


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (STRING, 3, 'x: 3 is not of type "string"'),
        (STRING, None, 'x: null is not of type "string"'),
        (INTEGER, "3", 'x: "3" is not of type "integer"'),
        (INTEGER, 3.5, 'x: 3.5 is not of type "integer"'),
        (INTEGER, True, 'x: true is not of type "integer"'),
        ({"type": "boolean"}, 1, 'x: 1 is not of type "boolean"'),
        ({"type": "array", "items": STRING}, ["a", 2], 'x.1: 2 is not of type "string"'),
        ({"type": "object"}, [], 'x: [] is not of type "object"'),
        ({"type": "string", "enum": ["red", "blue"]}, "green", 'x: "green" is not one of'),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_its_value(kind, value, words):
    assert words in (problems(schema(x=kind), x=value) or "")


def test_every_missing_and_every_unknown_argument_is_named():
    parameters = schema(name=STRING, age=INTEGER)

    said = problems(parameters, nick="A", email="a@b")

    assert said is not None
    for word in ('"name" is a required property', '"age" is a required property', "nick", "email"):
        assert word in said


def test_an_optional_argument_may_be_missing():
    assert problems(schema(name=STRING, age={**INTEGER, "required": False}), name="Ada") is None


def test_a_tool_without_parameters_takes_none():
    assert problems({}) is None
    assert "'x' was unexpected" in (problems(schema(), x=1) or "")


def test_a_schema_that_allows_unknown_arguments_gets_them():
    assert problems({"type": "object", "properties": {}, "additionalProperties": True}, x=1) is None


def test_formats_are_checked():
    parameters = {"type": "object", "properties": {"mail": {"type": "string", "format": "email"}}}

    assert problems(parameters, mail="ada@example.org") is None
    assert '"ada" is not a "email"' in (problems(parameters, mail="ada") or "")


def test_a_long_value_is_not_repeated_in_full():
    said = problems(schema(x=INTEGER), x="secret " * 10_000)

    assert said is not None
    assert len(said) < 300
    assert said.endswith('is not of type "integer"')


def test_many_problems_are_not_all_told():
    parameters = schema(**{f"name_{number}": STRING for number in range(50)})

    said = problems(parameters)

    assert said is not None
    assert said.count("required property") == 5


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1: 2}, b"", {"a"}])
def test_what_is_no_json_value_is_a_problem_and_no_crash(value):
    assert problems(schema(x=STRING), x=value)
    assert problems(schema(x={"type": "number"}), x=value)


def test_deep_nesting_is_a_problem_and_no_crash():
    deep: Any = 1
    for _ in range(900):
        deep = [deep]

    assert problems(schema(x=STRING), x=deep)


# Schemas.


@pytest.mark.parametrize("kind", [{"type": "str"}, {"type": "int"}, {"type": "any"}, {"type": ""}])
def test_a_type_that_json_schema_does_not_have_is_the_programmers_error(kind):
    parameters = {"type": "object", "properties": {"x": kind}}

    with pytest.raises(ConfigError, match=r"schema of tool 'tool' is not a valid JSON schema.*string, integer, number"):
        problems(parameters, x=1)


def test_a_schema_that_changes_from_one_turn_to_the_next_is_checked_as_it_is_now():
    for allowed, other in (("red", "blue"), ("blue", "red")):
        parameters = schema(color={"type": "string", "enum": [allowed]})
        assert problems(parameters, color=allowed) is None
        assert problems(parameters, color=other)


def test_a_schema_that_is_changed_in_place_is_checked_as_it_is_now():
    parameters = schema(color={"type": "string", "enum": ["red"]})
    assert problems(parameters, color="blue")

    parameters["properties"]["color"]["enum"].append("blue")

    assert problems(parameters, color="blue") is None


def test_any_number_of_tools_can_be_checked():
    for number in range(1100):
        assert argument_problems(f"tool_{number}", schema(x=INTEGER), {"x": number}) is None


# Whole numbers.


def test_a_whole_number_written_with_a_point_becomes_an_int_where_the_schema_says_integer():
    parameters = schema(count=INTEGER, price={"type": "number"}, rest={"type": "object"})

    exact = exact_arguments(parameters, {"count": 2.0, "price": 3.0, "rest": {"x": 1.0}, "unknown": 4.0})

    assert [type(value) for value in exact.values()] == [int, float, dict, float]
    assert exact == {"count": 2, "price": 3.0, "rest": {"x": 1.0}, "unknown": 4.0}
    assert type(exact["rest"]["x"]) is float


def test_a_schema_without_properties_changes_nothing():
    assert exact_arguments({}, {"x": 2.0}) == {"x": 2.0}
    assert exact_arguments({"properties": None}, {"x": 2.0}) == {"x": 2.0}
