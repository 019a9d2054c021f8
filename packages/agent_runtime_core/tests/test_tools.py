"""Tool schemas: what a model is told, and that one schema does not change another."""

import json

from agent_runtime_core.tools import ToolParameter, ToolSchema, ToolSchemaBuilder, schemas_to_openai_format


def test_a_parameter_shows_only_what_is_set() -> None:
    parameter = ToolParameter(name="query", type="string", description="Search query", required=True)

    assert parameter.to_schema() == {"type": "string", "description": "Search query"}
    assert ToolParameter("n", "integer").to_schema() == {"type": "integer"}


def test_a_parameter_shows_enum_items_and_a_default_that_is_false() -> None:
    parameter = ToolParameter("tags", "array", "", False, ["a", "b"], {"type": "string"}, False)

    assert parameter.to_schema() == {
        "type": "array",
        "enum": ["a", "b"],
        "items": {"type": "string"},
        "default": False,
    }


def test_a_schema_lists_its_required_parameters_in_the_order_of_declaration() -> None:
    schema = (
        ToolSchemaBuilder("save")
        .description("Save it")
        .param("b", "string", "The b", required=True)
        .param("c", "number")
        .param("a", "integer", required=True)
        .build()
    )

    assert schema.to_openai_format() == {
        "type": "function",
        "function": {
            "name": "save",
            "description": "Save it",
            "parameters": {
                "type": "object",
                "properties": {
                    "b": {"type": "string", "description": "The b"},
                    "c": {"type": "number"},
                    "a": {"type": "integer"},
                },
                "required": ["b", "a"],
            },
        },
    }
    assert [parameter.name for parameter in schema.parameters] == ["b", "c", "a"]


def test_required_is_there_even_when_nothing_is() -> None:
    function = ToolSchema("ping", "Ping").to_openai_format()["function"]

    assert function["parameters"] == {"type": "object", "properties": {}, "required": []}


def test_a_description_is_empty_until_it_is_given() -> None:
    assert ToolSchemaBuilder("ping").build() == ToolSchema("ping", "", [])


def test_a_built_schema_does_not_change_when_its_builder_or_a_sister_does() -> None:
    # Given two schemas of one builder
    builder = ToolSchemaBuilder("save").param("a", "string", enum=["x"])
    first, second = builder.build(), builder.build()

    # When the builder and the second schema are changed
    builder.description("changed").param("b", "string")
    second.parameters[0].required = True
    second.parameters.append(ToolParameter("c", "string"))

    # Then the first is as it was
    assert first == ToolSchema("save", "", [ToolParameter("a", "string", enum=["x"])])


def test_two_conversions_share_no_lists_that_a_client_may_change() -> None:
    schema = ToolSchemaBuilder("save").param("a", "string", required=True, enum=["x"]).build()

    given_away = schema.to_openai_format()
    given_away["function"]["parameters"]["required"].clear()
    given_away["function"]["parameters"]["properties"]["a"]["enum"].append("y")

    parameters = schema.to_openai_format()["function"]["parameters"]
    assert parameters["required"] == ["a"]
    assert parameters["properties"]["a"]["enum"] == ["x"]


def test_several_schemas_keep_their_order_and_are_json() -> None:
    schemas = [ToolSchema("one", "1"), ToolSchema("two", "2")]

    tools = schemas_to_openai_format(schemas)

    assert [tool["function"]["name"] for tool in json.loads(json.dumps(tools))] == ["one", "two"]
    assert ToolSchemaBuilder("one").description("1").to_openai_format() == tools[0]
