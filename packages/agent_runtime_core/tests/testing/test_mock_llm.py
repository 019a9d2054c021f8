"""Models that answer from a list or by a function, and one that judges."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_runtime_core.errors import LLMUnavailable
from agent_runtime_core.testing import (
    FunctionLLM,
    LLMEvaluator,
    MockLLMClient,
    MockLLMResponse,
    ScriptedLLM,
    tool_call_reply,
)

USER = [{"role": "user", "content": "Hello"}]
CALL = {"id": "1", "type": "function", "function": {"name": "save_name", "arguments": '{"name": "Ada"}'}}


async def test_the_list_is_served_in_order_and_then_the_default():
    llm = MockLLMClient([MockLLMResponse("One"), MockLLMResponse("Two", [CALL], "tool_calls")])

    first, second, third = [await llm.generate(USER) for _ in range(3)]

    assert (first.content, first.model, first.usage) == (
        "One",
        "mock-model",
        {"prompt_tokens": 10, "completion_tokens": 20},
    )
    assert (second.message["tool_calls"], second.finish_reason) == ([CALL], "tool_calls")
    assert third.content == "Mock response"


async def test_a_function_wins_over_the_list():
    llm = MockLLMClient([MockLLMResponse("One")], lambda messages: MockLLMResponse(f"{len(messages)} said"))

    answer = await llm.generate(USER, model="gpt-4o")

    assert (answer.content, answer.model) == ("1 said", "gpt-4o")


async def test_a_stream_is_the_response_in_pieces():
    llm = MockLLMClient([MockLLMResponse(" Two  words, \n"), MockLLMResponse("", [CALL])])

    text, calls = [[chunk async for chunk in llm.stream(USER)] for _ in range(2)]

    assert "".join(chunk.delta for chunk in text) == " Two  words, \n"
    assert [chunk.finish_reason for chunk in text] == [None, None, None, "stop"]
    assert calls[-1].tool_calls == [CALL]


async def test_it_remembers_what_it_was_asked_until_it_is_reset():
    # Given a caller that goes on with its list
    llm = MockLLMClient([MockLLMResponse("One")])
    messages = [*USER]
    await llm.generate(messages, tools=[{"x": 1}], temperature=0.5)
    messages.append({"role": "assistant", "content": "One"})

    # Then the call is as it was
    assert llm.get_calls() == [
        {"messages": USER, "model": None, "tools": [{"x": 1}], "kwargs": {"temperature": 0.5}}
    ]  # fmt: skip
    assert llm.get_call_count() == 1

    llm.reset()
    assert llm.get_calls() == []
    assert (await llm.generate(USER)).content == "One"


async def test_a_function_may_return_whatever_a_script_may_hold():
    # Given
    def answer(messages: Any, tools: Any) -> Any:
        said = messages[-1]["content"]
        if said == "fail":
            return LLMUnavailable("down")
        return tool_call_reply("save_name", name=said) if tools else f"Hello, {said}!"

    async def later(messages: Any, tools: Any) -> Any:
        return answer(messages, tools)

    for llm in (FunctionLLM(answer), FunctionLLM(later)):
        # Then
        ada = [{"role": "user", "content": "Ada"}]
        assert (await llm.generate(ada)).content == "Hello, Ada!"
        assert "".join([chunk.delta async for chunk in llm.stream(ada)]) == "Hello, Ada!"
        calls = (await llm.generate(ada, tools=[{}])).tool_calls or []
        assert [(call.name, call.arguments) for call in calls] == [("save_name", {"name": "Ada"})]
        with pytest.raises(LLMUnavailable):
            await llm.generate([{"role": "user", "content": "fail"}])


@pytest.mark.parametrize(
    ("verdict", "passed"), [("PASS: polite", True), ("pass", True), ("FAIL: rude", False), ("It might PASS", False)]
)
async def test_a_judge_says_pass_or_fail(verdict: str, passed: bool):
    llm = ScriptedLLM([verdict, verdict])
    judge = LLMEvaluator(llm, model="judge-1")

    assert await judge.evaluate("Hi", 'Say "PASS".', "polite") == (passed, verdict)
    assert await judge.evaluate_tool_usage("I am Ada", [CALL], ["save_name"]) == (passed, verdict)

    first, second = [call["messages"][-1]["content"] for call in llm.calls]
    assert llm.calls[0]["kwargs"]["model"] == "judge-1"
    assert json.dumps('Say "PASS".') in first
    assert "save_name" in second
