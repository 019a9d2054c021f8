"""How far a run may go, and how far it has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from agent_runtime_core.events import ToolOutcome
from agent_runtime_core.messages import Usage
from agent_runtime_core.tokens import read_tokens
from agent_runtime_framework.executor.costs import CostLedger, Pricing

__all__ = ["RunLimits", "RunMeter"]


@dataclass(frozen=True, kw_only=True)
class RunLimits:
    """Bounds of one run beside its number of iterations; None means no bound.

    A run that meets one ends with the reason `limit:NAME`, where NAME is the field's name without `max_`.
    """

    max_tool_calls: int | None = None
    """Tool calls of a run; one more is not executed and the run ends."""
    max_total_tokens: int | None = None
    """Tokens, summed over the run's LLM calls; a call that would go beyond by its prompt alone is not made, and none
    after one whose tokens nobody has counted."""
    max_seconds: float | None = None
    """Wall time of a run in seconds; an LLM call or tool that is under way then is stopped."""
    max_invalid_arguments: int | None = 3
    """Calls with wrong arguments that a model may send in a row; one more ends the run."""
    tool_timeout_s: float | None = 120.0
    """Seconds that one tool may take; the model is told and the run goes on."""
    max_cost: Decimal | float | None = None
    """US dollars, summed over the run's LLM calls; a call that would go beyond by its prompt alone is not made."""


class RunMeter:
    """What one run has used up.

    Args:
        limits: The bounds.
        max_iterations: LLM calls with tools that the run may make.
        pricing: What a call costs; None counts no costs, unless `limits.max_cost` needs them.

    Raises:
        MissingDependency: Costs must be counted, and the package with the prices is not installed.
        ConfigError: `limits.max_cost` is no amount.
    """

    __slots__ = (
        "_invalid_in_a_row",
        "_limits",
        "_max_iterations",
        "_prompt_tokens",
        "_reason",
        "_tokens",
        "deadline",
        "has_budget",
        "ledger",
        "tool_calls",
        "usage",
    )

    def __init__(self, limits: RunLimits, max_iterations: int, pricing: Pricing | None = None) -> None:
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
        self.has_budget = pricing is not None or limits.max_cost is not None or limits.max_total_tokens is not None
        """Whether it matters what each call has used; if not, `count` is not called and `ledger` is not there."""
        if self.has_budget:
            self._tokens: int | None = 0  # None when nobody counted those of a call
            self._prompt_tokens = 0  # of the last call
            self.ledger = _ledger(limits, pricing)
            """What the run has cost; None when nobody wants to know."""

    def reason_to_stop(self, turn: int) -> str | None:
        """Why the turn of that number must not begin, or None."""
        if self.has_budget:  # first: after the other reasons the model is asked for closing words, which cost, too
            if self._is_out_of_tokens():
                return "limit:total_tokens"
            if self.ledger is not None and self.ledger.is_used_up():
                return "limit:cost"
        if self._reason is not None:
            return self._reason
        if turn >= self._max_iterations:
            return "max_iterations"
        if self.deadline is not None and asyncio.get_running_loop().time() >= self.deadline:
            return "limit:seconds"
        return None

    def count(self, usage: Any) -> None:
        """Count the tokens of a call towards `max_total_tokens`; what is no sensible number is not one."""
        counts = read_tokens(usage)
        total = read_tokens({"prompt_tokens": usage.get("total_tokens")}).input if isinstance(usage, Mapping) else None
        if self._tokens is None or (counts.input is None and counts.output is None and total is None):
            self._tokens = None
            return
        self._prompt_tokens = counts.input or 0
        self._tokens += max(self._prompt_tokens + (counts.output or 0), total or 0)

    def _is_out_of_tokens(self) -> bool:
        """Whether the next call would go beyond the tokens by its prompt alone, taken to be as long as the last one.

        Where nobody has counted the tokens of a call they count as used up, as the money does.
        """
        most = self._limits.max_total_tokens
        if most is None:
            return False
        used = self._tokens
        return used is None or used >= most or used + self._prompt_tokens > most

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


def _ledger(limits: RunLimits, pricing: Pricing | None) -> CostLedger | None:
    """Where the run's costs are counted; by list prices when the budget wants them counted and nobody says how."""
    if pricing is None:
        if limits.max_cost is None:
            return None
        from agent_runtime_core.prices import call_price  # loads price lists: only who needs them waits

        pricing = call_price
    return CostLedger(pricing, limits.max_cost)
