"""The contract of clients, over a server that is none of ours (aimock), and over every client that ships."""

from typing import Any

import pytest

from agent_runtime_core.errors import LLMBadReply, LLMRejected, LLMUnavailable
from agent_runtime_core.interfaces import LLMResponse
from agent_runtime_core.llm import FallbackClient, ResilientClient
from agent_runtime_core.llm.anthropic import AnthropicClient
from agent_runtime_core.llm.openai import OpenAIClient
from agent_runtime_core.llm.retries import Retries
from agent_runtime_core.testing import (
    FaultyLLM,
    FunctionLLM,
    MockLLMClient,
    MockLLMResponse,
    RecordingLLM,
    ScriptedLLM,
    tool_call_reply,
)
from agent_runtime_core.testing.contracts import LLMClientContract

MODEL = "o4-mini"  # aimock tells the reasoning of models that have one


class TestOpenAI(LLMClientContract):
    @pytest.fixture
    async def client(self, aimock):
        async with OpenAIClient("test-key", MODEL, base_url=f"{aimock}/v1", max_retries=0) as client:
            yield client


class TestAnthropic(LLMClientContract):
    @pytest.fixture
    async def client(self, aimock):
        async with AnthropicClient("test-key", base_url=aimock, max_retries=0) as client:
            yield client


def scripted(messages: list[dict[str, Any]], _: Any = None) -> Any:
    """The answers of the contract, as a script gives them."""
    contract = LLMClientContract
    if messages[-1]["role"] == "tool":
        return contract.result_text
    said = messages[-1]["content"]
    if said == contract.broken_off:
        return LLMBadReply("cut")
    if said in contract.refusals:
        return contract.refusals[said]("no")
    if said == contract.hello[0]:
        return contract.hello[1]
    if said == contract.text_and_call[0]:
        _, text, calls = contract.text_and_call
        return {**reply(calls), "content": text}
    if said == contract.thinking[0]:
        _, thinking, text = contract.thinking
        blocks = [{"type": "thinking", "thinking": thinking, "signature": "x"}]
        message = {"role": "assistant", "content": text, "thinking_blocks": blocks}
        return LLMResponse(message, usage={"total_tokens": 7}, model="m-1", finish_reason="stop", thinking=thinking)
    return reply({contract.one_call[0]: contract.one_call[1], contract.two_calls[0]: contract.two_calls[1]}[said])


def reply(calls: list[tuple[str, dict[str, Any]]] | None) -> dict[str, Any]:
    (name, arguments), *more = calls or []
    return tool_call_reply(name, *more, **arguments)


def mocked(messages: list[dict[str, Any]]) -> MockLLMResponse:
    answer = scripted(messages)
    if isinstance(answer, Exception):
        raise answer
    if isinstance(answer, str):
        return MockLLMResponse(answer)
    return MockLLMResponse(answer["content"] or "", answer["tool_calls"], "tool_calls")


class TestScripted(LLMClientContract):
    @pytest.fixture
    async def client(self):
        async with ScriptedLLM([scripted] * 10, strict=True) as client:
            yield client


class TestFunction(LLMClientContract):
    @pytest.fixture
    async def client(self):
        async with FunctionLLM(scripted) as client:
            yield client


class TestMock(LLMClientContract):
    thinking = (None, "", "")

    @pytest.fixture
    async def client(self):
        async with MockLLMClient(response_fn=mocked) as client:
            yield client

    @pytest.mark.skip(reason="it counts as it always did: two numbers, and no sum")
    async def test_tokens_are_counted_in_whole_numbers_under_the_same_names(self, client):
        pass


class TestFaultyWithoutFaults(LLMClientContract):
    @pytest.fixture
    async def client(self):
        async with FaultyLLM(FunctionLLM(scripted)) as client:
            yield client


class TestRecorder(LLMClientContract):
    @pytest.fixture
    async def client(self, tmp_path):
        async with RecordingLLM(tmp_path / "calls.jsonl", FunctionLLM(scripted)) as client:
            yield client


class Replayed(LLMClientContract):
    """Each question is recorded in one way just before it is played back in the other."""

    broken_off = None
    refusals = {}  # noqa: RUF012  # what fails is not recorded


class OneMore:
    """Records each question with `records`, then plays it back."""

    def __init__(self, path: Any, records: str) -> None:
        self.path = path
        self.records = records

    async def generate(self, messages: Any, **options: Any) -> LLMResponse:
        await self._record(messages, options)
        return await RecordingLLM(self.path).generate(messages, **options)

    async def stream(self, messages: Any, **options: Any) -> Any:
        await self._record(messages, options)
        async for chunk in RecordingLLM(self.path).stream(messages, **options):
            yield chunk

    async def _record(self, messages: Any, options: Any) -> None:
        recorder = RecordingLLM(self.path, FunctionLLM(scripted))
        if self.records == "generate":
            await recorder.generate(messages, **options)
        else:
            async for _ in recorder.stream(messages, **options):
                pass

    async def close(self) -> None:
        await RecordingLLM(self.path).close()


class TestPlayedBackFromWholeAnswers(Replayed):
    @pytest.fixture
    def client(self, tmp_path):
        return OneMore(tmp_path / "calls.jsonl", "generate")


class TestPlayedBackFromStreams(Replayed):
    @pytest.fixture
    def client(self, tmp_path):
        return OneMore(tmp_path / "calls.jsonl", "stream")


class TestResilient(LLMClientContract):
    @pytest.fixture
    async def client(self):
        async with ResilientClient(FunctionLLM(scripted), retries=Retries(max_attempts=1)) as client:
            yield client


class WithoutStream:
    """The least that a client is."""

    async def generate(self, messages: Any, **options: Any) -> LLMResponse:
        return await FunctionLLM(scripted).generate(messages, **options)


class TestResilientAroundAClientThatCannotStream(LLMClientContract):
    @pytest.fixture
    async def client(self):
        async with ResilientClient(WithoutStream(), retries=Retries(max_attempts=1)) as client:
            yield client

    @pytest.mark.skip(reason="its text comes in one piece")
    async def test_a_streamed_text_comes_in_pieces(self, client):
        pass


class TestFallback(LLMClientContract):
    refusals = {  # noqa: RUF012  # with one client left, whatever it says means that nobody could answer
        question: error if error is LLMRejected else LLMUnavailable
        for question, error in LLMClientContract.refusals.items()
    }
    broken_off = None  # the script fails before the first piece: the same

    @pytest.fixture
    async def client(self):
        async with FallbackClient([FunctionLLM(scripted)]) as client:
            yield client
