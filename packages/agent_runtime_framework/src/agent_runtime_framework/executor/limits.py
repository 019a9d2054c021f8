"""How far a run may go, and how far it has gone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agent_runtime_core.events import ToolOutcome
from agent_runtime_core.messages import Usage, total_tokens

__all__ = ["RunLimits", "RunMeter"]


@dataclass(frozen=True, kw_only=True)
class RunLimits:
    """Bounds of one run beside its number of iterations; None means no bound.

    A run that meets one ends with the reason `limit:NAME`, where NAME is the field's name without `max_`.
    """

    max_tool_calls: int | None = None
    """Tool calls of a run; one more is not executed and the run ends."""
    max_total_tokens: int | None = None
    """Tokens, summed over the run's LLM calls; checked before each call."""
    max_seconds: float | None = None
    """Wall time of a run in seconds; an LLM call or tool that is under way then is stopped."""
    max_invalid_arguments: int | None = 3
    """Calls with wrong arguments that a model may send in a row; one more ends the run."""
    tool_timeout_s: float | None = 120.0
    """Seconds that one tool may take; the model is told and the run goes on."""


class RunMeter:
    """What one run has used up.

    Args:
        limits: The bounds.
        max_iterations: LLM calls with tools that the run may make.
    """

    __slots__ = (
        "_invalid_in_a_row",
        "_limits",
        "_max_iterations",
        "_reason",
        "deadline",
        "tool_calls",
        "usage",
    )

    def __init__(self, limits: RunLimits, max_iterations: int) -> None:
        self._limits = limits
        self._max_iterations = max_iterations
        self._invalid_in_a_row = 0
        self._reason: str | None = None  # set once a tool call has met its limit
        self.deadline: float | None = None
        """Time of the event loop's clock at which the run ends."""
        if limits.max_seconds is not None:
            self.deadline = asyncio.get_running_loop().time() + limits.max_seconds
        self.tool_calls = 0
        """Tool calls taken up."""
        self.usage: Usage = {}
        """Token counts, summed."""

    def reason_to_stop(self, turn: int) -> str | None:
        """Why the turn of that number must not begin, or None."""
        if self._reason is not None:
            return self._reason
        if turn >= self._max_iterations:
            return "max_iterations"
        limits = self._limits
        if limits.max_total_tokens is not None and total_tokens(self.usage) >= limits.max_total_tokens:
            return "limit:total_tokens"
        if self.deadline is not None and asyncio.get_running_loop().time() >= self.deadline:
            return "limit:seconds"
        return None

    def takes_tool_call(self) -> bool:
        """Count one more tool call; False when the run has used up its tool calls."""
        limit = self._limits.max_tool_calls
        if limit is not None and self.tool_calls >= limit:
            self._reason = "limit:tool_calls"
            return False
        self.tool_calls += 1
        return True

    def tool_seconds(self) -> float | None:
        """Seconds that a tool may take now."""
        timeout_s = self._limits.tool_timeout_s
        if self.deadline is None:
            return timeout_s
        left = max(self.deadline - asyncio.get_running_loop().time(), 0.0)
        return left if timeout_s is None else min(left, timeout_s)

    def note(self, outcome: ToolOutcome) -> None:
        """Take down what a tool call came to."""
        if outcome.status != "invalid":
            if self._invalid_in_a_row:
                self._invalid_in_a_row = 0
                if self._reason == "limit:invalid_arguments":  # the model has mended its call in the same reply
                    self._reason = None
            return
        self._invalid_in_a_row += 1
        limit = self._limits.max_invalid_arguments
        if limit is not None and self._invalid_in_a_row > limit:
            self._reason = "limit:invalid_arguments"
