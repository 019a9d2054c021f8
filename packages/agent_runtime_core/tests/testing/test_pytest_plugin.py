"""The fixtures of the plugin, as a user's conftest enables them."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

CONFTEST = 'pytest_plugins = ["agent_runtime_core.testing.pytest_plugin"]'
TESTS = """
import asyncio
import pytest
from agent_runtime_core.llm import get_llm_client
from agent_runtime_core.testing import RealLLMCallForbidden

USER = [{"role": "user", "content": "Hello"}]


def test_models(scripted_llm, mock_llm, run_context):
    llm = scripted_llm("Hello!")
    assert asyncio.run(llm.generate(USER)).content == "Hello!"
    with pytest.raises(AssertionError, match="once more"):
        asyncio.run(llm.generate(USER))
    assert asyncio.run(mock_llm.generate(USER)).content == "Mock response"
    assert run_context.get_events() == []


@pytest.mark.usefixtures("no_real_llm_calls")
def test_guard():
    client = get_llm_client("openai", api_key="test-key")
    with pytest.raises(RealLLMCallForbidden, match="api.openai.com"):
        asyncio.run(client.generate(USER))
"""


@pytest.mark.allow_blocking("a whole pytest run inside of this one")
def test_a_conftest_of_one_line_enables_the_fixtures(pytester: pytest.Pytester):
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(TESTS)

    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)
