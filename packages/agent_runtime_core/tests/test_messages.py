"""Messages, tool calls in both wire forms, texts and token counts."""

from __future__ import annotations

import json

import pytest

from agent_runtime_core.messages import AgentMessage, ToolCall, add_usage, text_of, whole_text


def openai_form(arguments, **others):
    return {"id": "a", "type": "function", "function": {"name": "save", "arguments": arguments}, **others}


# Messages.


def test_a_message_becomes_what_the_model_reads_and_nothing_else():
    user = AgentMessage("user", "Hello", metadata={"seen": True})
    tool = AgentMessage("tool", "Saved.", [], "a", "save")

    assert user.to_dict() == {"role": "user", "content": "Hello"}
    assert tool.to_dict() == {"role": "tool", "content": "Saved.", "tool_call_id": "a", "name": "save"}


def test_an_empty_text_is_said_and_a_missing_one_is_not():
    assert AgentMessage("assistant", "").to_dict() == {"role": "assistant", "content": ""}
    assert AgentMessage("assistant").to_dict() == {"role": "assistant"}


@pytest.mark.parametrize("content", ["text", {"a": 1}, [{"type": "text", "text": "hi"}], None, "", []])
def test_content_of_every_kind_survives_both_directions(content):
    message = AgentMessage("user", content)

    assert AgentMessage.from_dict(message.to_dict()) == message


def test_a_message_is_read_from_its_role_alone():
    message = AgentMessage.from_dict({"role": "assistant"})

    assert message == AgentMessage("assistant", None, [], None, None, {})


def test_fields_that_are_null_count_as_missing():
    message = AgentMessage.from_dict({"role": "assistant", "content": None, "tool_calls": None, "metadata": None})

    assert message == AgentMessage("assistant")


def test_a_message_without_a_role_is_refused():
    with pytest.raises(KeyError, match="role"):
        AgentMessage.from_dict({"content": "Hello"})


def test_metadata_is_read_but_never_written():
    message = AgentMessage.from_dict({"role": "user", "content": "x", "metadata": {"page": 3}})

    assert message.metadata == {"page": 3}
    assert "metadata" not in message.to_dict()


@pytest.mark.parametrize("calls", [[{"id": "1"}], [openai_form("{}")], [{"id": "a", "name": "x", "odd": [1]}]])
def test_tool_calls_are_kept_exactly_as_given(calls):
    message = AgentMessage.from_dict({"role": "assistant", "tool_calls": calls})

    assert message.tool_calls == calls
    assert message.to_dict() == {"role": "assistant", "tool_calls": calls}


def test_two_messages_never_share_their_defaults():
    first, second = AgentMessage("user"), AgentMessage("user")

    first.tool_calls.append({})
    first.metadata["a"] = 1

    assert (second.tool_calls, second.metadata) == ([], {})


# Tool calls.


@pytest.mark.parametrize(
    "data",
    [
        openai_form('{"name": "Ada"}'),
        openai_form({"name": "Ada"}),
        {"id": "a", "name": "save", "arguments": {"name": "Ada"}},
        {"id": "a", "name": "save", "arguments": '{"name": "Ada"}'},
        {"id": "a", "function": None, "name": "save", "arguments": {"name": "Ada"}},
    ],
)
def test_both_wire_forms_with_arguments_as_text_or_dict_are_read(data):
    call = ToolCall(data)

    assert (call.id, call.name, call.arguments, call.problem) == ("a", "save", {"name": "Ada"}, None)


@pytest.mark.parametrize("data", [{"function": {"name": "save"}}, {"name": "save"}])
@pytest.mark.parametrize("empty", [{}, {"arguments": None}, {"arguments": ""}, {"arguments": "  \n"}])
def test_missing_arguments_mean_none(data, empty):
    target = data.get("function", data)
    call = ToolCall({**data, "function": {**target, **empty}} if "function" in data else {**data, **empty})

    assert (call.arguments, call.problem) == ({}, None)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ('{"a": 1', "not valid JSON"),
        ("{'a': 1}", "not valid JSON"),
        ('{"a": 1} and more', "not valid JSON"),
        ('{"a": Infinity}', "not valid JSON"),
        ('{"a": NaN}', "not valid JSON"),
        ('{"a": ' * 100_000, "not valid JSON"),
        ('{"a": ' + "9" * 5000 + "}", "not valid JSON"),
        ('{"a":' * 2000 + "1" + "}" * 2000, "not valid JSON"),
        ("null", "null, not a JSON object"),
        ("true", "a boolean, not a JSON object"),
        ("3", "a number, not a JSON object"),
        ('"{}"', "a text, not a JSON object"),
        ("[]", "a list, not a JSON object"),
        ([1], "a list, not a JSON object"),
        (3, "a number, not a JSON object"),
        (False, "a boolean, not a JSON object"),
    ],
)
@pytest.mark.parametrize("form", ["openai", "simplified"])
def test_arguments_that_are_no_json_object_are_a_problem_in_words(form, arguments, why):
    data = openai_form(arguments) if form == "openai" else {"id": "a", "name": "save", "arguments": arguments}

    call = ToolCall(data)

    assert why in (call.problem or "")
    assert call.raw_arguments == arguments
    assert json.loads(call.to_dict()["function"]["arguments"]) == {}


