"""The contract of clients, over a real model behind an OpenAI-compatible server; docs/testing.md says how."""

import os

import pytest

from agent_runtime_core.llm.openai import OpenAIClient
from agent_runtime_core.testing.contracts import LLMClientContract

URL, MODEL, KEY = "AGENT_RUNTIME_TEST_BASE_URL", "AGENT_RUNTIME_TEST_MODEL", "AGENT_RUNTIME_TEST_API_KEY"


class TestRealServer(LLMClientContract):
    """A model says what it likes: only the form is looked at, and that both ways are the same when nothing is drawn."""

    hello = (LLMClientContract.hello[0], None)
    one_call = (LLMClientContract.one_call[0], None)
    result_text = None
    two_calls = (None, [])
    text_and_call = (None, "", [])
    thinking = (None, "", "")
    broken_off = None
    refusals = {}  # noqa: RUF012  # cannot be arranged
    uneven_counts = frozenset({"prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens"})
    options = {"temperature": 0.0, "seed": 1, "max_tokens": 60}  # noqa: RUF012  # the contract's form
    call_options = {  # noqa: RUF012  # the same
        "tool_choice": {"type": "function", "function": {"name": "save_name"}}
    }

    @pytest.fixture
    async def client(self):
        missing = [name for name in (URL, MODEL) if not os.environ.get(name)]
        if missing:
            pytest.skip(f"needs a real model: set {' and '.join(missing)} (docs/testing.md, Against a real server)")
        key = os.environ.get(KEY, "no-key-needed")
        async with OpenAIClient(key, os.environ[MODEL], base_url=os.environ[URL], max_retries=0) as client:
            yield client
