"""Where a model comes from when an agent was given none."""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest

import agent_runtime_core.llm
from agent_runtime_core.errors import ConfigError, MissingDependency
from agent_runtime_core.testing import ScriptedLLM


@pytest.fixture
def factory(monkeypatch):
    """Stands in for `get_llm_client`: `made` holds what it made, `make` how."""
    made: list[Any] = []
    double = SimpleNamespace(made=made, make=lambda: ScriptedLLM(["Hi"] * 5))

    def get_llm_client(*args, **kwargs):
        assert (args, kwargs) == ((), {})
        made.append(double.make())
        return made[-1]

    monkeypatch.setattr(agent_runtime_core.llm, "get_llm_client", get_llm_client)
    return double


async def test_an_agent_without_a_client_uses_the_configured_one(signup, context, factory):
    result = await signup.Agent().run(context("hello"))

    assert result.response == "Hi"
    assert factory.made[0].call_count == 1


@pytest.mark.parametrize("start", ["run", "run_stream", "send", "stream"])
async def test_it_is_found_whichever_way_a_run_is_started(signup, context, factory, start):
    agent = signup.Agent()
    running = getattr(agent, start)(*((context("hi"),) if "run" in start else ("c", "hi")))

    if "stream" in start:
        assert [event.kind async for event in running][-1] == "run_finished"
    else:
        assert (await running).response == "Hi"
    assert len(factory.made) == 1


async def test_the_client_that_was_given_wins(signup, context, factory):
    llm = ScriptedLLM(["Mine"])

    assert (await signup.Agent(llm).run(context("hello"))).response == "Mine"
    assert factory.made == []


async def test_a_client_that_is_given_later_wins_too(signup, context, factory):
    agent = signup.Agent()
    await agent.run(context("hello"))

    agent.llm_client = ScriptedLLM(["Mine"])

    assert (await agent.run(context("hello"))).response == "Mine"


async def test_a_client_that_counts_as_false_is_a_client_all_the_same(signup, context, factory):
    class Empty(ScriptedLLM):
        def __len__(self):
            return 0

    assert (await signup.Agent(Empty(["Mine"])).run(context("hello"))).response == "Mine"


async def test_the_configured_client_is_made_once(signup, context, factory):
    agent = signup.Agent()

    for _ in range(3):
        await agent.run(context("hello"))

    assert len(factory.made) == 1


def test_each_event_loop_gets_a_client_of_its_own(signup, context, factory):
    agent = signup.Agent()

    for _ in range(2):
        asyncio.run(agent.run(context("hello")))

    assert [llm.call_count for llm in factory.made] == [1, 1]


def test_an_agent_can_be_made_without_any_client_and_without_an_event_loop(signup, factory):
    assert signup.Agent().llm_client is None
    assert factory.made == []


async def test_without_the_cores_clients_the_error_says_what_is_needed(signup, context, monkeypatch):
    monkeypatch.setitem(sys.modules, "agent_runtime_core.llm", None)

    with pytest.raises(ValueError, match="LLM client is required to run the agent"):
        await signup.Agent().run(context("hello"))


@pytest.mark.parametrize(
    "error", [ConfigError("set OPENAI_API_KEY"), MissingDependency("pip install agent_runtime_core[openai]")]
)
async def test_errors_of_the_factory_reach_the_caller_unchanged(signup, context, factory, error):
    def fail():
        raise error

    factory.make = fail

    with pytest.raises(ConfigError) as caught:
        await signup.Agent().run(context("hello"))

    assert caught.value is error


async def test_after_an_error_of_the_factory_the_next_run_asks_again(signup, context, factory):
    working = factory.make

    def fail():
        raise ConfigError("set OPENAI_API_KEY")

    agent, factory.make = signup.Agent(), fail
    with pytest.raises(ConfigError):
        await agent.run(context("hello"))
    factory.make = working

    assert (await agent.run(context("hello"))).response == "Hi"


async def test_without_any_configuration_the_error_says_what_to_set(signup, context, monkeypatch):
    from agent_runtime_core.config import reset_config

    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AGENT_RUNTIME_LLM_PROVIDER", "AGENT_RUNTIME_PROVIDER"):
        monkeypatch.delenv(name, raising=False)
    reset_config()

    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        await signup.Agent().run(context("hello"))


async def test_nothing_is_loaded_or_saved_before_the_client_is_there(signup, context, factory):
    async def load_state(ctx):
        raise AssertionError("not yet")

    def fail():
        raise ConfigError("set OPENAI_API_KEY")

    agent, factory.make = signup.Agent(), fail
    agent.load_state = load_state

    with pytest.raises(ConfigError):
        await agent.run(context("hello"))


# Closing.


class Closable(ScriptedLLM):
    closed = 0

    async def close(self):
        self.closed += 1


async def test_an_agent_closes_the_client_that_it_made_and_not_the_one_it_was_given(signup, context, factory):
    factory.make = lambda: Closable(["Hi"] * 5)
    given = Closable(["Hi"])

    async with signup.Agent() as agent:
        await agent.run(context("hello"))
    async with signup.Agent(given) as agent:
        await agent.run(context("hello"))

    assert (factory.made[0].closed, given.closed) == (1, 0)


async def test_an_agent_that_never_ran_closes_without_making_a_client(signup, factory):
    async with signup.Agent():
        pass

    assert factory.made == []


async def test_closing_twice_closes_once_and_a_later_run_makes_a_new_client(signup, context, factory):
    factory.make = lambda: Closable(["Hi"] * 5)
    agent = signup.Agent()
    await agent.run(context("hello"))

    await agent.aclose()
    await agent.aclose()
    await agent.run(context("hello"))

    assert [llm.closed for llm in factory.made] == [1, 0]


@pytest.mark.parametrize("double", [MagicMock, AsyncMock])
async def test_a_mock_in_the_place_of_the_configured_client_can_be_closed(signup, context, factory, double):
    llm = double()
    llm.generate = AsyncMock(return_value=MagicMock(message={"role": "assistant", "content": "Hi"}))
    factory.make = lambda: llm

    async with signup.Agent() as agent:
        await agent.run(context("hello"))

    llm.close.assert_called_once_with()


async def test_a_client_that_cannot_be_closed_does_not_keep_the_store_open(signup, context, factory, tmp_path):
    class Stuck(ScriptedLLM):
        async def close(self):
            raise RuntimeError("stuck")

    factory.make = lambda: Stuck(["Hi"])
    agent = signup.Agent(store=f"sqlite:///{tmp_path}/journeys.db")
    await agent.run(context("hello"))
    closed = []
    close = agent.store.close

    async def watched():
        closed.append(True)
        await close()

    agent.store.close = watched

    with pytest.raises(RuntimeError, match="stuck"):
        await agent.aclose()

    assert closed == [True]
