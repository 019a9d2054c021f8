"""Running tools by name: functions of a dict, methods of an object."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import threading
from dataclasses import dataclass
from enum import Enum
from typing import Any
from unittest.mock import AsyncMock
from uuid import UUID

import pytest

from agent_runtime_framework import (
    BaseJourneyTools,
    CallableToolExecutor,
    FrameworkConfig,
    MethodToolExecutor,
    ToolResult,
    configure,
    set_config,
)

RUN = UUID("11111111-1111-1111-1111-111111111111")


class Color(Enum):
    RED = "red"


class Later:
    """Something to await that is no coroutine."""

    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return "later"


def greet(name: str, greeting: str = "Hello") -> str:
    return f"{greeting} {name}"


async def greet_async(name: str, greeting: str = "Hello") -> str:
    await asyncio.sleep(0)
    return f"{greeting} {name}"


class CallableObject:
    def __call__(self, name: str) -> str:
        return f"Hello {name}"


class AsyncCallableObject:
    async def __call__(self, name: str) -> str:
        return f"Hello {name}"


@pytest.mark.parametrize(
    "tool",
    [
        greet,
        greet_async,
        lambda name: f"Hello {name}",
        lambda name: greet_async(name),
        functools.partial(greet, greeting="Hello"),
        functools.partial(greet_async, greeting="Hello"),
        functools.wraps(greet)(lambda **given: greet_async(**given)),
        CallableObject(),
        AsyncCallableObject(),
        AsyncMock(return_value="Hello Ada"),
    ],
)
async def test_a_tool_may_be_any_function_async_or_not(tool):
    assert await CallableToolExecutor({"greet": tool}).execute("greet", {"name": "Ada"}) == "Hello Ada"


async def test_an_awaitable_result_is_awaited():
    assert await CallableToolExecutor({"wait": Later}).execute("wait", {}) == "later"


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("text", "text"),
        ("", ""),
        (None, ""),
        (3, "3"),
        (0, "0"),
        (False, "False"),
        (2.5, "2.5"),
        ({"a": [1, None, True]}, '{"a": [1, null, true]}'),
        ([], "[]"),
        (({"name": "Zoë"},), '[{"name": "Zoë"}]'),
        ({"id": RUN}, f'{{"id": "{RUN}"}}'),
        ({RUN: 1}, f'{{"{RUN}": 1}}'),
        ({(1, 2): "pair"}, '{"(1, 2)": "pair"}'),
        ({1: "one", None: "none"}, '{"1": "one", "null": "none"}'),
        (ToolResult.ok("Saved.", row=3), "Saved."),
        (ToolResult.fail("No such row"), "No such row"),
        (b"caf\xc3\xa9 \xff", "café \ufffd"),
        (RUN, str(RUN)),
        (Color.RED, "Color.RED"),
    ],
)
async def test_a_result_becomes_a_text(result, text):
    async def tool():
        return result

    for function in (tool, lambda: result):
        assert await CallableToolExecutor({"tool": function}).execute("tool", {}) == text


async def test_a_tool_that_is_not_async_runs_beside_the_event_loop():
    where = []

    async def is_loop_free():
        # Given a tool that waits for the event loop to do something
        done = threading.Event()
        asyncio.get_running_loop().call_later(0, done.set)

        def wait():
            where.append(threading.current_thread())
            return done.wait(30)

        return await CallableToolExecutor({"wait": wait}).execute("wait", {})

    assert await is_loop_free() == "True"
    assert where != [threading.main_thread()]


async def test_a_tool_that_is_not_async_sees_the_context_of_its_run():
    user = contextvars.ContextVar("user", default="nobody")
    user.set("Ada")

    assert await CallableToolExecutor({"who": user.get}).execute("who", {}) == "Ada"


# Unknown names.


@pytest.mark.parametrize("name", ["nothing", "", "Greet", "greet ", "__class__", "get"])
async def test_an_unknown_function_is_answered_and_never_raises(name):
    configure(debug=True)

    assert await CallableToolExecutor({"greet": greet}).execute(name, {}) == f"Error: Unknown tool '{name}'"


class Helpers:
    def shared(self) -> str:
        return "shared"

    def _private(self) -> str:
        return "private"


class Tools(Helpers):
    attribute = "text"
    looked_at: list[str] = []  # noqa: RUF012  # emptied by the test that reads it
    Inner = dict

    def __init__(self) -> None:
        self.backend = greet
        self.callback = lambda: "called back"

    def plain(self, name: str) -> str:
        return f"Hello {name}"

    async def waits(self, name: str) -> str:
        return f"Hello {name}"

    @staticmethod
    def static(name: str) -> str:
        return f"Hello {name}"

    @classmethod
    def of_class(cls, name: str) -> str:
        return f"Hello {name}"

    partial = functools.partialmethod(plain, "Ada")

    @property
    def prop(self) -> Any:
        self.looked_at.append("prop")
        return greet

    @functools.cached_property
    def cached(self) -> Any:
        self.looked_at.append("cached")
        return greet

    @staticmethod
    def _static() -> str:
        return "private"

    def __call__(self) -> str:
        return "called"


@pytest.mark.parametrize("name", ["plain", "waits", "static", "of_class"])
async def test_the_public_methods_of_an_object_are_tools(name):
    assert await MethodToolExecutor(Tools()).execute(name, {"name": "Ada"}) == "Hello Ada"


async def test_methods_of_the_users_own_bases_are_tools():
    assert await MethodToolExecutor(Tools()).execute("shared", {}) == "shared"


async def test_a_method_with_its_arguments_filled_in_is_a_tool():
    assert await MethodToolExecutor(Tools()).execute("partial", {}) == "Hello Ada"


@pytest.mark.parametrize(
    "name",
    [
        "_private",
        "_static",
        "__init__",
        "__call__",
        "__class__",
        "__dict__",
        "attribute",
        "looked_at",
        "Inner",
        "backend",
        "callback",
        "prop",
        "cached",
        "nothing",
        "",
        "plain.__func__",
    ],
)
async def test_what_is_no_public_method_is_answered_like_an_unknown_tool_and_not_even_looked_at(name):
    Tools.looked_at.clear()

    assert await MethodToolExecutor(Tools()).execute(name, {}) == f"Error: Unknown tool '{name}'"
    assert Tools.looked_at == []


@dataclass(slots=True)
class Slotted:
    state: Any = greet

    def save(self) -> str:
        return "saved"


async def test_a_slot_is_no_tool():
    executor = MethodToolExecutor(Slotted())

    assert await executor.execute("state", {"name": "Ada"}) == "Error: Unknown tool 'state'"
    assert await executor.execute("save", {}) == "saved"


@pytest.mark.parametrize(
    "name", ["state", "backend_client", "on_state_change", "_notify_state_change", "_require_backend"]
)
async def test_what_a_journeys_tools_bring_along_are_no_tools(signup, name):
    tools = signup.Tools(signup.State(), backend_client=greet, on_state_change=greet)

    assert await MethodToolExecutor(tools).execute(name, {}) == f"Error: Unknown tool '{name}'"
    assert isinstance(tools, BaseJourneyTools)


async def test_methods_of_a_journeys_tools_work_on_its_state(signup):
    tools = signup.Tools(state := signup.State())

    assert await MethodToolExecutor(tools).execute("save_name", {"name": "Ada"}) == "Saved Ada."
    assert state.name == "Ada"


# What a tool raises.


def process_data(data: str) -> str:
    return f"Processed: {int(data)}"


async def process_data_async(data: str) -> str:
    return process_data(data)


class Processor:
    process_data = staticmethod(process_data_async)


BROKEN = [
    CallableToolExecutor({"process_data": process_data}),
    CallableToolExecutor({"process_data": process_data_async}),
    CallableToolExecutor({"process_data": lambda data: process_data_async(data)}),
    MethodToolExecutor(Processor()),
]


@pytest.mark.parametrize("executor", BROKEN)
async def test_in_production_mode_an_exception_becomes_the_result_and_is_logged_with_its_place(executor, caplog):
    with caplog.at_level(logging.INFO, "agent_runtime_framework"):
        text = await executor.execute("process_data", {"data": "abc"})

    assert text == "Error executing process_data: invalid literal for int() with base 10: 'abc'"
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "'process_data' raised ValueError" in record.getMessage()
    assert "test_tool_executors.py" in record.getMessage()
    assert "in process_data" in record.getMessage()
    assert "abc" not in record.getMessage()


@pytest.mark.parametrize("executor", BROKEN)
@pytest.mark.parametrize("settings", [FrameworkConfig(debug=True, swallow_tool_exceptions=False), None])
async def test_when_exceptions_are_not_swallowed_they_propagate_unchanged(executor, settings):
    if settings is None:
        configure(swallow_tool_exceptions=False)
    else:
        set_config(settings)

    with pytest.raises(ValueError, match=r"invalid literal for int\(\) with base 10: 'abc'"):
        await executor.execute("process_data", {"data": "abc"})


async def test_the_mode_is_looked_up_at_every_call():
    executor = CallableToolExecutor({"process_data": process_data_async})

    configure(debug=True)
    with pytest.raises(ValueError, match="abc"):
        await executor.execute("process_data", {"data": "abc"})
    configure(debug=False)

    assert (await executor.execute("process_data", {"data": "abc"})).startswith("Error executing process_data")


@pytest.mark.parametrize("arguments", [{}, {"name": "Ada", "wrong": 1}, {"name ": "Ada"}])
@pytest.mark.parametrize("tool", [greet, greet_async])
async def test_arguments_that_do_not_fit_the_function_are_an_error_in_words(tool, arguments):
    text = await CallableToolExecutor({"greet": tool}).execute("greet", arguments)

    assert text.startswith("Error executing greet: greet")
    assert "argument" in text


@pytest.mark.parametrize("error", [ValueError(), TimeoutError(), AssertionError()])
async def test_an_exception_without_words_is_named(error):
    async def fail():
        raise error

    text = await CallableToolExecutor({"fail": fail}).execute("fail", {})

    assert text == f"Error executing fail: {type(error).__name__}"


async def test_a_function_that_raises_stop_iteration_is_a_failure_and_does_not_hang():
    def first(items):
        return next(item for item in items if item)

    text = await asyncio.wait_for(CallableToolExecutor({"first": first}).execute("first", {"items": []}), 30)

    assert text.startswith("Error executing first: ")
    assert "StopIteration" in text


@pytest.mark.parametrize("swallow", [True, False])
@pytest.mark.parametrize("stop", [asyncio.CancelledError, KeyboardInterrupt, SystemExit])
async def test_only_exceptions_are_caught(stop, swallow):
    configure(swallow_tool_exceptions=swallow)

    async def fail():
        raise stop

    async def attempt():
        try:
            await CallableToolExecutor({"fail": fail}).execute("fail", {})
        except BaseException as error:
            return type(error)

    assert await attempt() is stop


async def test_cancelling_a_run_cancels_its_tool():
    begun = asyncio.Event()
    ended = []

    async def wait():
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    task = asyncio.create_task(CallableToolExecutor({"wait": wait}).execute("wait", {}))
    await begun.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]


async def test_an_executor_shows_what_it_was_made_of():
    functions, tools = {"greet": greet}, Tools()

    assert CallableToolExecutor(functions).tools is functions
    assert MethodToolExecutor(tools).tools_instance is tools
