"""`LLMExecutor.run`: what it asks, what it runs, what it returns, and when it stops."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest

from agent_runtime_core.errors import LLMError
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import (
    AgentMessage,
    Executor,
    ExecutorConfig,
    LLMExecutor,
    LLMExecutorConfig,
    RunLimits,
    ToolResult,
    configure,
    executor,
)

HELLO = [{"role": "user", "content": "Hello"}]
FOREVER = [tool_call_reply("add_item", item="tea")] * 50


class Replies:
    """A client without a stream that serves whole responses, as they are."""

    def __init__(self, *responses: Any) -> None:
        self.responses = list(responses)

    async def generate(self, messages: Any, *, tools: Any = None, **kwargs: Any) -> Any:
        return self.responses.pop(0)


# Results.


async def test_a_text_is_the_response_and_the_only_message():
    llm = ScriptedLLM(["Hi!"])

    result = await LLMExecutor(llm).run(HELLO)

    assert result == executor.ExecutionResult(
        "Hi!",
        [AgentMessage("assistant", "Hi!")],
        0,
        "text_response",
        {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30},
    )


async def test_tool_results_go_back_to_the_model_until_it_answers_in_text(till):
    asks = tool_call_reply("add_item", ("add_item", {"item": "milk"}), item="tea", count=2)
    llm = ScriptedLLM([asks, "Two teas and a milk."])

    result = await LLMExecutor(llm, till.executor).run(HELLO, till.schemas)

    made = [
        asks,
        {"role": "tool", "content": "Added 2 tea.", "tool_call_id": "call_1_add_item", "name": "add_item"},
        {"role": "tool", "content": "Added 1 milk.", "tool_call_id": "call_2_add_item", "name": "add_item"},
    ]
    assert llm.calls[0]["messages"] == HELLO
    assert llm.calls[1]["messages"] == HELLO + made
    assert till.ran == [("add_item", {"item": "tea", "count": 2}), ("add_item", {"item": "milk", "count": 1})]
    assert result.response == "Two teas and a milk."
    assert result.stopped_reason == "text_response"
    assert result.tool_calls_made == 2
    answer = {"role": "assistant", "content": "Two teas and a milk."}
    assert result.messages == [AgentMessage.from_dict(message) for message in [*made, answer]]


async def test_the_messages_of_a_result_continue_the_conversation(till):
    llm = ScriptedLLM([tool_call_reply("add_item", item="tea"), "Anything else?", "Bye"])
    run = LLMExecutor(llm, till.executor).run
    first = await run(HELLO, till.schemas)
    history = [*HELLO, *(message.to_dict() for message in first.messages), {"role": "user", "content": "No"}]

    await run(history, till.schemas)

    assert llm.calls[2]["messages"] == history
    assert [message["role"] for message in history] == ["user", "assistant", "tool", "assistant", "user"]


async def test_the_callers_list_is_never_changed(till):
    given = [{"role": "user", "content": "tea"}]

    for prompt in (None, "", "Sell tea."):
        script: list[Any] = [tool_call_reply("add_item", item="tea"), "Done"]
        await LLMExecutor(ScriptedLLM(script), till.executor).run(given, till.schemas, prompt)

    assert given == [{"role": "user", "content": "tea"}]


async def test_each_request_is_a_list_of_its_own(till):
    llm = ScriptedLLM([tool_call_reply("add_item", item="tea"), "Done"])

    await LLMExecutor(llm, till.executor).run(HELLO, till.schemas, "Sell tea.")

    assert [len(call["messages"]) for call in llm.calls] == [2, 4]


async def test_a_client_that_empties_its_list_of_messages_changes_nothing(till):
    class Empties(ScriptedLLM):
        async def generate(self, messages, **kwargs):
            reply = await super().generate(list(messages), **kwargs)
            messages.clear()
            return reply

    llm = Empties([tool_call_reply("add_item", item="tea"), "Done"])

    await LLMExecutor(llm, till.executor).run(HELLO, till.schemas)

    assert [len(call["messages"]) for call in llm.calls] == [1, 3]


async def test_the_system_prompt_comes_first_at_every_turn_word_for_word(till):
    llm = ScriptedLLM([tool_call_reply("add_item", item="tea"), "Done"])

    result = await LLMExecutor(llm, till.executor).run(HELLO, till.schemas, system_prompt="Sell  tea.\n")

    for call in llm.calls:
        assert call["messages"][0] == {"role": "system", "content": "Sell  tea.\n"}
        assert [message["role"] for message in call["messages"]].count("system") == 1
    assert "system" not in {message.role for message in result.messages}


@pytest.mark.parametrize("prompt", [None, ""])
async def test_without_a_system_prompt_there_is_no_system_message(prompt):
    llm = ScriptedLLM(["Hi"])

    await LLMExecutor(llm).run(HELLO, system_prompt=prompt)

    assert llm.calls[0]["messages"] == HELLO


@pytest.mark.parametrize(
    ("content", "response"),
    [(None, ""), ("", ""), ([{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}], "Hello")],
)
async def test_a_content_that_is_no_text_becomes_one(content, response):
    result = await LLMExecutor(ScriptedLLM([{"role": "assistant", "content": content}])).run(HELLO)

    assert result.response == response
    assert result.messages == [AgentMessage("assistant", response)]


@pytest.mark.parametrize("tool_calls", [None, [], ()])
async def test_a_message_without_tool_calls_is_a_text_however_it_says_so(tool_calls):
    llm = Replies(SimpleNamespace(message={"role": "assistant", "content": "Hi", "tool_calls": tool_calls}))

    result = await LLMExecutor(llm).run(HELLO)

    assert (result.response, result.stopped_reason, result.usage) == ("Hi", "text_response", {})


# Usage.


async def test_usage_is_summed_and_what_is_no_number_is_left_out(till):
    asks = tool_call_reply("add_item", item="tea")
    llm = Replies(
        SimpleNamespace(message=asks, usage={"prompt_tokens": 10, "details": {"cached": 1}, "reasoning": None}),
        SimpleNamespace(message=asks, usage=None),
        SimpleNamespace(message=asks, usage={}),
        SimpleNamespace(message=asks),
        SimpleNamespace(message=asks, usage=MagicMock()),
        SimpleNamespace(message={"content": "Done"}, usage={"prompt_tokens": 5, "completion_tokens": 2}),
    )

    result = await LLMExecutor(llm, till.executor).run(HELLO, till.schemas)

    assert result.usage == {"prompt_tokens": 15, "completion_tokens": 2}


# Tools: omitted, given, none.


async def test_when_tools_are_omitted_calls_are_run_as_they_are(till):
    llm = ScriptedLLM(FOREVER)

    result = await LLMExecutor(llm, till.executor, LLMExecutorConfig(max_iterations=3)).run(HELLO)

    assert [call["tools"] for call in llm.calls] == [None] * 3
    assert result.stopped_reason == "max_iterations"
    assert result.response == "Added 1 tea."
    assert result.tool_calls_made == len(till.ran) == 3


async def test_when_tools_are_omitted_a_terminal_tool_still_ends_the_run(till):
    config = LLMExecutorConfig(terminal_tools={"complete_order"})
    llm = ScriptedLLM([tool_call_reply("complete_order")])

    result = await LLMExecutor(llm, till.executor, config).run(HELLO)

    assert (result.stopped_reason, result.response) == ("terminal_tool:complete_order", "Order complete.")
    assert llm.call_count == 1


async def test_given_tools_are_offered_in_openais_form(till):
    llm = ScriptedLLM(["Hi"])

    await LLMExecutor(llm, till.executor).run(HELLO, till.schemas)

    assert llm.calls[0]["tools"] == [schema.to_openai_format() for schema in till.schemas]


async def test_when_tools_are_given_no_other_runs(till):
    llm = ScriptedLLM([tool_call_reply("complete_order"), "Sorry"])

    result = await LLMExecutor(llm, till.executor).run(HELLO, till.schemas[:1])

    assert till.ran == []
    assert result.messages[1].content == "Error: Unknown tool 'complete_order'. Tools offered now: add_item."
    assert result.response == "Sorry"


async def test_an_empty_list_of_tools_offers_nothing_and_lets_nothing_run(till):
    llm = ScriptedLLM([tool_call_reply("add_item", item="tea"), "Sorry"])

    result = await LLMExecutor(llm, till.executor).run(HELLO, [])

    assert [call["tools"] for call in llm.calls] == [None, None]
    assert till.ran == []
    assert str(result.messages[1].content).startswith("Error: Unknown tool 'add_item'")


async def test_given_tools_run_on_fitting_arguments_only(till):
    llm = ScriptedLLM([tool_call_reply("add_item", item=3), tool_call_reply("add_item", item="tea"), "Done"])

    result = await LLMExecutor(llm, till.executor).run(HELLO, till.schemas)

    assert str(result.messages[1].content).startswith("Error: invalid arguments for 'add_item': item: 3 is not")
    assert till.ran == [("add_item", {"item": "tea", "count": 1})]


async def test_without_a_tool_executor_every_call_gets_an_error():
    llm = ScriptedLLM([tool_call_reply("pay"), "Sorry"])

    result = await LLMExecutor(llm).run(HELLO)

    assert result.messages[1].content == "Error: No tool executor configured for 'pay'"
    assert result.response == "Sorry"


@pytest.mark.parametrize(
    ("returned", "text"), [("Paid.", "Paid."), (ToolResult.ok("Paid."), "Paid."), (None, ""), ({"a": 1}, '{"a": 1}')]
)
async def test_a_tool_executor_of_ones_own_may_return_anything(returned, text):
    own = MagicMock(execute=AsyncMock(return_value=returned))
    llm = ScriptedLLM([tool_call_reply("pay", amount=3), "Done"])

    result = await LLMExecutor(llm, own).run(HELLO)

    own.execute.assert_awaited_once_with("pay", {"amount": 3})
    assert result.messages[1].content == text


async def test_what_a_tool_executor_of_ones_own_raises_is_a_result_in_production_and_propagates_in_debug():
    own = MagicMock(execute=AsyncMock(side_effect=ValueError("no money")))
    script: list[Any] = [tool_call_reply("pay"), "Sorry"]

    result = await LLMExecutor(ScriptedLLM(script), own).run(HELLO)
    configure(debug=True)

    assert result.messages[1].content == "Error executing pay: no money"
    with pytest.raises(ValueError, match="no money"):
        await LLMExecutor(ScriptedLLM(script), own).run(HELLO)


async def test_a_failing_tool_lets_the_run_go_on(till):
    llm = ScriptedLLM([tool_call_reply("explode"), "Sorry"])

    result = await LLMExecutor(llm, till.executor).run(HELLO, till.schemas)

    assert result.messages[1].content == "Error executing explode: the till is jammed"
    assert result.response == "Sorry"


# tool_choice.


def choices(llm: ScriptedLLM) -> list[dict[str, Any]]:
    return [call["kwargs"] for call in llm.calls]


async def test_a_required_tool_call_is_required_until_the_first_round_of_tools(till):
    llm = ScriptedLLM([tool_call_reply("add_item", item="tea"), tool_call_reply("add_item", item="milk"), "Done"])

    result = await LLMExecutor(llm, till.executor, LLMExecutorConfig(require_tool_call=True)).run(HELLO, till.schemas)

    assert choices(llm) == [{"tool_choice": "required"}, {}, {}]
    assert result.response == "Done"


@pytest.mark.parametrize("tools", [None, []])
async def test_nothing_is_required_when_there_are_no_tools(tools):
    llm = ScriptedLLM(["Hi"])

    await LLMExecutor(llm, None, LLMExecutorConfig(require_tool_call=True)).run(HELLO, tools)

    assert choices(llm) == [{}]


async def test_no_tool_choice_is_sent_unless_it_is_asked_for(till):
    llm = ScriptedLLM(["Hi"])

    await LLMExecutor(llm, till.executor).run(HELLO, till.schemas)

    assert choices(llm) == [{}]


async def test_a_second_run_requires_a_call_again(till):
    llm = ScriptedLLM([tool_call_reply("complete_order"), "Done"] * 2)
    runner = LLMExecutor(llm, till.executor, LLMExecutorConfig(require_tool_call=True))

    for _ in range(2):
        await runner.run(HELLO, till.schemas)

    assert choices(llm) == [{"tool_choice": "required"}, {}] * 2


# stop_on_text.


def going_on(script: list[Any], **config: Any) -> tuple[ScriptedLLM, LLMExecutorConfig]:
    return ScriptedLLM(script), LLMExecutorConfig(stop_on_text=False, **config)


async def test_when_a_text_does_not_end_the_run_it_is_kept_and_the_model_asked_to_go_on(till):
    llm, config = going_on(["Let me think.", tool_call_reply("add_item", item="tea"), "I added tea.", "That is all."])

    result = await LLMExecutor(llm, till.executor, config).run(HELLO, till.schemas)

    asked = [(call["messages"][-1]["role"], call["messages"][-1]["content"]) for call in llm.calls]
    assert asked == [("user", "Hello"), ("user", "Go on."), ("tool", "Added 1 tea."), ("user", "Go on.")]
    assert llm.calls[1]["messages"][-2]["content"] == "Let me think."
    assert [message.content for message in result.messages] == [
        "Let me think.",
        None,
        "Added 1 tea.",
        "I added tea.",
        "That is all.",
    ]
    assert (result.response, result.stopped_reason) == ("That is all.", "text_response")


async def test_the_request_to_go_on_is_no_message_of_the_run():
    llm, config = going_on(["One", "Two"])

    result = await LLMExecutor(llm, None, config).run(HELLO)

    assert [(message.role, message.content) for message in result.messages] == [
        ("assistant", "One"),
        ("assistant", "Two"),
    ]
    assert llm.call_count == 2


async def test_a_text_at_the_limit_is_the_response():
    llm, config = going_on(["One"], max_iterations=1)

    result = await LLMExecutor(llm, None, config).run(HELLO)

    assert (result.response, result.stopped_reason, llm.call_count) == ("One", "max_iterations", 1)


# Where a run ends.


async def test_a_terminal_tool_ends_the_run_wherever_it_stands_in_its_round_and_the_others_run_too(till):
    asks = tool_call_reply("complete_order", ("add_item", {"item": "tea"}))
    config = LLMExecutorConfig(terminal_tools={"complete_order"})

    result = await LLMExecutor(llm := ScriptedLLM([asks]), till.executor, config).run(HELLO, till.schemas)

    assert (result.stopped_reason, result.response) == ("terminal_tool:complete_order", "Order complete.")
    assert [name for name, _ in till.ran] == ["complete_order", "add_item"]
    assert [message.role for message in result.messages] == ["assistant", "tool", "tool"]
    assert (llm.call_count, result.tool_calls_made) == (1, 2)


async def test_a_terminal_tool_that_is_refused_does_not_end_the_run(till):
    script = [tool_call_reply("complete_order", wrong=1), tool_call_reply("complete_order")]
    config = LLMExecutorConfig(terminal_tools={"complete_order"})

    result = await LLMExecutor(ScriptedLLM(script), till.executor, config).run(HELLO, till.schemas)

    assert (result.stopped_reason, result.tool_calls_made) == ("terminal_tool:complete_order", 2)
    assert len(till.ran) == 1


@pytest.mark.parametrize("limit", [0, -1])
async def test_without_any_iteration_the_model_is_not_asked(limit):
    llm = ScriptedLLM(["Hi"])

    result = await LLMExecutor(llm, None, LLMExecutorConfig(max_iterations=limit)).run(HELLO)

    assert (result.response, result.messages, result.stopped_reason) == ("", [], "max_iterations")
    assert llm.call_count == 0


@pytest.mark.parametrize(
    ("limits", "reason", "asked", "ran"),
    [
        (RunLimits(max_tool_calls=2), "limit:tool_calls", 3, 2),
        (RunLimits(max_tool_calls=0), "limit:tool_calls", 1, 0),
        (RunLimits(max_total_tokens=60), "limit:total_tokens", 2, 2),
        (RunLimits(max_total_tokens=0), "limit:total_tokens", 0, 0),
        (RunLimits(max_seconds=0), "limit:seconds", 0, 0),
    ],
)
async def test_a_run_that_meets_a_limit_says_which(till, limits, reason, asked, ran):
    llm = ScriptedLLM(FOREVER)

    result = await LLMExecutor(llm, till.executor, LLMExecutorConfig(limits=limits)).run(HELLO, till.schemas)

    assert result.stopped_reason == reason
    assert (llm.call_count, len(till.ran)) == (asked, ran)


async def test_only_wrong_arguments_in_a_row_use_up_the_models_tries(till):
    wrong, right = tool_call_reply("add_item", item=3), tool_call_reply("add_item", item="tea")
    config = LLMExecutorConfig(limits=RunLimits(max_invalid_arguments=1), max_iterations=50)
    llm = ScriptedLLM([wrong, right, wrong, right, wrong, wrong, "never asked"])

    result = await LLMExecutor(llm, till.executor, config).run(HELLO, till.schemas)

    assert (result.stopped_reason, llm.call_count) == ("limit:invalid_arguments", 6)


async def test_what_a_client_raises_reaches_the_caller_as_it_is(till):
    down = LLMError("the model is down")

    with pytest.raises(LLMError) as caught:
        await LLMExecutor(ScriptedLLM([tool_call_reply("complete_order"), down]), till.executor).run(HELLO)

    assert caught.value is down


# Names and shapes.


def test_the_old_names_are_the_same_classes():
    assert Executor is LLMExecutor
    assert ExecutorConfig is LLMExecutorConfig


def test_an_executor_shows_what_it_was_made_of(till):
    llm, hooks = ScriptedLLM(), executor.ExecutorHooks()

    plain, full = LLMExecutor(llm), LLMExecutor(llm, till.executor, config := LLMExecutorConfig(3), hooks)

    assert (plain.llm_client, plain.tool_executor, plain.config, plain.hooks) == (llm, None, LLMExecutorConfig(), None)
    assert (full.tool_executor, full.config, full.hooks) == (till.executor, config, hooks)


def test_the_settings_and_the_result_have_the_promised_order_and_defaults():
    assert LLMExecutorConfig(10, set(), False, True) == LLMExecutorConfig()
    assert executor.ExecutionResult("x", [], 0, "text_response", {}) == executor.ExecutionResult("x")
    assert LLMExecutorConfig().terminal_tools is not LLMExecutorConfig().terminal_tools
