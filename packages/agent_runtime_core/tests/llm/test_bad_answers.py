"""Answers that no server should give, and some do: a clear error of ours, or the answer without what was wrong."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agent_runtime_core.errors import LLMBadReply, LLMError, LLMRateLimited, LLMRejected, LLMUnavailable
from agent_runtime_core.llm.anthropic import AnthropicClient
from agent_runtime_core.llm.openai import OpenAIClient

KEY = "sk-very-secret-key"
USER = [{"role": "user", "content": "Hello"}]
JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html; charset=utf-8"}
SSE = {"content-type": "text/event-stream"}

Ask = Callable[[], Awaitable[Any]]


@pytest.fixture(params=["openai", "anthropic"])
async def vendor(request, model_server):
    client_class = {"openai": OpenAIClient, "anthropic": AnthropicClient}[request.param]
    async with client_class(KEY, "model-1", base_url=model_server.base_url, max_retries=0) as client:
        yield client


@pytest.fixture
async def openai(model_server):
    async with OpenAIClient(KEY, "model-1", base_url=model_server.base_url, max_retries=0) as client:
        yield client


@pytest.fixture
async def anthropic(model_server):
    async with AnthropicClient(KEY, "model-1", base_url=model_server.base_url, max_retries=0) as client:
        yield client


async def last_of(client: Any) -> Any:
    return [chunk async for chunk in client.stream(USER)][-1]


async def error_of(client: Any, *, streaming: bool) -> LLMError:
    with pytest.raises(LLMError) as caught:
        await (last_of(client) if streaming else client.generate(USER))
    assert KEY not in str(caught.value)
    return caught.value


# --- Another server than was meant


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("<html>Welcome</html>", HTML),
        ("<html>Welcome</html>", JSON),
        ("<html>Welcome</html>", {"content-type": ""}),
        ("", JSON),
        ({"ok": True}, JSON),
        ([1, 2], JSON),
        ("null", JSON),
        ({"object": "list", "data": []}, JSON),
    ],
    ids=repr,
)
async def test_a_server_that_is_no_model_points_to_the_address(model_server, vendor, body, headers, streaming):
    model_server.reply(body, headers=headers)

    error = await error_of(vendor, streaming=streaming)

    assert type(error) is LLMBadReply
    assert "s base_url the right address?" in str(error)


@pytest.mark.parametrize("body", ["", "<html>", 'data: {"ok": true}\n\n', "data: [DONE]\n\n"])
async def test_a_stream_of_something_else_points_to_the_address(model_server, vendor, body):
    model_server.reply(body, headers=SSE)

    error = await error_of(vendor, streaming=True)

    assert type(error) is LLMBadReply
    assert "is base_url the right address?" in str(error)


async def test_what_was_sent_instead_of_a_stream_is_named(model_server, vendor):
    model_server.reply("<html>Welcome</html>", headers=HTML)

    assert "it sent text/html:" in str(await error_of(vendor, streaming=True))


async def test_a_stream_that_had_begun_is_not_the_addresss_fault(model_server, openai, chunk):
    model_server.stream(chunk({"content": "Hi"}))

    error = await error_of(openai, streaming=True)

    assert "base_url" not in str(error)
    assert "not complete" in str(error)


# --- Bytes that are no answer


@pytest.mark.parametrize("streaming", [False, True])
async def test_brackets_without_an_end_are_no_crash(model_server, vendor, streaming):
    deep = "[" * 100_000 + "]" * 100_000
    if streaming:
        model_server.reply(f"event: message_start\ndata: {deep}\n\n", headers=SSE)
    else:
        model_server.reply(deep)

    assert type(await error_of(vendor, streaming=streaming)) is LLMBadReply


@pytest.mark.parametrize("streaming", [False, True])
async def test_bytes_that_cannot_be_unpacked_are_no_crash(model_server, vendor, streaming):
    model_server.reply("no gzip", headers={**SSE, "content-encoding": "gzip"})

    assert isinstance(await error_of(vendor, streaming=streaming), (LLMBadReply, LLMUnavailable))


async def test_a_megabyte_of_text_passes(model_server, openai, completion):
    model_server.reply(completion({"content": "x" * 1_000_000}))

    assert len((await openai.generate(USER)).content) == 1_000_000


# --- Half characters


def delta(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


def thought(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 1, "delta": {"type": "thinking_delta", "thinking": text}}


async def test_an_emoji_that_was_cut_between_two_pieces_comes_whole(model_server, openai, anthropic, chunk):
    # Given servers that count in UTF-16: a thought and a text are cut in an emoji, and one half stays alone
    pieces = ["Hi \ud83d", "\ude00!", "\ud83d"]
    model_server.stream(
        chunk({"reasoning_content": pieces[0]}),
        chunk({"reasoning_content": pieces[1]}),
        *(chunk({"content": each}) for each in pieces),
        chunk(finish_reason="stop"),
    )
    model_server.stream(thought(pieces[0]), thought(pieces[1]), *(delta(each) for each in pieces), *END)

    for client in (openai, anthropic):
        # When
        chunks = [each async for each in client.stream(USER)]

        # Then every piece can be printed
        assert "".join(each.delta for each in chunks) == "Hi \U0001f600!\ufffd"
        assert "".join(each.thinking or "" for each in chunks) == "Hi \U0001f600!"
        for each in chunks:
            each.delta.encode()


async def test_half_characters_in_a_whole_answer_are_replaced(model_server, openai, anthropic, completion):
    model_server.reply(completion({"content": "Hi \ud83d"}))
    model_server.reply(message({"type": "text", "text": "Hi \ud83d"}))

    assert (await openai.generate(USER)).content == "Hi \ufffd"
    assert (await anthropic.generate(USER)).content == "Hi \ufffd"


# --- An error inside of an answer of status 200


@pytest.mark.parametrize(
    ("told", "ours", "status"),
    [
        ({"message": "the vendor's words", "code": 429}, LLMRateLimited, 429),
        ({"message": "the vendor's words", "code": "502"}, LLMUnavailable, 502),
        ({"message": "the vendor's words", "code": "invalid_api_key"}, LLMRejected, 401),
        ({"message": "the vendor's words", "type": "server_error"}, LLMUnavailable, 500),
        ({"message": "the vendor's words", "code": ["odd"], "type": {}}, LLMBadReply, None),
        ("the vendor's words", LLMBadReply, None),
    ],
    ids=repr,
)
@pytest.mark.parametrize("streaming", [False, True])
async def test_openais_gateways_tell_errors_in_answers(model_server, openai, told, ours, status, streaming):
    if streaming:
        model_server.stream({"error": told})
    else:
        model_server.reply({"error": told})

    error = await error_of(openai, streaming=streaming)

    assert type(error) is ours
    assert error.status == status
    assert "the vendor's words" in str(error)


@pytest.mark.parametrize(
    ("told", "ours", "status"),
    [
        ({"type": "overloaded_error", "message": "the vendor's words"}, LLMUnavailable, 529),
        ({"type": "authentication_error", "message": f"the vendor's words: {KEY}"}, LLMRejected, 401),
        ({"type": "brand_new_error", "message": "the vendor's words"}, LLMBadReply, None),
        ("the vendor's words", LLMBadReply, None),
    ],
    ids=repr,
)
async def test_anthropics_gateways_do_so_too(model_server, anthropic, told, ours, status):
    model_server.reply({"type": "error", "error": told})

    error = await error_of(anthropic, streaming=False)

    assert type(error) is ours
    assert error.status == status
    assert "the vendor's words" in str(error)


async def test_an_empty_error_beside_a_message_is_none(model_server, openai, completion):
    model_server.reply(completion({"content": "Hi"}, error={"message": "of the past"}))

    assert (await openai.generate(USER)).content == "Hi"


# --- Tool calls


def openai_call(index: int, arguments: str) -> dict[str, Any]:
    function = {"name": "save", "arguments": arguments}
    return {"index": index, "id": "call_1", "type": "function", "function": function}


@pytest.mark.parametrize("streaming", [False, True])
async def test_two_calls_with_one_id_get_different_ones(model_server, openai, completion, chunk, streaming):
    calls = [openai_call(0, '{"a": 1}'), openai_call(1, '{"a": 2}')]
    if streaming:
        model_server.stream(chunk({"tool_calls": calls}), chunk(finish_reason="tool_calls"))
        made = (await last_of(openai)).tool_calls
    else:
        model_server.reply(completion({"content": None, "tool_calls": calls}, "tool_calls"))
        made = (await openai.generate(USER)).message["tool_calls"]

    assert made[0]["id"] == "call_1"
    assert made[1]["id"] not in ("", "call_1")
    assert [each["function"]["arguments"] for each in made] == ['{"a": 1}', '{"a": 2}']


def message(*content: Any, stop_reason: str = "tool_use") -> dict[str, Any]:
    usage = {"input_tokens": 3, "output_tokens": 4}
    return {"type": "message", "role": "assistant", "content": content, "stop_reason": stop_reason, "usage": usage}


def tool_use(call_id: str, given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "save", "input": given}


def block(index: int, begun: dict[str, Any], *pieces: str) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": begun},
        *(
            {
                "type": "content_block_delta",
                "index": index,
                "delta": {"type": "input_json_delta", "partial_json": piece},
            }
            for piece in pieces
        ),
        {"type": "content_block_stop", "index": index},
    ]


END = [{"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {}}, {"type": "message_stop"}]


@pytest.mark.parametrize("indexes", [(0, 1), (0, 0)], ids=["a position each", "one position"])
async def test_blocks_with_one_id_or_position_are_calls_of_their_own(model_server, anthropic, indexes):
    first, second = indexes
    model_server.stream(
        {"type": "message_start", "message": message()},
        *block(first, tool_use("call_1", {}), '{"a":', " 1}"),
        *block(second, tool_use("call_1", {}), '{"a": 2}'),
        *END,
    )
    model_server.reply(message(tool_use("call_1", {"a": 1}), tool_use("call_1", {"a": 2})))

    streamed = (await last_of(anthropic)).tool_calls
    whole = (await anthropic.generate(USER)).message["tool_calls"]

    for made in (streamed, whole):
        assert [each["function"]["arguments"] for each in made] == ['{"a": 1}', '{"a": 2}']
        assert made[0]["id"] == "call_1"
        assert made[1]["id"] not in ("", "call_1")


async def test_arguments_that_are_a_text_of_json_are_arguments(model_server, anthropic):
    model_server.reply(message(tool_use("call_1", '{"a": 1}')))
    model_server.stream(*block(0, tool_use("call_1", '{"a": 1}')), *END)

    calls = (await anthropic.generate(USER)).tool_calls
    streamed = (await last_of(anthropic)).tool_calls

    assert calls is not None
    assert calls[0].arguments == {"a": 1}
    assert json.loads(streamed[0]["function"]["arguments"]) == {"a": 1}


async def test_thinking_without_its_beginning_is_shown(model_server, anthropic):
    thought = {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}}
    model_server.stream(thought, *END)

    assert [chunk.thinking async for chunk in anthropic.stream(USER)] == ["Hm.", None]


# --- Token counts


async def test_counts_below_zero_are_none(model_server, openai, anthropic, completion):
    model_server.reply(completion({"content": "Hi"}, usage={"prompt_tokens": 7, "completion_tokens": -3}))
    model_server.reply({**message({"type": "text", "text": "Hi"}), "usage": {"input_tokens": -1, "output_tokens": 4}})

    assert (await openai.generate(USER)).usage == {"prompt_tokens": 7, "completion_tokens": 0, "total_tokens": 7}
    assert (await anthropic.generate(USER)).usage == {"prompt_tokens": 0, "completion_tokens": 4, "total_tokens": 4}
