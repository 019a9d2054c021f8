"""Hooks hear of a run in order, by position, as copies; they observe and cannot break it."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import Any

import pytest

from agent_runtime_core.errors import LLMError
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import (
    CallableToolExecutor,
    CompositeHooks,
    ExecutorHooks,
    JourneyConfig,
    LLMExecutor,
    LLMExecutorConfig,
    LoggingHooks,
    ToolSchemaBuilder,
    configure,
)

HELLO = [{"role": "user", "content": "Hello"}]
NAMES = ["on_iteration_start", "on_llm_call", "on_tool_calls", "on_tool_start", "on_tool_end", "on_complete"]


class Listens(ExecutorHooks):
    """Takes down what it hears; its parameters have names of their own, as a user's may."""

    def __init__(self, heard: list[Any] | None = None, name: str = "") -> None:
        self.heard: list[Any] = [] if heard is None else heard
        self.name = name

    async def on_iteration_start(self, number, /):
        self.heard.append((f"{self.name}on_iteration_start", number))

    async def on_llm_call(self, sent, offered, /):
        self.heard.append((f"{self.name}on_llm_call", sent, offered))

    async def on_tool_calls(self, wanted, /):
        self.heard.append((f"{self.name}on_tool_calls", wanted))

    async def on_tool_start(self, tool, given, /):
        self.heard.append((f"{self.name}on_tool_start", tool, given))

    async def on_tool_end(self, tool, said, /):
        self.heard.append((f"{self.name}on_tool_end", tool, said))

    async def on_complete(self, answer, why, /):
        self.heard.append((f"{self.name}on_complete", answer, why))


TWO_CALLS = tool_call_reply("add_item", ("complete_order", {}), item="tea")


async def test_hooks_hear_of_everything_in_order(till):
    hooks = Listens()

    await LLMExecutor(ScriptedLLM([TWO_CALLS, "Done"]), till.executor, hooks=hooks).run(HELLO, till.schemas, "Sell.")

    tools = [schema.to_openai_format() for schema in till.schemas]
    first = [{"role": "system", "content": "Sell."}, *HELLO]
    second = [
        *first,
        TWO_CALLS,
        {"role": "tool", "content": "Added 1 tea.", "tool_call_id": "call_1_add_item", "name": "add_item"},
        {
            "role": "tool",
            "content": "Order complete.",
            "tool_call_id": "call_2_complete_order",
            "name": "complete_order",
        },
    ]
    assert hooks.heard == [
        ("on_iteration_start", 0),
        ("on_llm_call", first, tools),
        ("on_tool_calls", TWO_CALLS["tool_calls"]),
        ("on_tool_start", "add_item", {"item": "tea"}),
        ("on_tool_end", "add_item", "Added 1 tea."),
        ("on_tool_start", "complete_order", {}),
        ("on_tool_end", "complete_order", "Order complete."),
        ("on_iteration_start", 1),
        ("on_llm_call", second, tools),
        ("on_complete", "Done", "text_response"),
    ]


async def test_without_tools_hooks_hear_none():
    hooks = Listens()

    await LLMExecutor(ScriptedLLM(["Hi"]), hooks=hooks).run(HELLO)

    assert hooks.heard[1] == ("on_llm_call", HELLO, None)


@pytest.mark.parametrize(
    ("config", "last"),
    [
        (LLMExecutorConfig(max_iterations=1), ("on_complete", "Added 1 tea.", "max_iterations")),
        (
            LLMExecutorConfig(terminal_tools={"add_item"}),
            ("on_complete", "Added 1 tea.", "terminal_tool:add_item"),
        ),
    ],
)
async def test_the_end_of_a_run_is_told_once_whatever_ended_it(till, config, last):
    hooks = Listens()
    llm = ScriptedLLM([tool_call_reply("add_item", item="tea")])

    await LLMExecutor(llm, till.executor, config, hooks).run(HELLO)

    assert [each for each in hooks.heard if each[0] == "on_complete"] == hooks.heard[-1:] == [last]


async def test_a_run_that_raised_is_not_told_as_complete():
    hooks = Listens()

    with pytest.raises(LLMError):
        await LLMExecutor(ScriptedLLM([LLMError("down")]), hooks=hooks).run(HELLO)

    assert [each[0] for each in hooks.heard] == ["on_iteration_start", "on_llm_call"]


async def test_a_refused_call_is_told_with_its_error(till):
    hooks = Listens()

    await LLMExecutor(ScriptedLLM([tool_call_reply("nothing"), "x"]), till.executor, hooks=hooks).run(HELLO, [])

    assert hooks.heard[3:5] == [
        ("on_tool_start", "nothing", {}),
        ("on_tool_end", "nothing", "Error: Unknown tool 'nothing'. Tools offered now: none, answer in words."),
    ]


