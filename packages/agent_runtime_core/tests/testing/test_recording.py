"""Conversations that are written down once and played back ever after."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.errors import ConfigError, LLMUnavailable
from agent_runtime_core.testing import RecordingLLM, ScriptedLLM, tool_call_reply

USER = [{"role": "user", "content": "Hello"}]
MORE = [*USER, {"role": "assistant", "content": "Hi"}, {"role": "user", "content": "I'm Ada"}]
TOOLS = [{"type": "function", "function": {"name": "save_name"}}]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.jsonl"


async def ask(client: Any, streaming: bool, messages: Any = USER, **options: Any) -> Any:
    """Text, tool calls and usage of an answer."""
    if not streaming:
        answer = await client.generate(messages, **options)
        return answer.content, answer.message.get("tool_calls"), answer.usage
    chunks = [chunk async for chunk in client.stream(messages, **options)]
    return "".join(chunk.delta for chunk in chunks), chunks[-1].tool_calls, chunks[-1].usage


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_missing_folder_is_told_before_the_model_is_asked(path: Path, streaming: bool):
    model = ScriptedLLM(["Hello!"])

    with pytest.raises(ConfigError, match=r"no folder .*missing"):
        await ask(RecordingLLM(path.parent / "missing" / "calls.jsonl", model), streaming)

    assert model.call_count == 0


@pytest.mark.parametrize("recorded_streaming", [False, True])
@pytest.mark.parametrize("replayed_streaming", [False, True])
async def test_what_was_recorded_is_played_back(path: Path, recorded_streaming: bool, replayed_streaming: bool):
    # Given a recording, with a key that nobody should write down
    script: list[Any] = ["Hello, there!", tool_call_reply("save_name", name="Ada")]
    secret = {
        "extra_headers": {"authorization": "Bearer hidden"},
        "api_key": "hidden",
        "aws_secret_access_key": "hidden",
        "azure_ad_token": "hidden",
        "vertex_credentials": "hidden",
    }
    recorder = RecordingLLM(path, ScriptedLLM(script))
    first = await ask(recorder, recorded_streaming, **secret)
    second = await ask(recorder, recorded_streaming, MORE, tools=TOOLS)

    # When
    player = RecordingLLM(path)
    replayed = [
        await ask(player, replayed_streaming, **secret),
        await ask(player, replayed_streaming, MORE, tools=TOOLS),
    ]

    # Then
    assert replayed == [first, second]
    assert first[0] == "Hello, there!"
    assert "hidden" not in await asyncio.to_thread(path.read_text, encoding="utf-8")
    with pytest.raises(AssertionError, match="holds 2 calls; the model was asked once more"):
        await ask(player, replayed_streaming)


async def test_another_question_than_the_recorded_one_is_an_error(path: Path):
    await ask(RecordingLLM(path, ScriptedLLM(["Hi"])), streaming=False)

    with pytest.raises(AssertionError, match=r"call 1 is not the one recorded in .*: other messages, tools"):
        await ask(RecordingLLM(path), streaming=False, messages=MORE, tools=TOOLS)


async def test_a_new_recording_takes_the_place_of_the_old_one(path: Path):
    for text in ("Old", "New"):
        await ask(RecordingLLM(path, ScriptedLLM([text])), streaming=True)

    assert (await ask(RecordingLLM(path), streaming=True))[0] == "New"


async def test_a_call_that_fails_is_not_recorded(path: Path):
    recorder = RecordingLLM(path, ScriptedLLM([LLMUnavailable("down"), "Hi"]))
    with pytest.raises(LLMUnavailable):
        await ask(recorder, streaming=False)
    await ask(recorder, streaming=False)

    assert (await ask(RecordingLLM(path), streaming=False))[0] == "Hi"


async def test_no_recording_says_so(path: Path):
    with pytest.raises(ConfigError, match=r"no recording can be read from .*calls\.jsonl"):
        await RecordingLLM(path).generate(USER)


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[]",
        '{"request": {}}',
        '{"request": {}, "chunks": [{"text": "x"}]}',
        '{"request": {}, "response": {"message": {}, "words": 1}}',
        '{"request": {}, "response": 7}',
    ],
)
async def test_a_broken_line_is_named(path: Path, line: str):
    await asyncio.to_thread(path.write_text, f'{{"request": {{}}, "chunks": []}}\n{line}\n', encoding="utf-8")

    with pytest.raises(ConfigError, match=r"calls\.jsonl, line 2: not"):
        await ask(RecordingLLM(path), streaming=True)


async def test_closing_closes_the_client_that_is_recorded(path: Path):
    class Closing(ScriptedLLM):
        default_model = "m-1"
        closed = False

        async def close(self) -> None:
            self.closed = True

    inside = Closing(["Hi"])
    async with RecordingLLM(path, inside) as recorder:
        assert recorder.default_model == "m-1"
        await recorder.generate(USER)
    async with RecordingLLM(path) as player:
        assert player.default_model == ""

    assert inside.closed


async def test_a_text_with_line_separators_of_its_own_is_read_back(tmp_path):
    path, asked = tmp_path / "calls.jsonl", [{"role": "user", "content": "hello"}]
    text = "one\u2028two\u0085three"

    await RecordingLLM(path, ScriptedLLM([text])).generate(asked)

    assert (await RecordingLLM(path).generate(asked)).content == text


async def test_half_of_a_character_is_read_back(path: Path):
    await RecordingLLM(path, ScriptedLLM(["\ud83d?"])).generate(USER)

    assert (await RecordingLLM(path).generate(USER)).content == "\ud83d?"


async def test_no_call_of_many_at_the_same_time_is_lost(path: Path):
    recorder = RecordingLLM(path, ScriptedLLM([str(n) for n in range(40)]))
    await asyncio.to_thread(path.write_text, "an older recording\n")

    await asyncio.gather(*(recorder.generate(USER) for _ in range(40)))

    player = RecordingLLM(path)
    assert sorted([int((await player.generate(USER)).content) for _ in range(40)]) == list(range(40))
