"""Events: every one is told apart by its kind and has a JSON form."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum
from types import SimpleNamespace
from typing import Any, get_args
from unittest.mock import MagicMock
from uuid import UUID

import pytest

from agent_runtime_core.events import (
    LLMCallFinished,
    LLMCallStarted,
    RunEvent,
    RunFailed,
    RunFinished,
    RunStarted,
    StepChanged,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    ToolOutcome,
    TurnFinished,
)
from agent_runtime_core.interfaces import LLMResponse
from agent_runtime_core.messages import ToolCall


class Step(str, Enum):
    NAME = "name"
    DONE = "done"


class Stage(IntEnum):
    ONE = 1


class Odd(Enum):
    ONE = object()


RUN = UUID("11111111-1111-1111-1111-111111111111")
CONVERSATION = UUID("22222222-2222-2222-2222-222222222222")
CALL = ToolCall({"id": "a", "function": {"name": "save", "arguments": '{"name": "Ada"}'}})
TOOL = {"type": "function", "function": {"name": "save", "description": "", "parameters": {}}}

EXAMPLES: list[tuple[Any, dict[str, Any]]] = [
    (
        RunStarted(run_id=RUN, conversation_id=CONVERSATION, agent_key="signup", step=Step.NAME),
        {
            "kind": "run_started",
            "run_id": str(RUN),
            "conversation_id": str(CONVERSATION),
            "agent_key": "signup",
            "step": "name",
        },
    ),
    (
        RunStarted(run_id="r", conversation_id=None, agent_key="signup", step="plain"),
        {"kind": "run_started", "run_id": "r", "conversation_id": None, "agent_key": "signup", "step": "plain"},
    ),
    (
        LLMCallStarted(turn=1, messages=[{"role": "user", "content": "secret"}], tools=[TOOL]),
        {"kind": "llm_call_started", "turn": 1, "message_count": 1, "tools": ["save"]},
    ),
    (
        LLMCallStarted(turn=0, messages=[], tools=None),
        {"kind": "llm_call_started", "turn": 0, "message_count": 0, "tools": []},
    ),
    (TextDelta(text="Hel"), {"kind": "text_delta", "text": "Hel"}),
    (
        LLMCallFinished(
            turn=0, message={"role": "assistant", "content": None, "tool_calls": [CALL.data]}, calls=(CALL,), usage=None
        ),
        {
            "kind": "llm_call_finished",
            "turn": 0,
            "message": {"role": "assistant", "content": None, "tool_calls": [CALL.data]},
            "usage": None,
        },
    ),
    (
        ToolCallStarted(call=CALL),
        {"kind": "tool_call_started", "tool_call_id": "a", "name": "save", "arguments": {"name": "Ada"}},
    ),
    (
        ToolCallFinished(call=CALL, outcome=ToolOutcome("Saved.")),
        {"kind": "tool_call_finished", "tool_call_id": "a", "name": "save", "status": "ok", "result": "Saved."},
    ),
    (
        StepChanged(from_step=Step.NAME, to_step=Stage.ONE),
        {"kind": "step_changed", "from_step": "name", "to_step": 1},
    ),
    (TurnFinished(turn=2), {"kind": "turn_finished", "turn": 2, "reason": None}),
    (
        RunFinished(response="Bye", reason="text_response", messages=[], usage={"total_tokens": 3}),
        {
            "kind": "run_finished",
            "response": "Bye",
            "reason": "text_response",
            "messages": [],
            "usage": {"total_tokens": 3},
            "tool_calls_made": 0,
            "state": None,
        },
    ),
    (
        RunFailed(error=ValueError("no such step")),
        {"kind": "run_failed", "error": "ValueError", "message": "no such step"},
    ),
]


@pytest.mark.parametrize(("event", "data"), EXAMPLES, ids=[data["kind"] for _, data in EXAMPLES])
def test_every_event_has_a_json_form_with_its_kind_first(event: Any, data: dict[str, Any]):
    assert event.to_dict() == data
    assert json.loads(json.dumps(event.to_dict())) == data
    assert next(iter(event.to_dict())) == "kind"


def test_the_examples_cover_every_event_and_no_two_kinds_are_the_same():
    classes = get_args(RunEvent)

    assert {type(event) for event, _ in EXAMPLES} == set(classes)
    assert len({each.kind for each in classes}) == len(classes)


def test_an_event_can_be_matched_by_its_class():
    event: RunEvent = TextDelta(text="Hel")

    match event:
        case TextDelta(text=text):
            assert text == "Hel"
        case _:
            pytest.fail("the event matches its class")


@pytest.mark.parametrize("usage", [MagicMock(), object(), {"prompt_tokens": 3, "details": object()}])
def test_usage_of_any_kind_does_not_break_the_json_form(usage):
    event = LLMCallFinished(turn=0, message={"role": "assistant", "content": "Hi"}, usage=usage)

    assert json.loads(json.dumps(event.to_dict()))["message"] == {"role": "assistant", "content": "Hi"}


@pytest.mark.parametrize("arguments", ["{'a': {1, 2}, 'b': b'x', 'c': 1j}", '{"a": 1e999}', "{'a': 1e999}"])
def test_whatever_a_model_means_by_its_arguments_the_json_form_is_json(arguments):
    event = ToolCallStarted(call=ToolCall({"id": "a", "name": "save", "arguments": arguments}))

    assert json.loads(json.dumps(event.to_dict(), allow_nan=False))["name"] == "save"


@pytest.mark.parametrize("step", [("a", 1), date(2026, 1, 1), Odd.ONE])
def test_a_step_of_any_kind_does_not_break_the_json_form(step):
    changed = json.loads(json.dumps(StepChanged(from_step=step, to_step=step).to_dict()))
    started = json.loads(json.dumps(RunStarted(run_id=RUN, conversation_id=None, agent_key="a", step=step).to_dict()))

    assert changed["from_step"] == changed["to_step"] == started["step"]


def test_a_state_that_is_no_json_data_does_not_break_the_json_form():
    state = {"born": date(1815, 12, 10), "ids": {RUN}, "count": 1}
    event = RunFinished(response="", reason="text_response", messages=[], usage={}, state=state)

    written = json.loads(json.dumps(event.to_dict()))

    assert written["state"]["count"] == 1


def test_a_call_says_who_is_asked_and_who_has_answered():
    client = SimpleNamespace(default_model="gpt-4o", provider="openai")
    response = LLMResponse({"role": "assistant", "content": "Hi"}, model="gpt-4o-2024-08-06", finish_reason="stop")

    asked = LLMCallStarted(turn=0, messages=[], tools=None, client=client)
    answered = LLMCallFinished(turn=0, message=response.message, usage={}, response=response, cost=Decimal("0.01"))

    assert (asked.model, asked.provider) == ("gpt-4o", "openai")
    assert (answered.model, answered.finish_reason) == ("gpt-4o-2024-08-06", "stop")
    assert answered.to_dict() == {
        "kind": "llm_call_finished",
        "turn": 0,
        "message": {"role": "assistant", "content": "Hi"},
        "usage": {},
        "model": "gpt-4o-2024-08-06",
        "finish_reason": "stop",
        "cost": "0.01",
    }


@pytest.mark.parametrize("unknown", [None, object(), MagicMock()])
def test_a_client_or_answer_that_does_not_say_is_nobody_known(unknown):
    asked = LLMCallStarted(turn=0, messages=[], tools=None, client=unknown)
    answered = LLMCallFinished(turn=0, message={}, usage={}, response=unknown)

    assert (asked.model, asked.provider, answered.model, answered.finish_reason) == ("", "", "", "")