async def test_a_journey_tells_its_hooks_the_same_whichever_way_it_is_started(signup, context):
    script: list[Any] = [tool_call_reply("save_name", name="Ada"), "How old?"]
    heard = []

    for start in ("run", "run_stream", "send", "stream"):
        agent = signup.Agent(ScriptedLLM(script), hooks=(hooks := Listens()))
        given = (context("I am Ada"),) if "run" in start else ("c", "I am Ada")
        running = getattr(agent, start)(*given)
        if inspect.isasyncgen(running):
            _ = [event async for event in running]
        else:
            await running
        heard.append(hooks.heard)

    assert [each[0] for each in heard[0]] == [*NAMES[:5], *NAMES[:2], NAMES[5]]
    assert heard[0] == heard[1] == heard[2] == heard[3]


async def test_the_closing_call_of_a_journey_is_told_like_any_other(signup, context):
    agent = signup.Agent(
        ScriptedLLM([tool_call_reply("note", text="a"), "Bye"]), JourneyConfig(1), hooks=(hooks := Listens())
    )

    await agent.run(context("hi"))

    assert [each[1] for each in hooks.heard if each[0] == "on_iteration_start"] == [0, 1]
    assert hooks.heard[-1] == ("on_complete", "Bye", "max_iterations")


# Hooks get copies.


class Vandal(ExecutorHooks):
    """Spoils whatever it gets, however deep."""

    async def on_llm_call(self, messages, tools):
        for message in messages:
            for call in message.get("tool_calls", ()):
                call["function"]["arguments"] = "spoilt"
            if isinstance(message["content"], list):
                message["content"].clear()
            message["content"] = "spoilt"
        messages.clear()
        for tool in tools:
            tool["function"]["parameters"]["properties"].clear()
            tool["function"]["name"] = "spoilt"
        tools.clear()

    async def on_tool_calls(self, tool_calls):
        for call in tool_calls:
            call["function"]["name"] = "spoilt"
        tool_calls.clear()

    async def on_tool_start(self, name, arguments):
        arguments["items"].append("spoilt")
        arguments["to"]["city"] = "spoilt"
        arguments.clear()


async def test_hooks_cannot_change_what_the_model_or_a_tool_gets():
    given = {"items": ["tea"], "to": {"city": "Paris"}}
    got: list[Any] = []

    async def deliver(items, to):
        got.append({"items": list(items), "to": dict(to)})
        return "On its way."

    schema = (
        ToolSchemaBuilder("deliver").param("items", "array", items={"type": "string"}).param("to", "object").build()
    )
    said = [{"role": "user", "content": [{"type": "text", "text": "Tea to Paris, please"}]}]
    runs = []
    for hooks in (None, Vandal()):
        llm = ScriptedLLM([tool_call_reply("deliver", **given), "Done"])
        result = await LLMExecutor(llm, CallableToolExecutor({"deliver": deliver}), hooks=hooks).run(said, [schema])
        runs.append((llm.calls, result))

    assert got == [given, given]
    assert said == [{"role": "user", "content": [{"type": "text", "text": "Tea to Paris, please"}]}]
    assert runs[0] == runs[1]


# Hooks cannot break a run.


async def test_a_broken_hook_is_logged_without_what_it_heard_and_the_run_goes_on(till, caplog):
    class Broken(Listens):
        async def on_tool_start(self, tool, given, /):
            raise ValueError(f"cannot count {given}")

    llm = ScriptedLLM([tool_call_reply("add_item", item="secret tea"), "Done"])

    with caplog.at_level(logging.INFO, "agent_runtime_framework"):
        result = await LLMExecutor(llm, till.executor, hooks=(hooks := Broken())).run(HELLO)

    assert result.response == "Done"
    assert [each[0] for each in hooks.heard][-3:] == ["on_iteration_start", "on_llm_call", "on_complete"]
    assert [record.getMessage() for record in caplog.records] == [
        "Hook Broken.on_tool_start raised ValueError; the run goes on"
    ]


async def test_a_hook_whose_own_work_was_cancelled_does_not_cancel_the_run():
    class Impatient(Listens):
        async def on_llm_call(self, sent, offered, /):
            work = asyncio.ensure_future(asyncio.Event().wait())
            work.cancel()
            await work

    result = await LLMExecutor(ScriptedLLM(["Done"]), hooks=(hooks := Impatient())).run(HELLO)

    assert result.response == "Done"
    assert hooks.heard[-1][0] == "on_complete"


@pytest.mark.parametrize("debug", [True, False])
async def test_a_run_that_is_cancelled_while_a_hook_waits_is_cancelled(debug):
    configure(debug=debug)
    begun = asyncio.Event()

    class Waits(Listens):
        async def on_llm_call(self, sent, offered, /):
            begun.set()
            await asyncio.Event().wait()

    run = asyncio.create_task(LLMExecutor(ScriptedLLM(["Done"]), hooks=CompositeHooks([Waits()])).run(HELLO))
    await begun.wait()
    run.cancel()

    with pytest.raises(asyncio.CancelledError):
        await run


