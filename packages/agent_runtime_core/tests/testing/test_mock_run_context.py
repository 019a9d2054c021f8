"""The run context of tests."""

from __future__ import annotations

import pytest

from agent_runtime_core.interfaces import EventType, RunContext, RunResult, Tool
from agent_runtime_core.testing import MockRunContext, create_test_context, run_agent_test
from agent_runtime_core.testing.contracts import RunContextContract


class TestMockRunContext(RunContextContract):
    @pytest.fixture
    def ctx(self) -> MockRunContext:
        return MockRunContext()

    async def emitted(self, ctx: MockRunContext):
        return ctx.get_events()

    async def request_cancel(self, ctx: MockRunContext) -> bool:
        ctx.cancel()
        return True


class TestAContextOfAnotherMake(RunContextContract):
    """What is not shown to the contract is not looked at."""

    @pytest.fixture
    def ctx(self) -> MockRunContext:
        return MockRunContext()


async def test_events_can_be_asked_for_by_type():
    ctx = MockRunContext()
    await ctx.emit(EventType.PROGRESS_UPDATE, {"n": 1})
    await ctx.emit("mine", {"n": 2})

    assert ctx.get_events(EventType.PROGRESS_UPDATE) == ctx.get_events("progress.update") == [
        ("progress.update", {"n": 1})
    ]  # fmt: skip
    assert ctx.get_events("nobody's") == []


async def test_clearing_forgets_everything():
    ctx = MockRunContext()
    await ctx.emit("mine", {})
    await ctx.checkpoint({"n": 1})
    await ctx.checkpoint({"n": 2})
    ctx.cancel()
    assert ctx.get_checkpoints() == [{"n": 1}, {"n": 2}]

    ctx.clear()

    assert (ctx.get_events(), ctx.get_checkpoints(), ctx.cancelled()) == ([], [], False)
    assert await ctx.get_state() is None


class Echo:
    """An agent as small as can be."""

    async def run(self, ctx: RunContext) -> RunResult:
        said = ctx.input_messages[-1]["content"]
        await ctx.emit_user_message(said)
        tools = [tool.name for tool in ctx.tool_registry.list_tools()]
        return RunResult({"response": said, "tools": tools, "metadata": ctx.metadata})


async def test_an_agent_is_run_on_one_message():
    tool = Tool("look_up", "Looks up.", {"type": "object", "properties": {}}, lambda: "found")

    result, ctx = await run_agent_test(Echo(), "Hello", tools=[tool], metadata={"user": "ada"})

    assert result.final_output == {"response": "Hello", "tools": ["look_up"], "metadata": {"user": "ada"}}
    assert ctx.get_events("assistant.message") == [("assistant.message", {"content": "Hello"})]


def test_a_context_is_made_of_one_message():
    ctx = create_test_context("Hello", params={"n": 1})

    assert ctx.input_messages == [{"role": "user", "content": "Hello"}]
    assert (ctx.params, ctx.metadata, ctx.conversation_id) == ({"n": 1}, {}, None)
