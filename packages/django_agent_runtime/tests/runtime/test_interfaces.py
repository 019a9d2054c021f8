"""The core's protocols can be imported from the Django host, and are the same objects."""

from __future__ import annotations

from agent_runtime_core import interfaces as core
from django_agent_runtime import runtime
from django_agent_runtime.runtime import interfaces


def test_names_are_the_cores_own():
    for name in interfaces.__all__:
        if name != "ToolCall":
            assert getattr(interfaces, name) is getattr(core, name), name
    assert interfaces.ToolCall is core.LLMToolCall
    assert runtime.AgentRuntime is core.AgentRuntime
