"""The OpenAI client with streamed answers, against a server on this machine that sends raw bytes."""

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest

from agent_runtime_core.errors import LLMBadReply, LLMRateLimited, LLMTimeout, LLMUnavailable
from agent_runtime_core.interfaces.llm import LLMStreamChunk
from agent_runtime_core.llm.openai import OpenAIClient

USER = {"role": "user", "content": "Hello"}
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


@pytest.fixture
async def client(model_server):
    async with OpenAIClient(base_url=model_server.base_url, default_model="gpt-4o", max_retries=0) as client:
        yield client


async def chunks_of(client: OpenAIClient, **options: Any) -> list[LLMStreamChunk]:
    return [chunk async for chunk in client.stream([USER], **options)]


async def read_into(seen: list[LLMStreamChunk], client: OpenAIClient) -> None:
    async for each in client.stream([USER]):
        seen.append(each)


def piece(index: int | None = None, call_id: str | None = None, name: str | None = None, text: Any = None) -> Any:
    """One piece of a tool call; what is None is left out, as servers do."""
    function = {key: value for key, value in (("name", name), ("arguments", text)) if value is not None}
    fields = (("index", index), ("id", call_id), ("function", function))
    return {"tool_calls": [{key: value for key, value in fields if value is not None}]}


def read(calls: list[dict[str, Any]] | None) -> list[tuple[str, str, Any]]:
    assert calls is not None
    assert all(call["type"] == "function" for call in calls)
    return [(call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls]


# --- Text


async def test_text_comes_in_pieces_and_the_last_chunk_says_why_it_stopped(model_server, client, chunk):
    # Given a server that streams a text, and the usage in a chunk of its own
    model_server.stream(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Hel"}),
        chunk({"content": "lo"}),
        chunk({}, "stop"),
        {**chunk(), "choices": [], "usage": USAGE},
    )

    # When it is read
    chunks = await chunks_of(client, temperature=0.5, max_tokens=9)

    # Then the pieces are its texts, and the last chunk holds the rest
    assert chunks == [
        LLMStreamChunk(delta="Hel"),
        LLMStreamChunk(delta="lo"),
        LLMStreamChunk(finish_reason="stop", usage=USAGE, model="gpt-4o-2024-11-20"),
    ]
    assert model_server.requests == [
        {
            "model": "gpt-4o",
            "messages": [USER],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": 0.5,
            "max_tokens": 9,
        }
    ]


async def test_the_usage_can_be_left_out_for_a_server_that_minds(model_server, client, chunk):
    model_server.stream(chunk({"content": "Hi"}, "stop"))

    chunks = await chunks_of(client, stream_options=None)

    assert "stream_options" not in model_server.requests[0]
    assert chunks[-1] == LLMStreamChunk(finish_reason="stop", model="gpt-4o-2024-11-20")


async def test_a_stream_without_done_is_whole_when_the_model_has_finished(model_server, client, chunk):
    model_server.stream(chunk({"content": "Hi"}), chunk({}, "stop"), ending="short")

    assert [chunk.delta for chunk in await chunks_of(client)] == ["Hi", ""]


async def test_reasoning_and_refusals_are_told_apart(model_server, client, chunk):
    model_server.stream(chunk({"reasoning_content": "hm"}), chunk({"refusal": "I must not."}), chunk({}, "stop"))

    first, second, _ = await chunks_of(client)

    assert (first.delta, first.thinking) == ("", "hm")
    assert (second.delta, second.thinking) == ("I must not.", None)


async def test_a_second_answer_is_not_mixed_into_the_first(model_server, client, chunk):
    other = {"index": 1, "delta": {"content": "WRONG"}, "finish_reason": None}
    model_server.stream(chunk({"content": "right"}), {**chunk(), "choices": [other]}, chunk({}, "stop"))

    assert "".join(chunk.delta for chunk in await chunks_of(client, n=2)) == "right"


async def test_one_connection_serves_one_stream_after_the_other(model_server, client, chunk):
    for _ in range(3):
        model_server.stream(chunk({"content": "Hi"}, "stop"))

        await chunks_of(client)

    assert model_server.connections == 1


# --- Tool calls


async def test_text_and_two_interleaved_tool_calls_come_out_whole(model_server, client, chunk):
    # Given a server that speaks, and then writes two calls at the same time
    model_server.stream(
        chunk({"content": "One moment."}),
        chunk(piece(0, "call_a", "save_name", "")),
        chunk(piece(1, "call_b", "save_email", "")),
        chunk(piece(0, text='{"na')),
        chunk(piece(1, text='{"email":')),
        chunk(piece(0, text='me": "Ada"}')),
        chunk(piece(1, text=' "ada@example.org"}')),
        chunk({}, "tool_calls"),
        {**chunk(), "choices": [], "usage": USAGE},
    )

    # When it is read
    *texts, last = await chunks_of(client)

    # Then the text came at once and the calls in the last chunk, with the usage
    assert [chunk.delta for chunk in texts] == ["One moment."]
    assert read(last.tool_calls) == [
        ("call_a", "save_name", {"name": "Ada"}),
        ("call_b", "save_email", {"email": "ada@example.org"}),
    ]
    assert (last.finish_reason, last.usage) == ("tool_calls", USAGE)


SERVERS = {
    "repeats id and name in every piece": (
        [piece(0, "c1", "save", '{"a"'), piece(0, "c1", "save", ": 1"), piece(0, "c1", "save", "}")],
        [("c1", "save", {"a": 1})],
    ),
    "makes up an id for every piece": (
        [piece(0, "c1", "save", '{"a"'), piece(0, "c2", None, ": 1"), piece(0, "c3", None, "}")],
        [("c1", "save", {"a": 1})],
    ),
    "makes up an id for every piece and repeats the name": (
        [piece(0, "c1", "save", '{"a"'), piece(0, "c2", "save", ": 1"), piece(0, "c3", "save", "}")],
        [("c1", "save", {"a": 1})],
    ),
    "sends every call whole at position 0": (
        [piece(0, "c1", "save", '{"a": 1}'), piece(0, "c2", "save", '{"a": 2}'), piece(0, "c3", "drop", "{}")],
        [("c1", "save", {"a": 1}), ("c2", "save", {"a": 2}), ("c3", "drop", {})],
    ),
    "leaves out the position": (
        [piece(None, "c1", "save", '{"a"'), piece(None, None, None, ": 1}"), piece(None, "c2", "save", '{"a": 2}')],
        [("c1", "save", {"a": 1}), ("c2", "save", {"a": 2})],
    ),
    "leaves out the position and repeats the id": (
        [
            piece(None, "c1", "save", '{"a"'),
            piece(None, "c2", "save", '{"a"'),
            piece(None, "c1", None, ": 1}"),
            piece(None, "c2", None, ": 2}"),
        ],
        [("c1", "save", {"a": 1}), ("c2", "save", {"a": 2})],
    ),
    "leaves out the position and sends the name late": (
        [piece(None, "c1", None, '{"a"'), piece(None, "c1", "save", ": 1}"), piece(None, "c2", "drop")],
        [("c1", "save", {"a": 1}), ("c2", "drop", {})],
    ),
    "sends an object instead of text": (
        [piece(0, "c1", "save", {"a": 1})],
        [("c1", "save", {"a": 1})],
    ),
    "sends no arguments at all": ([piece(0, "c1", "ping")], [("c1", "ping", {})]),
    "starts with the second position": (
        [piece(1, "c1", "save", '{"a": 1}'), piece(2, "c2", "drop", "{}")],
        [("c1", "save", {"a": 1}), ("c2", "drop", {})],
    ),
}


@pytest.mark.parametrize("server", SERVERS)
async def test_a_server_that(model_server, client, chunk, server):
    pieces, calls = SERVERS[server]
    model_server.stream(*[chunk(each) for each in pieces], chunk({}, "tool_calls"))

    *_, last = await chunks_of(client)

    assert read(last.tool_calls) == calls


@pytest.mark.parametrize(
    "pieces",
    [
        [piece(0, None, "save", '{"a"'), piece(0, None, None, ": 1}"), piece(1, None, "drop", "{}")],
        [piece(0, None, "save", '{"a"'), piece(0, None, "save", ": 1}"), piece(1, None, "drop", "{}")],
        [piece(None, None, "save", '{"a": 1}'), piece(None, None, "drop", "{}")],
        [piece(None, None, "save", '{"a"'), piece(None, None, "save", ": 1}"), piece(None, None, "drop", "{}")],
    ],
)
async def test_calls_without_ids_get_different_ones(model_server, client, chunk, pieces):
    model_server.stream(*[chunk(each) for each in pieces], chunk({}, "tool_calls"))

    *_, last = await chunks_of(client)

    (first_id, *first), (second_id, *second) = read(last.tool_calls)
    assert (first, second) == (["save", {"a": 1}], ["drop", {}])
    assert first_id
    assert second_id
    assert first_id != second_id


async def test_the_same_tool_twice_without_ids_and_positions_is_two_calls(model_server, client, chunk):
    model_server.stream(
        chunk(piece(None, None, "save", '{"a": 1}')), chunk(piece(None, None, "save", '{"a": 2}')), chunk({}, "stop")
    )

    *_, last = await chunks_of(client)

    assert [arguments for _, _, arguments in read(last.tool_calls)] == [{"a": 1}, {"a": 2}]


# --- Streams that break


async def test_a_dropped_connection_is_never_a_short_answer(model_server, client, chunk):
    # Given a server that drops the connection in the middle of a text
    model_server.stream(chunk({"content": "Your balance is 10"}), ending="cut")

    # When it is read
    seen: list[LLMStreamChunk] = []
    with pytest.raises(LLMBadReply, match="connection broke in the middle of the answer") as caught:
        await read_into(seen, client)

    # Then what came was shown, no chunk claimed an end, and the vendor's error is kept
    assert seen == [LLMStreamChunk(delta="Your balance is 10")]
    assert type(caught.value.__cause__).__name__ == "APIConnectionError"
    assert (caught.value.provider, caught.value.model) == (client.provider, "gpt-4o")


@pytest.mark.parametrize("ending", ["done", "short"])
async def test_a_stream_that_ends_before_the_model_finished_is_an_error(model_server, client, chunk, ending):
    model_server.stream(chunk({"content": "Your balance is 10"}), ending=ending)

    with pytest.raises(LLMBadReply, match="ended before the answer did"):
        await chunks_of(client)


async def test_a_tool_call_that_was_cut_is_not_handed_out(model_server, client, chunk):
    model_server.stream(chunk(piece(0, "c1", "pay", '{"amount": 10')), ending="cut")

    seen: list[LLMStreamChunk] = []
    with pytest.raises(LLMBadReply):
        await read_into(seen, client)

    assert seen == []


async def test_a_server_that_does_not_stream_is_an_error(model_server, client, completion):
    model_server.reply(completion({"content": "Hi"}))

    with pytest.raises(LLMBadReply, match="does not stream an answer, it sent application/json"):
        await chunks_of(client)


async def test_a_chunk_that_is_no_json_is_an_error(model_server, client, chunk):
    model_server.stream(chunk({"content": "Hi"}), "{oops")

    with pytest.raises(LLMBadReply, match="not valid JSON"):
        await chunks_of(client)


async def test_chunks_of_strange_shape_are_passed_over(model_server, client, chunk):
    strange = [5, "null", [], {"choices": 5}, {"choices": [{}]}, chunk({"tool_calls": 5}), chunk({"content": 5})]
    model_server.stream(*strange, chunk({"content": "Hi"}, "stop"))

    assert [chunk.delta for chunk in await chunks_of(client)] == ["Hi", ""]


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"message": "slow down", "type": "rate_limit_error"}, LLMRateLimited),
        ({"message": "slow down", "code": 429}, LLMRateLimited),
        ({"message": "we failed", "type": "server_error"}, LLMUnavailable),
        ({"message": "we failed", "code": 503}, LLMUnavailable),
        ({"message": "took too long", "code": 504}, LLMTimeout),
        ({"message": "something else"}, LLMBadReply),
    ],
)
async def test_an_error_inside_of_a_stream_keeps_its_kind_and_words(model_server, client, chunk, told, kind):
    model_server.stream(chunk({"content": "Hi"}), {"error": told})

    with pytest.raises(kind, match=told["message"]):
        await chunks_of(client)


