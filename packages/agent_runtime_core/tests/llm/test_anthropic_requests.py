"""What Anthropic is asked: a conversation in OpenAI's shape becomes one that its API takes."""

import json
import logging
from typing import Any

import pytest
from pydantic import BaseModel

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.llm.anthropic import AnthropicClient

PARAMETERS = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
SAVE_NAME = {
    "type": "function",
    "function": {"name": "save_name", "description": "Save it.", "parameters": PARAMETERS},
}
USER = {"role": "user", "content": "Hello"}


@pytest.fixture
async def asked(model_server):
    """Ask with these messages; what the server got, every turn as blocks: a text alone is short for one of them."""
    address = model_server.base_url.removesuffix("/v1")
    client = AnthropicClient("test-key", base_url=address, max_retries=0)

    async def asked(*messages: dict[str, Any], prompt_cache: bool = False, **options: Any) -> dict[str, Any]:
        model_server.reply({"type": "message", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"})
        await client.generate(list(messages), prompt_cache=prompt_cache, **options)
        request = model_server.requests[-1]
        turns = [{**turn, "content": blocks(turn["content"])} for turn in request["messages"]]
        return {**request, "messages": turns}

    yield asked
    await client.close()


def blocks(content: Any) -> Any:
    return [text(content)] if isinstance(content, str) else content


def call(call_id: str, tool: str = "save_name", /, **arguments: Any) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": tool, "arguments": json.dumps(arguments)}}


def calls(*tool_calls: dict[str, Any], content: str | None = None, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, "tool_calls": list(tool_calls), **more}


def result(call_id: str, content: Any = "Saved.") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


# --- Messages


async def test_system_messages_are_put_together_and_empty_texts_left_out(asked):
    request = await asked(
        {"role": "system", "content": "You are kind."},
        USER,
        {"role": "system", "content": ""},
        {"role": "developer", "content": "Ask for a name."},
        {"role": "user", "content": "  "},
    )

    assert request == {
        "model": "claude-sonnet-4-6",
        "max_tokens": 4096,
        "system": [text("You are kind."), text("Ask for a name.")],
        "messages": [{"role": "user", "content": [text("Hello")]}],
    }


async def test_a_system_message_behind_the_conversation_stays_there_and_says_whose_it_is(asked):
    request = await asked(
        {"role": "system", "content": "You are kind."}, USER, {"role": "system", "content": "Ask for a name."}
    )

    assert request["system"] == [text("You are kind.")]
    assert request["messages"] == [
        {"role": "user", "content": [text("Hello"), text("<system>\nAsk for a name.\n</system>")]}
    ]


async def test_behind_a_reply_it_is_a_turn_of_its_own_and_behind_results_it_follows_them(asked):
    step = {"role": "system", "content": "Ask for a name."}
    marked = text("<system>\nAsk for a name.\n</system>")

    after_reply = await asked(USER, {"role": "assistant", "content": "Hi"}, step)
    after_result = await asked(USER, calls(call("a")), result("a"), step, tools=[SAVE_NAME])

    assert "system" not in after_reply
    assert after_reply["messages"][-1] == {"role": "user", "content": [marked]}
    assert [block["type"] for block in after_result["messages"][-1]["content"]] == ["tool_result", "text"]
    assert after_result["messages"][-1]["content"][-1] == marked


async def test_tool_results_become_one_turn_of_the_user_before_what_the_user_says(asked):
    # Given two calls, one in each wire form, and a user who spoke between the results
    simple = {"id": "b", "name": "save_email", "arguments": {"email": "ada@example.org"}}
    request = await asked(
        USER,
        calls(call("a", name="Ada"), simple, content="One moment."),
        result("a"),
        {"role": "user", "content": "Are you there?"},
        result("b", {"saved": True}),
        tools=[SAVE_NAME],
    )

    # Then roles alternate, and the results come first
    assert request["messages"] == [
        {"role": "user", "content": [text("Hello")]},
        {
            "role": "assistant",
            "content": [
                text("One moment."),
                {"type": "tool_use", "id": "a", "name": "save_name", "input": {"name": "Ada"}},
                {"type": "tool_use", "id": "b", "name": "save_email", "input": {"email": "ada@example.org"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "Saved."},
                {"type": "tool_result", "tool_use_id": "b", "content": [text('{"saved": true}')]},
                text("Are you there?"),
            ],
        },
    ]


async def test_half_characters_do_not_stop_a_conversation(asked):
    # Given a model that was cut off in the middle of an emoji: in a text, in arguments, in a result
    half, pair = "Hi \ud83d", "\ud83d\ude00"
    request = await asked(
        {"role": "system", "content": half},
        {"role": "user", "content": [text(half), text(pair)]},
        calls(call("call_1", name=half), call("call_2", name=pair), content=half),
        result("call_1", half),
        result("call_2", [text(pair)]),
    )

    # Then they are sent: two halves as one character, a lone one as U+FFFD
    assert request["system"] == [text("Hi \ufffd")]
    asking, answering, results = request["messages"]
    assert asking["content"] == [text("Hi \ufffd"), text("\U0001f600")]
    assert [block.get("text") or block["input"]["name"] for block in answering["content"]] == [
        "Hi \ufffd",
        "Hi \ufffd",
        "\U0001f600",
    ]
    assert [block["content"] for block in results["content"]] == ["Hi \ufffd", [text("\U0001f600")]]


async def test_a_conversation_that_begins_with_the_assistant_gets_a_user_in_front(asked):
    request = await asked({"role": "assistant", "content": "Welcome! "}, USER)

    assert [turn["role"] for turn in request["messages"]] == ["user", "assistant", "user"]
    assert request["messages"][0]["content"][0]["text"]


async def test_a_system_prompt_alone_can_be_asked(asked):
    request = await asked({"role": "system", "content": "Say hello."})

    assert [turn["role"] for turn in request["messages"]] == ["user"]


async def test_an_id_that_comes_again_in_a_later_turn_is_made_unique_with_its_result(asked):
    request = await asked(
        USER, calls(call("1", name="A")), result("1"), USER, calls(call("1", name="B")), result("1"), tools=[SAVE_NAME]
    )

    blocks = [block for turn in request["messages"] for block in turn["content"]]
    assert [block["id"] for block in blocks if block["type"] == "tool_use"] == ["1", "1_2"]
    assert [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"] == ["1", "1_2"]


async def test_ids_that_anthropic_refuses_are_mended(asked):
    request = await asked(USER, calls(call("call:1/x", name="A")), result("call:1/x"), tools=[SAVE_NAME])

    _, said, answered = request["messages"]
    assert (said["content"][0]["id"], answered["content"][0]["tool_use_id"]) == ("call_1_x", "call_1_x")


async def test_a_call_whose_result_comes_too_late_and_a_result_without_a_call_are_left_out(asked, caplog):
    request = await asked(
        USER,
        calls(call("a", name="Ada")),
        USER,
        {"role": "assistant", "content": "Sorry."},
        result("a"),
        result("nobody"),
        USER,
        tools=[SAVE_NAME],
    )

    kinds = [block["type"] for turn in request["messages"] for block in turn["content"]]
    assert kinds == ["text", "text", "text", "text"]
    assert [turn["role"] for turn in request["messages"]] == ["user", "assistant", "user"]
    assert "orphaned tool_use blocks" in caplog.text
    assert "orphaned tool_result blocks" in caplog.text
    assert "Ada" not in caplog.text


# --- Content parts


async def test_images_and_documents_are_translated_and_anthropics_own_parts_pass(asked):
    own = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Hello"}}
    parts = [
        {"type": "text", "text": "Look:"},
        {"type": "text", "text": ""},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0="}},
        {"type": "image_url", "image_url": {"url": "https://example.org/cat.png", "detail": "low"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}},
        {"type": "file", "file": {"file_id": "file_1"}},
        own,
    ]

    request = await asked({"role": "user", "content": parts})

    assert request["messages"][0]["content"] == [
        text("Look:"),
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0="}},
        {"type": "image", "source": {"type": "url", "url": "https://example.org/cat.png"}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
            "title": "a.pdf",
        },
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
        own,
    ]


# --- Tools


async def test_tools_are_translated(asked):
    request = await asked(USER, tools=[SAVE_NAME])

    assert request["tools"] == [{"name": "save_name", "description": "Save it.", "input_schema": PARAMETERS}]
    assert "tool_choice" not in request


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", {"type": "auto"}),
        ("required", {"type": "any"}),
        ("none", {"type": "none"}),
        ({"type": "function", "function": {"name": "save_name"}}, {"type": "tool", "name": "save_name"}),
        ({"type": "any"}, {"type": "any"}),
    ],
)
async def test_a_tool_choice_is_translated(asked, choice, sent):
    assert (await asked(USER, tools=[SAVE_NAME], tool_choice=choice))["tool_choice"] == sent


async def test_one_call_at_a_time_is_part_of_the_choice(asked):
    request = await asked(USER, tools=[SAVE_NAME], parallel_tool_calls=False)

    assert request["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


async def test_a_history_with_calls_brings_its_tools_along_when_none_are_offered(asked):
    request = await asked(USER, calls(call("a", name="Ada")), result("a"), tool_choice="none")

    assert [tool["name"] for tool in request["tools"]] == ["save_name"]
    assert request["tool_choice"] == {"type": "none"}


async def test_a_choice_without_tools_is_not_sent(asked):
    assert "tool_choice" not in await asked(USER, tool_choice="required")


# --- Thinking


THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "sig"}


async def test_thinking_has_a_budget_room_for_the_answer_and_its_temperature(asked):
    request = await asked(USER, thinking=True, temperature=0.2)

    assert request["thinking"] == {"type": "enabled", "budget_tokens": 10_000}
    assert (request["temperature"], request["max_tokens"]) == (1.0, 14_096)


async def test_thinking_goes_back_in_front_of_the_call_it_led_to(asked):
    request = await asked(
        USER,
        calls(call("a", name="Ada"), thinking_blocks=[THOUGHT]),
        result("a"),
        tools=[SAVE_NAME],
        thinking=True,
        thinking_budget=2000,
    )

    assert request["messages"][1]["content"][0] == THOUGHT
    assert request["thinking"] == {"type": "enabled", "budget_tokens": 2000}


async def test_tool_calls_begun_without_thinking_are_ended_without(asked):
    request = await asked(USER, calls(call("a", name="Ada")), result("a"), tools=[SAVE_NAME], thinking=True)

    assert "thinking" not in request


async def test_thinking_in_anthropics_own_form_passes(asked):
    assert (await asked(USER, thinking={"type": "adaptive"}))["thinking"] == {"type": "adaptive"}


async def test_sampling_is_passed_on_though_the_sdk_has_no_parameter_for_it(asked):
    request = await asked(USER, temperature=0.2, top_p=0.9, extra_body={"top_k": 3})

    assert (request["temperature"], request["top_p"], request["top_k"]) == (0.2, 0.9, 3)


# --- Answers of a given shape


class Person(BaseModel):
    name: str
    age: int = 0


async def test_a_pydantic_model_is_the_schema_of_the_answer(asked):
    wanted = (await asked(USER, response_format=Person))["output_config"]["format"]

    assert wanted["type"] == "json_schema"
    assert wanted["schema"]["additionalProperties"] is False
    assert wanted["schema"]["required"] == ["name"]  # what has a default may be left out: pydantic fills it in


async def test_json_without_a_schema_is_refused_before_anything_is_sent(asked):
    with pytest.raises(ConfigError, match="names no schema"):
        await asked(USER, response_format={"type": "json_object"})


async def test_stop_words_and_effort_are_translated(asked):
    request = await asked(USER, stop="END", reasoning_effort="low", stream_options={"include_usage": True})

    assert request["stop_sequences"] == ["END"]
    assert request["output_config"] == {"effort": "low"}
    assert "stream_options" not in request


# --- Cache breakpoints


def breakpoints(request: dict[str, Any]) -> list[str]:
    places = [("tool", tool) for tool in request.get("tools", ())]
    places += [(f"system {number}", block) for number, block in enumerate(request.get("system", ()))]
    for number, turn in enumerate(request["messages"]):
        places += [(f"message {number}", block) for block in turn["content"]]
    return [name for name, block in places if block.get("cache_control") == {"type": "ephemeral"}]


async def test_tools_system_prompt_and_history_are_kept_in_the_cache(asked):
    request = await asked(
        {"role": "system", "content": "Persona"},
        {"role": "system", "content": "Examples"},
        {"role": "system", "content": "This step"},
        USER,
        {"role": "assistant", "content": "Hi"},
        USER,
        tools=[SAVE_NAME],
        prompt_cache=True,
    )

    assert breakpoints(request) == ["tool", "system 0", "system 2", "message 2"]


async def test_the_breakpoint_stands_before_what_is_said_behind_the_conversation(asked):
    request = await asked(
        {"role": "system", "content": "Persona"}, USER, {"role": "system", "content": "This step"}, prompt_cache=True
    )

    assert breakpoints(request) == ["system 0", "message 0"]
    assert "cache_control" not in request["messages"][0]["content"][-1]


async def test_who_sets_a_breakpoint_sets_all(asked):
    own = {"role": "system", "content": [{**text("Persona"), "cache_control": {"type": "ephemeral"}}]}

    assert breakpoints(await asked(own, USER, tools=[SAVE_NAME], prompt_cache=True)) == ["system 0"]


async def test_without_the_cache_nothing_is_marked(asked):
    assert breakpoints(await asked({"role": "system", "content": "Persona"}, USER)) == []


async def test_a_turn_of_one_text_goes_out_as_the_text_unless_it_carries_a_breakpoint(asked, model_server):
    await asked(USER, {"role": "assistant", "content": "Hi"}, {"role": "user", "content": "Go on"}, prompt_cache=True)

    marked = {**text("Go on"), "cache_control": {"type": "ephemeral"}}
    assert [turn["content"] for turn in model_server.requests[-1]["messages"]] == ["Hello", "Hi", [marked]]


# --- The pairs of calls and results, as a function of its own


def test_nothing_is_changed_where_every_call_has_its_result():
    messages = [USER, calls(call("a")), result("a"), {"role": "assistant", "content": "Done"}]

    assert AnthropicClient._validate_tool_call_pairs([]) == []
    assert AnthropicClient._validate_tool_call_pairs(messages) == messages


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([calls(call("a"), call("b")), result("a")], [calls(call("a")), result("a")]),
        ([calls(call("a"), content="Wait.")], [{"role": "assistant", "content": "Wait."}]),
        ([calls(call("a"))], []),
    ],
    ids=["one of two", "text is left", "nothing is left"],
)
def test_calls_without_a_result_are_left_out_and_said_so(before, after, caplog):
    given = json.loads(json.dumps(before))

    with caplog.at_level(logging.WARNING):
        kept = AnthropicClient._validate_tool_call_pairs(before)

    assert kept == after
    assert before == given
    assert "orphaned tool_use blocks" in caplog.text
