"""Running agents under Django: what they are written with, and where they are registered."""

from django_agent_runtime.runtime.interfaces import AgentRuntime, EventType, RunContext, RunResult
from django_agent_runtime.runtime.tools import django_tool, django_tool_with_context

__all__ = ["AgentRuntime", "EventType", "RunContext", "RunResult", "django_tool", "django_tool_with_context"]
