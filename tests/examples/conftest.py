"""The examples as importable modules, and the ways in which their tests talk with them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agent_runtime_core.interfaces import LLMClient
from agent_runtime_core.llm import get_llm_client
from agent_runtime_framework import AgentResult, JourneyAgent

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` has put it there, plain `pytest` has not
    sys.path.insert(0, str(ROOT))


STYLES = {"declared": "examples", "seed_style": "examples.seed_style"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of a journey runs on both ways to write it: declared, and with every method written out."""
    if "style" in metafunc.fixturenames:
        metafunc.parametrize("style", STYLES)


@pytest.fixture
def example(request: pytest.FixtureRequest, style: str) -> ModuleType:
    """The module of a journey, by its name."""
    return importlib.import_module(f"{STYLES[style]}.{request.param}")


@pytest.fixture
def talk() -> Callable[..., Coroutine[Any, Any, AgentResult]]:
    """Send the lines one after the other, as a user would; the answer to the last one."""

    async def send_all(agent: JourneyAgent[Any, Any, Any], *lines: str) -> AgentResult:
        results = [await agent.send("a-conversation", line) for line in lines]
        return results[-1]

    return send_all


@pytest.fixture
def offline() -> LLMClient:
    """The client that `--provider offline` chooses."""
    return get_llm_client(provider="offline", announce=False)


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """A SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'journeys.db'}"


@pytest.fixture
def tool_results() -> Callable[[AgentResult], list[str]]:
    """What the model read of its tool calls in a run."""

    def read(result: AgentResult) -> list[str]:
        return [str(message.content) for message in result.messages if message.role == "tool"]

    return read