# --- Leaving early


async def test_leaving_a_stream_early_closes_the_connection(model_server, client, chunk):
    model_server.stream(chunk({"content": "Once upon a time"}), ending="open")

    async with aclosing(client.stream([USER])) as stream:
        assert (await anext(stream)).delta == "Once upon a time"

    await model_server.left.wait()


async def test_a_cancelled_task_closes_the_connection_and_stays_cancelled(model_server, client, chunk):
    # Given a task that waits for the rest of a stream
    model_server.stream(chunk({"content": "Once upon a time"}), ending="open")
    begun = asyncio.Event()

    async def read_on():
        async for _ in client.stream([USER]):
            begun.set()

    task = asyncio.create_task(read_on())
    await begun.wait()

    # When it is cancelled
    task.cancel()

    # Then it ends as cancelled, and the server sees the client leave
    with pytest.raises(asyncio.CancelledError):
        await task
    await model_server.left.wait()


async def test_after_leaving_early_the_client_still_works(model_server, client, chunk):
    model_server.stream(chunk({"content": "Once"}), ending="open")
    async with aclosing(client.stream([USER])) as stream:
        await anext(stream)
    model_server.stream(chunk({"content": "Hi"}, "stop"))

    assert (await chunks_of(client))[0].delta == "Hi"
