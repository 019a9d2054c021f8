"""The client as an `LLMClient`: what it says about itself, its streams, ids and usage."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.llm.offline import OfflineClient

MESSAGES = [
    {"role": "system", "content": "Ask for the user's name."},
    {"role": "user", "content": "Ada"},
]


def test_it_says_when_it_starts_that_it_is_no_ai(caplog: pytest.LogCaptureFixture) -> None:
    # When
    OfflineClient()

    # Then
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("agent_runtime_core.llm.offline", logging.WARNING)
    assert record.getMessage().startswith("offline client: rules, no AI")


async def test_it_logs_nothing_of_a_conversation(caplog: pytest.LogCaptureFixture, tool: Callable[..., Any]) -> None:
    # Given
    caplog.set_level(logging.DEBUG)
    client = OfflineClient(announce=False)

    # When
    await client.generate(MESSAGES, tools=[tool("save_name", name={"type": "string"})])

    # Then
    assert caplog.records == []


def test_an_unknown_option_is_refused_with_its_name() -> None:
    with pytest.raises(ConfigError, match=r"no option 'api_key': .* neither a key nor an address"):
        OfflineClient(api_key="x")


async def test_the_model_is_named_for_what_it_is() -> None:
    # When
    names = [
        (await OfflineClient(announce=False).generate(MESSAGES)).model,
        (await OfflineClient("demo", announce=False).generate(MESSAGES)).model,
        (await OfflineClient("demo", announce=False).generate(MESSAGES, model="other")).model,
    ]

    # Then
    assert names == ["offline-rules", "demo", "other"]


async def test_the_stream_tells_the_same_answer_word_by_word() -> None:
    # Given
    client = OfflineClient(announce=False)
    whole = await client.generate(MESSAGES)

    # When
    chunks = [chunk async for chunk in client.stream(MESSAGES)]

    # Then
    assert len(chunks) == len(whole.content.split()) + 1
    assert "".join(chunk.delta for chunk in chunks) == whole.content
    assert [chunk.finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert chunks[-1].usage == whole.usage
    assert chunks[-1].tool_calls is None


async def test_the_stream_gives_a_call_whole_in_its_last_chunk(tool: Callable[..., Any]) -> None:
    # Given
    client = OfflineClient(announce=False)
    offered = [tool("save_name", name={"type": "string"})]

    # When
    chunks = [chunk async for chunk in client.stream(MESSAGES, tools=offered)]

    # Then
    function = {"name": "save_name", "arguments": '{"name": "Ada"}'}
    assert [chunk.finish_reason for chunk in chunks] == ["tool_calls"]
    assert chunks[0].tool_calls == [{"id": "call_1", "type": "function", "function": function}]


async def test_each_call_of_a_conversation_has_an_id_of_its_own(tool: Callable[..., Any]) -> None:
    # Given
    client = OfflineClient(announce=False)
    offered = [tool("save_name", name={"type": "string"})]
    messages: list[dict[str, Any]] = []
    ids = []

    # When
    for said in ("Ada", "Bob", "Cleo"):
        messages.append({"role": "user", "content": said})
        response = await client.generate(messages, tools=offered)
        (call,) = response.message["tool_calls"]
        ids.append(call["id"])
        messages += [response.message, {"role": "tool", "tool_call_id": call["id"], "content": "Saved. Who else?"}]
        messages.append({"role": "assistant", "content": "Saved. Who else?"})

    # Then
    assert ids == ["call_1", "call_2", "call_3"]


async def test_the_same_messages_give_the_same_answer_and_stay_as_they_are(tool: Callable[..., Any]) -> None:
    # Given
    client = OfflineClient(announce=False)
    offered = [tool("save_name", name={"type": "string"})]
    before = repr((MESSAGES, offered))

    # When
    answers = [await client.generate(MESSAGES, tools=offered, temperature=1.0) for _ in range(3)]

    # Then
    assert answers[0] == answers[1] == answers[2]
    assert repr((MESSAGES, offered)) == before


async def test_usage_counts_four_characters_as_a_token() -> None:
    # When
    response = await OfflineClient(announce=False).generate([{"role": "user", "content": "x" * 41}])

    # Then
    completion = -(-len(response.content) // 4)
    assert response.usage == {"prompt_tokens": 11, "completion_tokens": completion, "total_tokens": 11 + completion}
