"""The contract of clients, over a server that is none of ours (aimock), and over the scripted client."""

from typing import Any

import pytest

from agent_runtime_core.errors import LLMBadReply
from agent_runtime_core.llm.anthropic import AnthropicClient
from agent_runtime_core.llm.openai import OpenAIClient
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_core.testing.contracts import LLMClientContract


class TestOpenAI(LLMClientContract):
    @pytest.fixture
    async def client(self, aimock):
        async with OpenAIClient("test-key", base_url=f"{aimock}/v1", max_retries=0) as client:
            yield client


class TestAnthropic(LLMClientContract):
    @pytest.fixture
    async def client(self, aimock):
        async with AnthropicClient("test-key", base_url=aimock, max_retries=0) as client:
            yield client


def scripted(messages: list[dict[str, Any]], _: Any) -> Any:
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
    return reply({contract.one_call[0]: contract.one_call[1], contract.two_calls[0]: contract.two_calls[1]}[said])


def reply(calls: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    (name, arguments), *more = calls
    return tool_call_reply(name, *more, **arguments)


class TestScripted(LLMClientContract):
    @pytest.fixture
    async def client(self):
        async with ScriptedLLM([scripted] * 10, strict=True) as client:
            yield client
