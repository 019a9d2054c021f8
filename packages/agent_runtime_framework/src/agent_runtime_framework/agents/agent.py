"""What every agent is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from agent_runtime_framework.agents.context import AgentContext, AgentResult

__all__ = ["BaseAgent"]


class BaseAgent(ABC):
    """Something with a key that answers to a context."""

    @property
    @abstractmethod
    def key(self) -> str:
        """Names the agent; a class attribute `key = "..."` does, too."""

    @abstractmethod
    async def run(self, ctx: AgentContext) -> AgentResult:
        """Answer the conversation in `ctx`."""
