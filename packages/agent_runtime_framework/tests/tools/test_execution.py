"""One tool call: refused, invalid, failed or done; all or nothing for the state."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.messages import ToolCall
from agent_runtime_framework import ToolResult, ToolSchemaBuilder, configure
from agent_runtime_framework.tools.execution import call_tool

WORD = "paper"
OFFER = {
    name: ToolSchemaBuilder(name).param("text", "string", required=True).to_openai_format()["function"]
    for name in ("note", "write")
}


@dataclass
class Notes:
    """A state that holds texts."""

    texts: list[str] = field(default_factory=list)


def call(name="note", arguments: Any = None) -> ToolCall:
    return ToolCall({"id": "a", "name": name, "arguments": {"text": "hi"} if arguments is None else arguments})


async def outcome(work, given=None, *, offer=OFFER, timeout_s: float | None = 60.0, **options):
    """What a call of the tool `work(text, state)` comes to, and the state after it."""
    state = Notes(["before"])

    async def invoke(name, arguments):
        return await work(arguments.get("text"), state)

    result = await call_tool(given or call(), invoke, offer=offer, timeout_s=timeout_s, state=state, **options)
    return (result.status, result.content), state.texts


async def note(text, state):
    state.texts.append(text)
    return "Noted."


async def test_a_tool_that_works_keeps_its_change_and_says_its_text():
    assert await outcome(note) == (("ok", "Noted."), ["before", "hi"])


@pytest.mark.parametrize("name", ["nothing", "", "Note", "__init__"])
async def test_a_tool_that_is_not_offered_is_refused_with_what_is(name):
    said = f"Error: Unknown tool '{name}'. Tools offered now: note, write."

    assert await outcome(note, call(name)) == (("refused", said), ["before"])


async def test_when_nothing_is_offered_the_model_is_told_to_answer_in_words():
    result, _ = await outcome(note, offer={})

    assert result == ("refused", "Error: Unknown tool 'note'. Tools offered now: none, answer in words.")


async def test_a_long_name_is_not_repeated_in_full():
    (_, said), _ = await outcome(note, call("x" * 5000))

    assert len(said) < 200


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"text": 3}, 'text: 3 is not of type "string"'),
        ({}, '"text" is a required property'),
        ("{'text': 'hi'}", "not valid JSON"),
        ("[]", "a list, not a JSON object"),
    ],
)
async def test_wrong_arguments_go_back_in_words(arguments, words):
    (status, said), texts = await outcome(note, call(arguments=arguments))

    assert status == "invalid"
    assert said.startswith("Error: invalid arguments for 'note': ")
    assert words in said
    assert said.endswith(". Call it again.")
    assert texts == ["before"]


async def test_when_nobody_said_what_is_offered_names_and_arguments_go_unchecked():
    assert await outcome(note, call("anything", {"text": 3}), offer=None) == (("ok", "Noted."), ["before", 3])


async def test_malformed_arguments_never_reach_a_tool_even_when_nothing_is_checked():
    (status, _), texts = await outcome(note, call(arguments='{"text": '), offer=None)

    assert (status, texts) == ("invalid", ["before"])


async def test_an_invalid_schema_is_raised_and_names_its_tool():
    offer = {"note": {"name": "note", "parameters": {"properties": {"text": {"type": "str"}}}}}

    with pytest.raises(ConfigError, match="schema of tool 'note'"):
        await outcome(note, offer=offer)


# Failing.


async def half(text, state):
    state.texts.append(text)
    state.extra = 1
    await asyncio.sleep(0)
    raise ValueError(f"no more {WORD}")


async def test_a_tool_that_raises_is_undone_and_its_words_go_to_the_model():
    assert await outcome(half) == (("failed", "Error executing note: no more paper"), ["before"])


async def test_in_debug_mode_it_is_undone_too_and_its_exception_propagates():
    configure(debug=True)
    state = Notes(["before"])

    async def invoke(name, arguments):
        await half("hi", state)

    with pytest.raises(ValueError, match="no more paper"):
        await call_tool(call(), invoke, offer=OFFER, timeout_s=None, state=state)

    assert vars(state) == {"texts": ["before"]}


async def test_a_failure_is_logged_with_its_place_and_its_words_only_at_debug(caplog):
    with caplog.at_level(logging.DEBUG, "agent_runtime_framework"):
        await outcome(half)

    error, detail = caplog.records
    assert (error.levelname, detail.levelname) == ("ERROR", "DEBUG")
    assert "'note' raised ValueError" in error.getMessage()
    assert "in half" in error.getMessage()
    assert "paper" not in error.getMessage()
    assert error.exc_info is None
    assert detail.exc_info is not None


@pytest.mark.parametrize("kind", ["timeout", "cancel", "exit"])
async def test_a_tool_that_is_stopped_is_undone(kind):
    reached = asyncio.Event()

    async def work(text, state):
        state.texts.append(text)
        reached.set()
        if kind == "exit":
            raise SystemExit
        await asyncio.Event().wait()

    state = Notes(["before"])

    async def invoke(name, arguments):
        return await work("hi", state)

    async def run():
        try:
            return await call_tool(
                call(), invoke, offer=OFFER, timeout_s=0.02 if kind == "timeout" else 60, state=state
            )
        except SystemExit:
            return "left"

    task = asyncio.create_task(run())
    await reached.wait()
    if kind == "cancel":
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    elif kind == "exit":
        assert await task == "left"
    else:
        assert (await task).content == "Error executing note: it took longer than 0.02 seconds"

    assert state.texts == ["before"]


@pytest.mark.parametrize("debug", [True, False])
async def test_a_tool_that_takes_too_long_is_a_result_in_both_modes(debug):
    configure(debug=debug)

    async def hang(text, state):
        await asyncio.Event().wait()

    (status, said), _ = await outcome(hang, timeout_s=0.02)

    assert (status, said) == ("failed", "Error executing note: it took longer than 0.02 seconds")


async def test_a_tools_own_timeout_is_a_failure_like_any_other():
    async def work(text, state):
        raise TimeoutError("the backend is slow")

    assert (await outcome(work))[0] == ("failed", "Error executing note: the backend is slow")


async def test_without_a_limit_a_tool_may_wait():
    async def work(text, state):
        await asyncio.sleep(0)
        return "Done."

    assert (await outcome(work, timeout_s=None))[0] == ("ok", "Done.")


async def test_a_result_that_cannot_be_put_in_words_is_a_failure_and_undone():
    class Silent:
        def __str__(self):
            raise RuntimeError("no words")

    async def work(text, state):
        state.texts.append(text)
        return Silent()

    assert await outcome(work) == (("failed", "Error executing note: no words"), ["before"])


async def test_a_list_that_contains_itself_is_a_failure_and_undone():
    async def work(text, state):
        state.texts.append(text)
        result: list[Any] = []
        result.append(result)
        return result

    (status, said), texts = await outcome(work)

    assert (status, texts) == ("failed", ["before"])
    assert said.startswith("Error executing note: ")


async def test_a_state_that_the_check_refuses_is_undone():
    def check(state):
        if len(state.texts) > 1:
            raise ValueError("too many notes")

    assert await outcome(note, check=check) == (("failed", "Error executing note: too many notes"), ["before"])


# Results.


async def test_a_result_object_that_says_failure_is_a_failure_in_the_tools_own_words_and_keeps_its_change():
    async def work(text, state):
        state.texts.append(text)
        return ToolResult.fail("The printer is out of paper.")

    assert await outcome(work) == (("failed", "The printer is out of paper."), ["before", "hi"])


async def test_a_result_object_that_says_success_gives_its_content():
    async def work(text, state):
        return ToolResult.ok("Printed.", pages=3)

    assert (await outcome(work))[0] == ("ok", "Printed.")


async def test_without_a_state_there_is_nothing_to_undo():
    async def invoke(name, arguments):
        raise ValueError("broken")

    result = await call_tool(call(), invoke, offer=None, timeout_s=None)

    assert (result.status, result.content) == ("failed", "Error executing note: broken")


async def test_a_whole_number_reaches_an_integer_parameter_as_int():
    offer = {"count": ToolSchemaBuilder("count").param("n", "integer").to_openai_format()["function"]}
    got: list[Any] = []

    async def invoke(name, arguments):
        got.append(arguments["n"])

    await call_tool(call("count", '{"n": 2.0}'), invoke, offer=offer, timeout_s=None)

    assert got == [2]
    assert type(got[0]) is int
