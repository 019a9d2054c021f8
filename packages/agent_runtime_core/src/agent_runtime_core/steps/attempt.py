"""One attempt at a workflow step, which a deadline or the run's cancellation interrupts."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from agent_runtime_core.interfaces.runtime import RunContext
from agent_runtime_core.steps.errors import StepCancelledError
from agent_runtime_core.steps.step import Step
from agent_runtime_core.waiting import stop

__all__ = ["StepTimedOut", "attempt", "pause"]


class StepTimedOut(Exception):
    """The attempt has taken longer than its step allows: not the same as a TimeoutError of its own."""


async def attempt(step: Step, ctx: RunContext, state: dict[str, Any], check_interval_s: float) -> Any:
    """What the step's function returns.

    A function that is interrupted has ended when this returns. If it returns a result nevertheless, its work is
    done, and the result counts.

    Raises:
        StepTimedOut: The step's time was over.
        StepCancelledError: The run was cancelled while the step ran.
        asyncio.CancelledError: The caller's task was cancelled.
        Exception: Whatever the function raises.
    """
    loop = asyncio.get_running_loop()
    deadline = None if step.timeout is None else loop.time() + step.timeout
    task = asyncio.create_task(_call(step, ctx, state), name=f"step {step.name}")
    interruption: Exception | None = None
    try:
        while interruption is None:
            wait_s = check_interval_s if deadline is None else min(check_interval_s, max(0, deadline - loop.time()))
            await asyncio.wait({task}, timeout=wait_s)
            if task.done():
                break
            if ctx.cancelled():
                interruption = StepCancelledError(step.name)
            elif deadline is not None and loop.time() >= deadline:
                interruption = StepTimedOut(f"Step timed out after {step.timeout}s")
    finally:
        if not task.done():
            await stop(task)
    if interruption is None:
        return task.result()
    if task.cancelled():
        raise interruption
    error = task.exception()
    if error is not None:
        raise interruption from error
    return task.result()


async def _call(step: Step, ctx: RunContext, state: dict[str, Any]) -> Any:
    result = step.fn(ctx, state)
    return await result if inspect.isawaitable(result) else result


async def pause(step: Step, ctx: RunContext, check_interval_s: float) -> None:
    """Wait for the step's next attempt.

    Raises:
        StepCancelledError: The run was cancelled meanwhile, or before.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + step.retry_delay
    while True:
        if ctx.cancelled():
            raise StepCancelledError(step.name)
        left_s = end - loop.time()
        if left_s <= 0:
            return
        await asyncio.sleep(min(check_interval_s, left_s))
