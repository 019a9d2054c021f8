"""Whatever a model replies: guarantees 2, 3, 4, 8 and 9 hold."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_runtime_core.errors import LLMBadReply
from agent_runtime_core.events import RunFailed, RunFinished, ToolCallFinished
from agent_runtime_core.history import is_sendable
from agent_runtime_core.messages import ToolCall
from agent_runtime_core.testing import ScriptedLLM
from agent_runtime_framework import JourneyConfig, RunLimits

TOOLS = ["save_name", "save_age", "note", "explode", "odd", "unstorable"]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    [*TOOLS, "_secret", "__class__", "state", "on_state_change", "execute_tool", "save name", ""]
) | st.text(max_size=8)
plausible = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(max_size=5) | anything,
        "age": st.integers() | anything,
        "text": anything,
        "kind": anything,
    },
)
arguments = (
    plausible
    | anything
    | plausible.map(lambda value: json.dumps(value, default=str))
    | anything.map(repr)
    | st.text(max_size=20)
)
ids = st.sampled_from(["a", "a", "b", "", None]) | anything
good = st.builds(
    lambda call_id, call: {"id": call_id, "function": {"name": call[0], "arguments": json.dumps(call[1])}},
    st.text(min_size=1, max_size=3),
    st.sampled_from(
        [
            ("save_name", {"name": "Ada"}),
            ("save_age", {"age": 36}),
            ("note", {"text": "x"}),
            ("explode", {}),
            ("unstorable", {}),
            ("odd", {"kind": "bytes"}),
        ]
    ),
)
strange = (
    st.fixed_dictionaries(
        {"function": st.fixed_dictionaries({}, optional={"name": names, "arguments": arguments})},
        optional={"id": ids, "type": anything},
    )
    | st.fixed_dictionaries({"name": names}, optional={"id": ids, "arguments": arguments})
    | anything
)
any_message = st.fixed_dictionaries(
    {},
    optional={
        "role": st.just("assistant") | anything,
        "content": st.text(max_size=8) | anything,
        "tool_calls": st.lists(good | strange, max_size=4) | anything,
    },
)
working = st.fixed_dictionaries({"tool_calls": st.lists(good, min_size=1, max_size=3)})
usages = (
    st.none()
    | st.dictionaries(st.sampled_from(["prompt_tokens", "total_tokens", "x"]), anything, max_size=2)
    | anything
)
replies = st.one_of(
    st.builds(SimpleNamespace, message=working, usage=usages),
    st.builds(SimpleNamespace, message=working | any_message, usage=usages),
    st.builds(SimpleNamespace, message=any_message | anything, usage=usages),
)


class Replies(ScriptedLLM):
    def _next(self, messages: Any, tools: Any, kwargs: Any) -> Any:
        super()._next(messages, tools, kwargs)
        place = len(self.calls) - 1
        return self.given[place] if place < len(self.given) else SimpleNamespace(message={"content": "Bye"}, usage=None)

    given: list[Any]
    stream = None  # type: ignore[assignment]  # only `generate`, so that the replies stay as they are


@settings(max_examples=2500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    script=st.lists(replies, max_size=5),
    start=st.sampled_from(["name", "age", "name", "age", "welcome", "done"]),
    limits=st.builds(
        RunLimits,
        max_tool_calls=st.none() | st.integers(0, 3),
        max_invalid_arguments=st.none() | st.integers(0, 2),
        max_total_tokens=st.none() | st.integers(0, 100),
    ),
    max_tool_iterations=st.integers(0, 4),
)
def test_whatever_a_model_replies(signup, script, start, limits, max_tool_iterations):
    async def run() -> None:
        # Given an agent whose model replies with anything, and a look at the state around each tool
        signup.ran.clear()
        agent = signup.Agent(llm := Replies(), JourneyConfig(max_tool_iterations=max_tool_iterations, limits=limits))
        llm.given = script
        agent.start = signup.Step(start)
        invoked: list[tuple[str, dict[str, Any], str]] = []
        execute = agent.execute_tool

        async def watched(tools: Any, name: str, had: dict[str, Any]) -> Any:
            invoked.append((name, had, tools.state.step.value))
            return await execute(tools, name, had)

        agent.execute_tool = watched
        agent.is_closing_message = lambda message: False
        # When it runs
        events = []
        failure = None
        stream = agent.stream("c", "hello")
        try:
            async for event in stream:
                events.append(event)
        except LLMBadReply as error:
            failure = error
        # Then 9: it has ended once, with a reason
        ends = [event for event in events if isinstance(event, (RunFinished, RunFailed))]
        assert ends == events[-1:]
        end = ends[0]
        if failure is None:
            assert isinstance(end, RunFinished)
            assert end.reason
            assert isinstance(end.response, str)
        else:
            assert isinstance(end, RunFailed)
            assert end.error is failure
        # 2: only offered tools have run
        offered = {"name": {*TOOLS} - {"save_age"}, "age": {*TOOLS} - {"save_name"}, "welcome": (), "done": ()}
        for name, had, step in invoked:
            assert name in offered[step]
            # 3: and only on arguments that fit their schema
            if name == "save_age":
                assert set(had) == {"age"}
                assert type(had["age"]) is int
            elif name in {"save_name", "note", "odd"}:
                assert [type(value) for value in had.values()] == [str]
            else:
                assert had == {}
        # 4: what failed has left nothing behind
        for event in events:
            if isinstance(event, ToolCallFinished) and event.outcome.status != "ok":
                assert event.outcome.content.startswith("Error")
        history = [message.to_dict() for message in await agent.get_history("c")]
        state = await agent.get_state("c")
        if state is not None:
            assert state.name != "half done"
            assert "half done" not in state.notes
            json.dumps(state.to_dict())
        # 8: what is stored can be sent, in a form that vendors take
        assert is_sendable(history)
        json.dumps(history)
        for message in history:
            for wire in message.get("tool_calls", ()):
                call = ToolCall(wire)
                assert call.problem is None
                assert call.id
                assert call.name == call.wire_name
        for asked in llm.calls:
            assert is_sendable(asked["messages"])

    asyncio.run(run())


@pytest.mark.parametrize("message", [None, "text", 3, ["x"]])
async def test_a_client_that_answers_with_no_message_is_named(signup, context, message):
    agent = signup.Agent(llm := Replies())
    llm.given = [SimpleNamespace(message=message)]

    with pytest.raises(LLMBadReply, match=r"needs \.message, a dict"):
        await agent.run(context("hello"))