# Several hooks.


async def test_each_event_goes_to_every_hook_in_order(till):
    heard: list[Any] = []
    hooks = CompositeHooks([Listens(heard, "first ")])
    assert hooks.add(Listens(heard, "second ")) is hooks

    llm = ScriptedLLM([tool_call_reply("complete_order"), "Done"])
    await LLMExecutor(llm, till.executor, hooks=hooks).run(HELLO)

    assert [each[0] for each in heard[::2]] == [f"first {name}" for name in (*NAMES[:5], *NAMES[:2], NAMES[5])]
    assert [each[0] for each in heard[1::2]] == [f"second {name}" for name in (*NAMES[:5], *NAMES[:2], NAMES[5])]
    assert [each[1:] for each in heard[::2]] == [each[1:] for each in heard[1::2]]


async def test_a_hook_that_raises_does_not_keep_the_next_from_hearing():
    class Broken(ExecutorHooks):
        async def on_complete(self, response, stopped_reason):
            raise ValueError("broken")

    listens = Listens()

    await LLMExecutor(ScriptedLLM(["Hi"]), hooks=CompositeHooks([Broken(), listens])).run(HELLO)

    assert listens.heard[-1] == ("on_complete", "Hi", "text_response")


async def test_in_debug_mode_a_hook_that_raises_among_several_is_raised():
    class Broken(ExecutorHooks):
        async def on_complete(self, response, stopped_reason):
            raise ValueError("broken")

    configure(debug=True)

    with pytest.raises(ValueError, match="broken"):
        await LLMExecutor(ScriptedLLM(["Hi"]), hooks=CompositeHooks([Broken()])).run(HELLO)


async def test_no_hooks_at_all_are_fine_too():
    given = [Listens()]
    hooks = CompositeHooks(given)
    hooks.add(Listens())

    await LLMExecutor(ScriptedLLM(["Hi"]), hooks=CompositeHooks()).run(HELLO)
    await LLMExecutor(ScriptedLLM(["Hi"]), hooks=ExecutorHooks()).run(HELLO)

    assert len(given) == 1


# Logging.


async def logged(hooks, till, caplog, level):
    script: list[Any] = [
        tool_call_reply("add_item", item="secret " * 50),
        tool_call_reply("complete_order"),
        "secret answer",
    ]
    with caplog.at_level(level, hooks.logger.name):
        await LLMExecutor(ScriptedLLM(script), till.executor, hooks=hooks).run([{"role": "user", "content": "secret"}])
    return [record for record in caplog.records if record.name == hooks.logger.name]


async def test_logging_hooks_write_one_line_per_event_without_any_text_of_the_conversation(till, caplog):
    hooks = LoggingHooks()

    records = await logged(hooks, till, caplog, logging.INFO)

    assert hooks.logger.name == "agent_runtime_framework.executor.hooks"
    assert {record.levelno for record in records} == {hooks.level} == {logging.INFO}
    assert [record.getMessage() for record in records] == [
        "Iteration 0 started",
        "LLM call with 1 messages and 0 tools",
        "LLM asked for 1 tool call(s)",
        "Tool add_item started",
        "Tool add_item ended with 359 characters",
        "Iteration 1 started",
        "LLM call with 3 messages and 0 tools",
        "LLM asked for 1 tool call(s)",
        "Tool complete_order started",
        "Tool complete_order ended with 15 characters",
        "Iteration 2 started",
        "LLM call with 5 messages and 0 tools",
        "Run complete: text_response",
    ]


async def test_logging_hooks_write_arguments_and_results_at_debug_cut_at_200_characters(till, caplog):
    hooks = LoggingHooks(logging.WARNING, "shop.agent")

    records = await logged(hooks, till, caplog, logging.DEBUG)

    assert hooks.logger is logging.getLogger("shop.agent")
    assert {record.levelno for record in records} == {logging.WARNING, logging.DEBUG}
    texts = [record.getMessage() for record in records if record.levelno == logging.DEBUG]
    assert texts[0] == f"Tool add_item arguments: {{'item': '{'secret ' * 50}'}}"
    result = f"Added 1 {'secret ' * 50}."
    assert texts[1] == f"Tool add_item result: {result[:200]}..."
    assert texts[3] == "Tool complete_order result: Order complete."


async def test_a_result_of_200_characters_is_shown_whole(caplog):
    hooks = LoggingHooks(logging.DEBUG)

    with caplog.at_level(logging.DEBUG, hooks.logger.name):
        await hooks.on_tool_end("look", "x" * 200)

    assert caplog.records[-1].getMessage().endswith(": " + "x" * 200)


@pytest.mark.parametrize("name", NAMES)
def test_every_hook_is_async_and_does_nothing_by_itself(name):
    for hooks in (ExecutorHooks, LoggingHooks, CompositeHooks):
        assert inspect.iscoroutinefunction(getattr(hooks, name))
