"""The tool registry: how handlers are called and what a host hears of it."""

import pytest

from agent_runtime_core.interfaces import LLMToolCall, Tool, ToolDefinition, ToolRegistry
from agent_runtime_core.messages import ToolCall

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


class Run:
    """As much of a run as a registry needs."""

    def __init__(self):
        self.events = []

    async def emit(self, event_type, payload):
        self.events.append((event_type, payload))


async def double_later(a):
    return a * 2


def double_now(a):
    return a * 2


def registry_with(*tools):
    registry = ToolRegistry()
    for tool in tools:
        registry.register(tool)
    return registry


@pytest.mark.parametrize("handler", [double_later, double_now])
async def test_async_and_plain_handlers_both_work(handler):
    registry = registry_with(Tool("double", "Double it", SCHEMA, handler))

    assert await registry.execute("double", {"a": 21}) == 42


async def test_the_raw_result_comes_back():
    result = {"any": object()}
    registry = registry_with(Tool("give", "Give", {}, lambda: result))

    assert await registry.execute("give", {}) is result


async def test_an_unknown_tool_is_a_key_error():
    with pytest.raises(KeyError, match="Tool not found: nothing"):
        await ToolRegistry().execute("nothing", {})


async def test_the_run_is_handed_only_to_handlers_that_ask_for_it():
    run = Run()
    registry = registry_with(
        Tool("with", "", {}, lambda ctx=None: ctx, metadata={"requires_context": True}),
        Tool("without", "", {}, lambda ctx=None: ctx),
    )

    assert await registry.execute("with", {}, run) is run
    assert await registry.execute("without", {}, run) is None
    assert await registry.execute("with", {}) is None


async def test_a_call_stands_between_two_events():
    # Given a tool and a call as a model writes it
    registry = registry_with(Tool("double", "", SCHEMA, double_now))
    call = LLMToolCall({"id": "call_1", "function": {"name": "double", "arguments": '{"a": 4}'}})
    run = Run()

    # When it is executed
    result = await registry.execute_with_events(call, run)

    # Then the host hears of the call and of its result
    assert result == 8
    assert run.events == [
        ("tool.call", {"tool_name": "double", "tool_args": {"a": 4}, "tool_call_id": "call_1"}),
        ("tool.result", {"tool_name": "double", "tool_call_id": "call_1", "result": 8}),
    ]


async def test_arguments_that_cannot_be_read_do_not_run_the_tool():
    ran: list[object] = []
    registry = registry_with(Tool("note", "", SCHEMA, ran.append))
    run = Run()

    result = await registry.execute_with_events({"id": "c", "name": "note", "arguments": "{oops"}, run)

    assert ran == []
    assert result.startswith("Error: invalid arguments for 'note': the arguments are not valid JSON")
    assert run.events[-1][1]["result"] == result


def test_tools_are_offered_in_openais_form_in_their_order():
    registry = registry_with(Tool("b", "The b", SCHEMA, double_now), Tool("a", "The a", SCHEMA, double_now))

    assert registry.to_openai_format() == registry.get_tool_definitions()
    assert registry.to_openai_format()[0] == {
        "type": "function",
        "function": {"name": "b", "description": "The b", "parameters": SCHEMA},
    }
    assert [tool.name for tool in registry.list_tools()] == ["b", "a"]


def test_a_tool_of_the_same_name_replaces():
    second = Tool("a", "second", {}, double_now)
    registry = registry_with(Tool("a", "first", {}, double_now), second)

    assert registry.list_tools() == [second]
    assert registry.get("a") is second
    assert registry.get("b") is None


def test_the_other_names_are_the_same_classes():
    assert ToolDefinition is Tool
    assert LLMToolCall is ToolCall
