"""The registry: the core's, with discovery and ways to use it in an event loop."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test import override_settings

from agent_runtime_core import registry as core_registry
from agent_runtime_core.interfaces import AgentRuntime, RunResult
from django_agent_runtime import conf
from django_agent_runtime.runtime import registry


class Echo(AgentRuntime):
    key = "echo"

    async def run(self, ctx):
        return RunResult()


class Adapted:
    """As an adapter is: no subclass, the same shape."""

    key = "adapted"

    async def run(self, ctx):
        return RunResult()


@pytest.fixture(autouse=True)
def _empty():
    registry.clear_registry()
    yield
    registry.clear_registry()


def register_echo():
    registry.register_runtime(Echo())


def broken():
    raise RuntimeError("broken")


async def test_nothing_is_registered():
    assert registry.list_runtimes() == await registry.list_runtimes_async() == []
    with pytest.raises(KeyError, match="echo"):
        registry.get_runtime("echo")
    with pytest.raises(KeyError, match="echo"):
        await registry.get_runtime_async("echo")


async def test_it_is_the_registry_of_the_core():
    registry.register_runtime(Adapted())
    core_registry.register_runtime(Echo())

    assert registry.list_runtimes() == ["adapted", "echo"]
    assert await registry.get_runtime_async("adapted") is core_registry.get_runtime("adapted")
    assert registry.unregister_runtime("adapted") is True


def test_the_later_one_of_a_key_wins():
    first, second = Echo(), Echo()
    registry.register_runtime(first)
    registry.register_runtime(second)

    assert registry.get_runtime("echo") is second


async def test_a_function_that_makes_an_agent_may_use_the_database(default_alias):
    def made():
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
        return Echo()

    registry.register_runtime(made, key="echo")

    assert isinstance(await registry.get_runtime_async("echo"), Echo)


@pytest.mark.parametrize("separator", [":", "."])
def test_entries_of_the_settings_are_called(separator, monkeypatch):
    monkeypatch.syspath_prepend(str(__file__).rsplit("/", 1)[0])
    monkeypatch.setitem(__import__("sys").modules, "project_agents", __import__("sys").modules[__name__])

    with override_settings(DJANGO_AGENT_RUNTIME={"RUNTIME_REGISTRY": [f"project_agents{separator}register_echo"]}):
        registry._discover_from_settings()

    assert registry.list_runtimes() == ["echo"]


def test_errors_are_logged_or_raised(monkeypatch, caplog):
    monkeypatch.setitem(__import__("sys").modules, "project_agents", __import__("sys").modules[__name__])
    entries = ["project_agents:broken", "project_agents:register_echo"]

    with override_settings(DJANGO_AGENT_RUNTIME={"RUNTIME_REGISTRY": entries}):
        registry._discover_from_settings()
        assert registry.list_runtimes() == ["echo"]
        assert "project_agents:broken" in caplog.text

        conf.configure(debug=True)
        with pytest.raises(RuntimeError, match="broken"):
            registry._discover_from_settings()


def test_entry_points_are_called(monkeypatch):
    class EntryPoint:
        name = "of a package"

        def load(self):
            return register_echo

    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint()] if "runtimes" in group else [])
    registry._discover_from_entry_points()

    assert registry.list_runtimes() == ["echo"]


def test_discovery_happens_once_per_process(monkeypatch):
    monkeypatch.setattr(registry, "_discovered", False)
    calls: list[str] = []
    monkeypatch.setattr(registry, "_discover_from_settings", lambda: calls.append("settings"))
    monkeypatch.setattr(registry, "_discover_from_entry_points", lambda: calls.append("entry points"))

    registry.autodiscover_runtimes()
    registry.autodiscover_runtimes()

    assert calls == ["settings", "entry points"]
