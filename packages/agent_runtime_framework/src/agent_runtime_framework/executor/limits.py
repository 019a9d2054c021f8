"""How far a run may go."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RunLimits"]


@dataclass(frozen=True, kw_only=True)
class RunLimits:
    """Bounds of one run beside its number of iterations; None means no bound.

    A run that meets one ends with the reason `limit:NAME`, where NAME is the field's name without `max_`.
    """

    max_tool_calls: int | None = None
    """Tool calls of a run; further ones are not executed and the run ends."""
    max_total_tokens: int | None = None
    """Tokens, summed over the run's LLM calls; checked before each call."""
    max_seconds: float | None = None
    """Wall time of a run in seconds; an LLM call or tool that is under way then is stopped."""
    max_invalid_arguments: int | None = 3
    """Calls with wrong arguments that a model may send in a row before the run ends."""
    tool_timeout_s: float | None = 120.0
    """Seconds that one tool may take; the model is told and the run goes on."""