def test_what_a_model_meant_by_a_python_literal_can_be_read_but_is_still_a_problem():
    call = ToolCall(openai_form("{'name': 'Ada'}"))

    assert call.arguments == {"name": "Ada"}
    assert call.problem is not None


def test_a_python_literal_is_only_data_and_never_run():
    call = ToolCall(openai_form("{'name': __import__('os').getcwd()}"))

    assert call.arguments == {}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_does_not_have_are_a_problem_in_a_dict_as_they_are_in_a_text(number):
    call = ToolCall(openai_form({"amounts": [{"price": number}]}))

    assert "not valid JSON" in (call.problem or "")
    assert json.loads(call.to_dict()["function"]["arguments"]) == {}


def test_what_is_done_to_the_arguments_leaves_the_models_message_alone():
    data = openai_form({"items": ["tea"], "to": {"city": "Paris"}})
    call = ToolCall(data)

    call.arguments["items"].append("milk")
    call.arguments["to"]["city"] = "Rome"
    call.arguments["more"] = True

    assert data == openai_form({"items": ["tea"], "to": {"city": "Paris"}})


@pytest.mark.parametrize("call_id", [None, "", 5, ["a"]])
def test_a_call_without_a_usable_id_is_named_after_its_tool(call_id):
    assert ToolCall({"id": call_id, "name": "save"}).id == "call_save"
    assert ToolCall({"name": "save"}, default_id="mine").id == "mine"


@pytest.mark.parametrize(
    ("name", "wire_name"),
    [
        ("save-name_2", "save-name_2"),
        ("save name", "save_name"),
        ("söve", "s_ve"),
        ("a" * 70, "a" * 64),
        ("save\n", "save_"),
        ("", "unnamed"),
        (None, "unnamed"),
        (["save"], "unnamed"),
    ],
)
def test_a_name_that_vendors_refuse_is_fitted_for_the_history_only(name, wire_name):
    call = ToolCall({"id": "a", "name": name})

    assert call.wire_name == wire_name
    assert call.name == (name if isinstance(name, str) else "")
    assert call.to_dict()["function"]["name"] == wire_name


def test_a_call_in_openais_form_holds_valid_json_and_keeps_letters_readable():
    call = ToolCall({"id": "a", "name": "save", "arguments": {"name": "Zoë"}})

    assert call.to_dict() == openai_form('{"name": "Zoë"}')


def test_a_call_can_be_read_like_the_dict_it_came_from():
    call = ToolCall(data := openai_form("{}"))

    assert call["function"]["name"] == "save"
    assert call.get("type") == "function"
    assert call.get("index", 7) == 7
    assert call.data is data
    with pytest.raises(KeyError):
        call["index"]


def test_the_repr_of_a_call_shows_no_arguments():
    assert repr(ToolCall(openai_form('{"card": "4111"}'))) == "ToolCall(id='a', name='save')"


# Texts.


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("hi", "hi"),
        (None, ""),
        ([], ""),
        ([{"type": "text", "text": "Hello "}, {"type": "image_url"}, "you", 3, {"text": None}], "Hello you"),
        (7, "7"),
    ],
)
def test_the_text_of_a_content_is_its_texts_joined(content, text):
    assert text_of(content) == text


# Token counts.


@pytest.mark.parametrize("nothing", [None, {}, [], "12", 12, object()])
def test_a_call_without_counts_adds_nothing(nothing):
    total = {"prompt_tokens": 5}

    add_usage(total, nothing)

    assert total == {"prompt_tokens": 5}


def test_counts_are_summed_by_name_and_everything_that_is_no_number_is_left_out():
    total: dict[str, int] = {}

    add_usage(
        total, {"prompt_tokens": 10, "details": {"cached": 3}, "completion_tokens": None, "model": "x", "b": True}
    )
    add_usage(total, {"prompt_tokens": 5, "completion_tokens": 2, "cost": 0.5})

    assert total == {"prompt_tokens": 15, "completion_tokens": 2, "cost": 0.5}


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("plain", "plain"),
        ("Zoë 🚀 \U0010ffff \0", "Zoë 🚀 \U0010ffff \0"),
        ("half \ud83d", "half \ufffd"),
        ("\ude80 half", "\ufffd half"),
        ("\ud83d\ude80", "🚀"),
        ("\ude80\ud83d", "\ufffd\ufffd"),
    ],
)
def test_a_text_without_half_characters_can_be_encoded(text, whole):
    assert whole_text(text) == whole
    assert whole.encode()
