"""The contract of clients, over LiteLLM and a server that is none of ours (aimock), in both of its protocols."""

import pytest

from agent_runtime_core.llm.litellm_client import LiteLLMClient, litellm
from agent_runtime_core.testing.contracts import LLMClientContract

pytestmark = [
    pytest.mark.allow_blocking("LiteLLM reads files of its own at a first call"),
    pytest.mark.filterwarnings("ignore:Items? .* using the `ReadOnly` qualifier:UserWarning"),
    pytest.mark.filterwarnings("ignore:Accessing the 'model_.*fields':DeprecationWarning"),
]


class TestToOpenAI(LLMClientContract):
    uneven_counts = frozenset({"reasoning_tokens"})

    @pytest.fixture
    async def client(self, aimock):
        options = {"api_key": "test-key", "api_base": f"{aimock}/v1", "max_retries": 0}
        async with LiteLLMClient("openai/o4-mini", **options) as client:
            yield client
        await litellm.close_litellm_async_clients()  # it shares its connections, and keeps them open


class TestToAnthropic(LLMClientContract):
    @pytest.fixture
    async def client(self, aimock):
        options = {"api_key": "test-key", "api_base": aimock, "max_retries": 0}
        async with LiteLLMClient("anthropic/claude-sonnet-4-5", **options) as client:
            yield client
        await litellm.close_litellm_async_clients()
