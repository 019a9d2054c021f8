"""Fixtures for pytest: put `pytest_plugins = ["agent_runtime_core.testing.pytest_plugin"]` into your conftest.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from agent_runtime_core.testing.llm import ScriptedLLM, ScriptedReply
from agent_runtime_core.testing.mock_llm import MockLLMClient
from agent_runtime_core.testing.network_guard import forbid_real_llm_calls
from agent_runtime_core.testing.run_context import MockRunContext

__all__ = ["mock_llm", "no_real_llm_calls", "run_context", "scripted_llm"]

# The shipped contract tests explain their failures like any test file.
pytest.register_assert_rewrite("agent_runtime_core.testing.contracts")


@pytest.fixture
def no_real_llm_calls() -> Iterator[None]:
    """While the test runs, no model is asked and no connection leaves the machine.

    `pytestmark = pytest.mark.usefixtures("no_real_llm_calls")` guards a whole file.
    """
    with forbid_real_llm_calls():
        yield


@pytest.fixture
def scripted_llm() -> Callable[..., ScriptedLLM]:
    """Makes a strict `ScriptedLLM`: `scripted_llm("Hello!", tool_call_reply(...))`."""

    def scripted(*replies: ScriptedReply) -> ScriptedLLM:
        return ScriptedLLM(replies, strict=True)

    return scripted


@pytest.fixture
def mock_llm() -> MockLLMClient:
    """A model that says `Mock response` to everything."""
    return MockLLMClient()


@pytest.fixture
def run_context() -> MockRunContext:
    """An empty run that records."""
    return MockRunContext()
