"""Agents: `JourneyAgent`, what it gets and what it gives back."""

from agent_runtime_core.messages import AgentMessage
from agent_runtime_framework.agents.agent import BaseAgent
from agent_runtime_framework.agents.config import JourneyConfig
from agent_runtime_framework.agents.context import AgentContext, AgentResult
from agent_runtime_framework.agents.graph import JourneyGraph
from agent_runtime_framework.agents.journey_agent import JourneyAgent
from agent_runtime_framework.agents.journey_router import JourneyRouter
from agent_runtime_framework.agents.migration import migrate
from agent_runtime_framework.agents.router_state import RouterState
from agent_runtime_framework.agents.step_hooks import on_enter, on_exit

__all__ = [
    "AgentContext",
    "AgentMessage",
    "AgentResult",
    "BaseAgent",
    "JourneyAgent",
    "JourneyConfig",
    "JourneyGraph",
    "JourneyRouter",
    "RouterState",
    "migrate",
    "on_enter",
    "on_exit",
]
