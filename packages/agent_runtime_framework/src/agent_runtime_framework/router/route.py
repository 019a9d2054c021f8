"""A way into a journey, and the answer to where a message leads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from agent_runtime_framework.tools import ToolSchema

__all__ = ["JourneyT", "RouteDefinition", "RouteResult"]

JourneyT = TypeVar("JourneyT")
"""What stands for a journey: usually a member of an enum."""


@dataclass
class RouteDefinition(Generic[JourneyT]):
    """One journey that a user can be led to, told to the model as a tool."""

    journey: JourneyT
    """Where the route leads."""
    name: str
    """The tool's name."""
    description: str
    """The tool's description: when to take this route."""
    keywords: list[str] = field(default_factory=list)
    """Words that hint at this journey, for routing without a model."""

    def to_tool_schema(self) -> ToolSchema:
        """The tool that takes this route; it has no parameters."""
        return ToolSchema(self.name, self.description)


@dataclass
class RouteResult(Generic[JourneyT]):
    """Where a message leads."""

    journey: JourneyT
    """The journey."""
    confidence: float = 1.0
    """How sure this is, from 0 to 1."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Notes of whoever found the route."""
