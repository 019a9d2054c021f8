"""Each double and helper that the kit promises exists under its name, with its arguments, and does as promised."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any
from uuid import UUID

import pytest

import agent_runtime_core
from agent_runtime_core import testing, tools
from agent_runtime_core.interfaces import RunResult, Tool, ToolRegistry
from agent_runtime_core.testing import (
    MockLLMClient,
    MockLLMResponse,
    MockRunContext,
    create_test_context,
    run_agent_test,
)

SIGNATURES: dict[str, list[str]] = {
    "MockRunContext": ["input_messages", "params", "metadata", "run_id", "conversation_id", "tool_registry"],
    "MockLLMResponse": ["content", "tool_calls", "finish_reason"],
    "MockLLMClient": ["responses", "response_fn", "default_response"],
    "LLMEvaluator": ["llm_client", "model"],
    "create_test_context": ["message", "tools", "metadata", "params"],
    "run_agent_test": ["agent", "message", "tools", "metadata"],
}
METHODS: dict[str, list[str]] = {
    "MockRunContext": [
        "emit",
        "get_events",
        "get_checkpoints",
        "cancel",
        "cancelled",
        "clear",
        "checkpoint",
        "get_state",
    ],
    "MockLLMClient": ["generate", "stream", "get_calls", "get_call_count", "reset"],
    "LLMEvaluator": ["evaluate", "evaluate_tool_usage"],
}
USER: list[dict[str, Any]] = [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_promised_name_takes_the_promised_arguments(name: str) -> None:
    promised = getattr(testing, name)

    assert list(inspect.signature(promised).parameters) == SIGNATURES[name]
    assert getattr(agent_runtime_core, name) is promised
    assert [method for method in METHODS.get(name, ()) if not callable(getattr(promised, method, None))] == []


@pytest.mark.parametrize("name", ["ToolParameter", "ToolSchema", "ToolSchemaBuilder", "schemas_to_openai_format"])
def test_the_tool_schemas_are_there(name: str) -> None:
    assert name in tools.__all__
    assert getattr(agent_runtime_core, name) is getattr(tools, name)


def test_every_public_name_exists() -> None:
    assert testing.__all__ == sorted(testing.__all__)
    assert [name for name in testing.__all__ if not hasattr(testing, name)] == []


def test_a_mock_context_is_a_dataclass_with_fresh_defaults() -> None:
    one, two = MockRunContext(), MockRunContext()

    assert dataclasses.is_dataclass(one)
    assert isinstance(one.run_id, UUID)
    assert one.run_id != two.run_id
    assert isinstance(one.tool_registry, ToolRegistry)
    assert one.tool_registry is not two.tool_registry
    assert (one.input_messages, one.params, one.metadata, one.conversation_id) == ([], {}, {}, None)


async def test_a_mock_context_forgets_events_states_and_the_wish_to_stop() -> None:
    ctx = MockRunContext()
    await ctx.emit("my.event", {"n": 1})
    await ctx.emit("other", {})
    await ctx.checkpoint({"n": 1})
    ctx.cancel()
    assert (ctx.get_events("my.event"), ctx.get_checkpoints()) == ([("my.event", {"n": 1})], [{"n": 1}])

    ctx.clear()

    assert (ctx.get_events(), ctx.get_checkpoints(), ctx.cancelled(), await ctx.get_state()) == ([], [], False, None)


async def test_a_mock_client_answers_as_promised() -> None:
    client = MockLLMClient([MockLLMResponse("One two")])
    chunks = [chunk async for chunk in client.stream(USER)]
    default = await client.generate(USER, model="m-1", temperature=0)

    assert "".join(chunk.delta for chunk in chunks) == "One two"
    assert chunks[-1].finish_reason == "stop"
    assert (default.content, default.model, default.finish_reason) == ("Mock response", "m-1", "stop")
    assert default.usage == {"prompt_tokens": 10, "completion_tokens": 20}
    assert client.get_call_count() == 2
    assert client.get_calls()[1] == {"messages": USER, "model": "m-1", "tools": None, "kwargs": {"temperature": 0}}


async def test_an_agent_runs_on_one_message_with_its_tools() -> None:
    tool = Tool("save_name", "Saves.", {"type": "object"}, lambda: "saved")

    class Greeter:
        async def run(self, ctx: MockRunContext) -> RunResult:
            await ctx.emit_user_message("Hello")
            return RunResult(final_output={"tools": [each.name for each in ctx.tool_registry.list_tools()]})

    result, ctx = await run_agent_test(Greeter(), "Hi", tools=[tool], metadata={"tenant": "acme"})

    assert (result.final_output, ctx.input_messages, ctx.metadata) == (
        {"tools": ["save_name"]},
        USER,
        {"tenant": "acme"},
    )
    assert ctx.get_events() == [("assistant.message", {"content": "Hello"})]
    assert create_test_context("Hi", params={"lang": "en"}).params == {"lang": "en"}
