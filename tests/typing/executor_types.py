"""What a type checker knows of the executor and of messages; `make lint` reads this file, nobody runs it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, assert_type

from agent_runtime_core.events import RunEvent
from agent_runtime_core.interfaces.llm import LLMClient, LLMResponse
from agent_runtime_core.messages import AgentMessage, ToolCall
from agent_runtime_core.testing import ScriptedLLM
from agent_runtime_framework import (
    CallableToolExecutor,
    CompositeHooks,
    Executor,
    ExecutorConfig,
    ExecutorHooks,
    LLMExecutor,
    LLMExecutorConfig,
    LoggingHooks,
    MethodToolExecutor,
    ToolExecutor,
    ToolResult,
    ToolSchema,
    ToolSchemaBuilder,
)
from agent_runtime_framework.executor import ExecutionResult


class MyClient:
    """A client of a user's own: `generate` is all it has."""

    async def generate(
        self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> LLMResponse:
        """Answer."""
        return LLMResponse({"role": "assistant", "content": "Hi"})


class MyHooks(ExecutorHooks):
    """Listens to tools."""

    async def on_tool_start(self, name: str, arguments: dict[str, Any]) -> None:
        """A tool begins."""

    async def on_tool_end(self, name: str, result: str) -> None:
        """A tool ends."""


class MyToolExecutor:
    """Runs tools in a way of its own."""

    async def execute(self, name: str, arguments: dict[str, Any]) -> str:
        """Run one."""
        return ""


def greet(name: str) -> str:
    """A tool."""
    return name


async def runs(client: LLMClient) -> None:
    """Executors of all kinds, and what they give."""
    schema = ToolSchemaBuilder("greet").description("Greet").param("name", "string", required=True).build()
    assert_type(schema, ToolSchema)
    tools: list[ToolExecutor] = [
        CallableToolExecutor({"greet": greet}),
        MethodToolExecutor(object()),
        MyToolExecutor(),
    ]
    hooks = CompositeHooks([LoggingHooks(), MyHooks()]).add(MyHooks())
    executor = LLMExecutor(client, tools[0], LLMExecutorConfig(max_iterations=3), hooks)

    result = await executor.run([{"role": "user", "content": "Hi"}], [schema], "Be kind.")

    assert_type(result, ExecutionResult)
    assert_type(result.response, str)
    assert_type(result.messages, list[AgentMessage])
    assert_type(result.usage, dict[str, int])
    assert_type(executor.stream([]), AsyncGenerator[RunEvent, None])
    LLMExecutor(llm_client=MyClient(), tool_executor=MyToolExecutor(), hooks=MyHooks())
    LLMExecutor(ScriptedLLM())
    LLMExecutor(object())  # type: ignore[arg-type]
    LLMExecutor(client, hooks=greet)  # type: ignore[arg-type]
    assert_type(Executor(client, config=ExecutorConfig()), LLMExecutor)


def values() -> None:
    """Messages, calls and results."""
    message = AgentMessage(role="user", content="Hello")
    assert_type(message.to_dict(), dict[str, Any])
    assert_type(AgentMessage.from_dict({"role": "user"}), AgentMessage)
    call = ToolCall({"id": "1", "name": "greet"})
    assert_type(call.arguments, dict[str, Any])
    assert_type(call.problem, str | None)
    assert_type(ToolResult.ok("Done", row=3), ToolResult)
