"""Tool calls as models write them: both wire forms, ids that are missing or used twice, names nobody knows."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from agent_runtime_core.errors import LLMBadReply
from agent_runtime_core.history import is_sendable
from agent_runtime_core.testing import ScriptedLLM
from agent_runtime_framework import LLMExecutor

HELLO = [{"role": "user", "content": "Hello"}]


def calls(*wire: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(wire)}


def openai_form(name: str, arguments: Any = "{}", **others: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **others}


async def run(till, *replies, tools=None):
    llm = ScriptedLLM([*replies, "Done"])
    result = await LLMExecutor(llm, till.executor).run(HELLO, tools)
    history = [message.to_dict() for message in result.messages]
    assert result.response == "Done"
    assert is_sendable(history)
    json.dumps(history)
    return history


TEA = {"item": "tea", "count": 2}


@pytest.mark.parametrize("offered", [True, False])
@pytest.mark.parametrize(
    "wire",
    [
        openai_form("add_item", json.dumps(TEA), id="a"),
        openai_form("add_item", TEA, id="a"),
        {"id": "a", "name": "add_item", "arguments": TEA},
        {"id": "a", "name": "add_item", "arguments": json.dumps(TEA)},
    ],
)
async def test_a_call_in_either_form_runs_its_tool_and_is_kept_exactly_as_it_came(till, wire, offered):
    history = await run(till, calls(wire), tools=till.schemas if offered else None)

    assert till.ran == [("add_item", TEA)]
    assert history[0]["tool_calls"] == [wire]
    assert history[1] == {"role": "tool", "content": "Added 2 tea.", "tool_call_id": "a", "name": "add_item"}


@pytest.mark.parametrize(
    "wire", [{"id": "a", "function": {"name": "complete_order"}}, {"id": "a", "name": "complete_order"}]
)
async def test_missing_arguments_mean_none(till, wire):
    await run(till, calls(wire))

    assert till.ran == [("complete_order", {})]


@pytest.mark.parametrize("wire", [{"name": "complete_order", "arguments": {}}, openai_form("complete_order")])
async def test_a_missing_id_becomes_one_with_the_tools_name(till, wire):
    history = await run(till, calls(wire))

    assert history[0]["tool_calls"][0]["id"] == history[1]["tool_call_id"] == "call_complete_order"


async def test_calls_that_lack_an_id_get_different_ones_in_one_message_and_from_one_to_the_next(till):
    tea, milk = ({"name": "add_item", "arguments": {"item": item}} for item in ("tea", "milk"))

    history = await run(till, calls(tea, milk), calls(tea))

    ids = [call["id"] for message in history for call in message.get("tool_calls", ())]
    assert len(set(ids)) == 3
    assert [message["tool_call_id"] for message in history if message["role"] == "tool"] == ids
    assert [args["item"] for _, args in till.ran] == ["tea", "milk", "tea"]


async def test_calls_under_one_id_get_different_ones_and_both_run(till):
    tea, milk = (openai_form("add_item", {"item": item}, id="a") for item in ("tea", "milk"))

    history = await run(till, calls(tea, milk))

    ids = [call["id"] for call in history[0]["tool_calls"]]
    assert ids[0] == "a"
    assert len(set(ids)) == 2
    assert [(message["tool_call_id"], message["content"]) for message in history[1:3]] == [
        (ids[0], "Added 1 tea."),
        (ids[1], "Added 1 milk."),
    ]


async def test_an_id_that_was_made_up_never_meets_one_of_the_model(till):
    made_up, given = {"name": "complete_order"}, {"id": "call_complete_order", "name": "complete_order"}

    history = await run(till, calls(made_up, given))

    assert len({call["id"] for call in history[0]["tool_calls"]}) == 2


@pytest.mark.parametrize(
    "arguments", ["{'item': 'tea'}", '{"item": "tea"', "null", "[]", '"tea"', "3", ["tea"], 3, "tea"]
)
@pytest.mark.parametrize("form", ["openai", "simplified"])
async def test_a_tool_never_runs_on_malformed_arguments_and_the_history_holds_valid_json(till, arguments, form):
    wire = openai_form("add_item", arguments, id="a")
    if form == "simplified":
        wire = {"id": "a", "name": "add_item", "arguments": arguments}

    history = await run(till, calls(wire))

    assert till.ran == []
    assert history[1]["content"].startswith("Error: invalid arguments for 'add_item'")
    kept = history[0]["tool_calls"][0]
    assert kept["id"] == "a"
    assert json.loads(kept["function"]["arguments"]) == {}


@pytest.mark.parametrize("wire", [{}, {"id": "a"}, {"function": {}}, {"name": None}, "complete_order", None, 3, ["a"]])
@pytest.mark.parametrize("offered", [True, False])
async def test_a_call_that_names_no_tool_gets_an_error(till, wire, offered):
    history = await run(till, calls(wire), tools=till.schemas if offered else None)

    assert till.ran == []
    assert history[1]["content"].startswith("Error: Unknown tool ''")


@pytest.mark.parametrize("name", ["add item", "complete_order ", "_execute", "__class__", "säve", "x" * 500])
async def test_a_name_that_is_no_tool_gets_an_error_and_a_form_that_vendors_take(till, name):
    history = await run(till, calls(openai_form(name, id="a")), tools=till.schemas)

    assert till.ran == []
    assert history[1]["content"].startswith("Error: Unknown tool")
    assert history[1]["content"].endswith("Tools offered now: add_item, complete_order, explode.")
    kept = history[0]["tool_calls"][0]["function"]["name"]
    assert kept == history[1]["name"]
    assert len(kept) <= 64
    assert kept.replace("_", "").replace("-", "").isascii()


async def test_what_a_tool_does_to_its_arguments_leaves_the_models_message_alone(till):
    async def greedy(items, to):
        items.clear()
        to["city"] = "Rome"
        return "ok"

    till.executor.tools["greedy"] = greedy
    wire = {"id": "a", "name": "greedy", "arguments": {"items": ["tea"], "to": {"city": "Paris"}}}

    history = await run(till, calls(wire))

    assert history[0]["tool_calls"][0]["arguments"] == {"items": ["tea"], "to": {"city": "Paris"}}


async def test_text_beside_tool_calls_is_kept(till):
    history = await run(till, {**calls({"id": "a", "name": "complete_order"}), "content": "One moment."})

    assert history[0]["content"] == "One moment."


@pytest.mark.parametrize(
    "response", [None, "Hello", {"message": {"content": "Hello"}}, SimpleNamespace(content="Hello"), object()]
)
async def test_an_answer_without_a_message_is_refused_in_words(response):
    class Odd:
        async def generate(self, messages: Any, **kwargs: Any) -> Any:
            return response

    with pytest.raises(LLMBadReply, match=r"needs \.message, a dict with role and content"):
        await LLMExecutor(Odd()).run(HELLO)
