"""How a journey runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent_runtime_framework.executor.costs import Pricing
from agent_runtime_framework.executor.limits import RunLimits

__all__ = ["JourneyConfig"]


@dataclass
class JourneyConfig:
    """Settings of a `JourneyAgent`."""

    max_tool_iterations: int = 10
    """LLM calls with tools in one run; then the model is asked once more, without tools, for its closing words."""
    terminal_tools: set[str] = field(default_factory=set)
    """Tools whose success ends the run; their result is the response."""
    closing_phrases: list[str] = field(default_factory=lambda: ["thank you", "thanks", "bye", "goodbye"])
    """What a user says at the end: after a complete journey such a message needs no answer."""
    limits: RunLimits = field(default_factory=RunLimits)
    """Further bounds of a run."""
    pricing: Pricing | None = None
    """What a call costs, such as `agent_runtime_core.prices.call_price`; None counts no costs, unless there is a
    `limits.max_cost`."""
    closing_text: str = "I have to stop here for the moment. Please send another message to go on."
    """What the user reads when a limit ends a run and there are no words of the model."""
    max_history_messages: int | None = 200
    """How many stored messages `send` and `stream` show to the model, the latest; None for all. The store keeps all."""
