"""One run from its first attempt to its end, the same on every engine."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from agent_runtime_core.engines.metrics import tell_end
from agent_runtime_core.errors import LLMRateLimited
from agent_runtime_core.interfaces.run_engine import DescribeError, DurableContext, RunWork
from agent_runtime_core.interfaces.runs import RunEnd, RunStatus
from agent_runtime_core.logs.run_ids import run_ids
from agent_runtime_core.stores.json_data import check_json_object

__all__ = ["AttemptedContext", "EndRecord", "executed"]

_LOGGER = logging.getLogger("agent_runtime_core.engines.execution")

LONGEST_PAUSE_S = 300.0
"""So long at most lies between two attempts, whatever a vendor asks for."""


class AttemptedContext(DurableContext, Protocol):
    """The context as an engine has it."""

    def begin_attempt(self) -> None:
        """Count an attempt more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRecord:
    """How a run has ended, as JSON data when it is turned into a dict."""

    status: RunStatus
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON data."""
        return {**asdict(self), "status": self.status.value}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> EndRecord:
        """The record that `to_dict` gave."""
        return cls(status=RunStatus(data["status"]), result=data.get("result"), error=data.get("error"))


async def executed(work: RunWork, ctx: AttemptedContext, describe: DescribeError, *, retry_pause_s: float) -> EndRecord:
    """Do the work, again where that may help, and say how it has ended.

    Args:
        work: The work.
        ctx: The run.
        describe: Judges failures.
        retry_pause_s: Seconds between the first two attempts; each further pause is twice as long.

    Raises:
        asyncio.CancelledError: The process is about to stop. The run has not ended.
    """
    request, begun = ctx.request, time.monotonic()
    with run_ids(request.run_id, request.agent_key, request.input.get("conversation_id")):
        end = await _attempted(work, ctx, describe, retry_pause_s)
    tell_end(request.agent_key, end.status.value, time.monotonic() - begun)
    return end


async def _attempted(work: RunWork, ctx: AttemptedContext, describe: DescribeError, retry_pause_s: float) -> EndRecord:
    """The end of the run, after as many attempts as it takes."""
    request, pause_s, tries = ctx.request, retry_pause_s, 0
    while True:
        if ctx.cancelled():
            return EndRecord(status=RunStatus.CANCELLED)
        tries += 1
        ctx.begin_attempt()
        clock = asyncio.timeout(request.timeout_s)
        try:
            async with clock:
                end = await work(ctx)
            return _checked(end)
        except Exception as error:
            if isinstance(error, TimeoutError) and clock.expired():
                return _timed_out(request.timeout_s)
            info = describe(request, error)
            failure = {"type": info.type, "message": info.message, "retriable": info.retriable}
            _LOGGER.warning("Run %s of %r: attempt %d failed: %s", request.run_id, request.agent_key, tries, info.type)
            _LOGGER.debug("Run %s: attempt %d failed", request.run_id, tries, exc_info=error)
            if not info.retriable or tries >= request.max_attempts:
                return EndRecord(status=RunStatus.FAILED, error=failure)
            asked_s = error.retry_after_s if isinstance(error, LLMRateLimited) else None
        await _pause(ctx, min(max(pause_s, asked_s or 0.0), LONGEST_PAUSE_S))
        pause_s *= 2


def _checked(end: RunEnd) -> EndRecord:
    """The work's own word on its end.

    Raises:
        TypeError: It is no `RunEnd`, or its result no JSON data.
    """
    if not isinstance(end, RunEnd):
        raise TypeError(f"the work gave {type(end).__name__}; a run ends with a RunEnd")
    check_json_object(end.result, "result")
    return EndRecord(status=end.status, result=end.result)


def _timed_out(seconds: float | None) -> EndRecord:
    message = f"the run took longer than {seconds:g} s and was stopped; what it had committed stays."
    error = {"type": "TimeoutError", "message": message, "retriable": False}
    return EndRecord(status=RunStatus.TIMED_OUT, error=error)


async def _pause(ctx: DurableContext, seconds: float) -> None:
    """Wait between two attempts; a run that is asked to stop waits no longer."""
    try:
        async with asyncio.timeout(seconds):
            await ctx.wait_cancelled()
    except TimeoutError:
        return
