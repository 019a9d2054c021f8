"""The port to what executes runs: an engine submits, orders, journals, repeats and cancels, and knows no journey.

Only JSON data crosses it. `agent_runtime_core.testing.RunEngineContract` is this text as tests.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from agent_runtime_core.interfaces.runs import EngineHealth, RunEnd, RunInfo, RunRequest, RunStatus
from agent_runtime_core.interfaces.runtime import ErrorInfo

__all__ = ["DescribeError", "DurableContext", "RunEngine", "RunWork"]


class DurableContext(Protocol):
    """One run, as the work sees it while it does it.

    When the process of a run dies, another one does the work again from its beginning. What is to be done only once
    goes through `step`; what was said already is not said again by `emit`.
    """

    @property
    def request(self) -> RunRequest:
        """What is to be done."""
        ...

    @property
    def attempt(self) -> int:
        """1 at first; higher when the work is done again, after a failure or a dead process."""
        ...

    @property
    def earlier_events(self) -> Sequence[dict[str, Any]]:
        """What earlier attempts have emitted, oldest first, deltas left out. Empty at the first attempt."""
        ...

    async def step(self, name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """Do a piece of work, or give what it came to if an earlier attempt has done it.

        The name is the key: it has to say what the work depends on, and is used once in a run. Steps come one after
        the other. Work whose process dies before the result is recorded is done again: hand `step_key(name)` on to
        whatever it changes outside. What it raises is raised and not recorded.

        Raises:
            TypeError: The result is not JSON data; nothing was recorded.
        """
        ...

    def recorded(self, name: str) -> bool:
        """Whether a step of this name has its result."""
        ...

    def step_key(self, name: str) -> str:
        """The idempotency key of a step: the same at every attempt, and of no other step of any run."""
        ...

    async def emit(self, event_id: str, event: dict[str, Any]) -> None:
        """Tell whoever follows the run. An event is told once per id, whichever attempt comes to it first.

        It may be held back until `flush`, the next step or the end of the run.

        Args:
            event_id: The same at every attempt, another for every event of the run.
            event: JSON data.
        """
        ...

    async def emit_delta(self, event: dict[str, Any]) -> None:
        """Tell something that comes in many pieces and of which a later event is the whole.

        Pieces are told at least once: each carries `attempt`, and those of an earlier attempt are void. They may be
        held back for a tenth of a second.
        """
        ...

    async def flush(self) -> None:
        """Make sure that what was emitted outlives the process."""
        ...

    def cancelled(self) -> bool:
        """Whether somebody has asked the run to stop; known within a second, without asking anybody."""
        ...

    async def wait_cancelled(self) -> None:
        """Return when somebody asks the run to stop."""
        ...


RunWork = Callable[[DurableContext], Awaitable[RunEnd]]
"""Does a run. What it raises is a failure of this attempt."""

DescribeError = Callable[[RunRequest, Exception], ErrorInfo]
"""What is kept of a failure, and whether another attempt may go better."""


class RunEngine(Protocol):
    """Executes runs: in this process, or in any number of workers.

    A process that only submits, follows and cancels never calls `start`.
    """

    async def start(self, work: RunWork, *, describe: DescribeError | None = None, concurrency: int = 32) -> None:
        """Take part in the work, until `stop`.

        Args:
            work: Does one run.
            describe: Judges failures; by default those of models and stores that may pass are tried again.
            concurrency: Runs at once in this process.

        Raises:
            RuntimeError: It was started before.
        """
        ...

    async def stop(self, *, drain_s: float = 30.0) -> None:
        """Begin nothing more; give the runs that are on so many seconds to end, and hand over those that do not.

        A run that is handed over is interrupted; another worker, or this one after its next start, does it again from
        its journal. With an engine that keeps nothing beyond the process it is over, as `failed`.
        """
        ...

    async def submit(self, request: RunRequest, *, at: datetime | None = None) -> RunInfo:
        """Take a run over; it outlives this process if the engine keeps anything at all.

        Args:
            request: The run. One that is there already is left as it is, whatever else the request says.
            at: When it may begin, an aware datetime; until then it holds up nobody of its order key.

        Raises:
            TypeError: The input is not JSON data.
            ValueError: An id or key is empty, `max_attempts` is less than 1, or `at` has no time zone.
            EngineUnavailable: The engine cannot be reached; whether it has the run is not known. Submit it again.
        """
        ...

    async def status(self, run_id: str) -> RunInfo | None:
        """How a run stands; None when there is none of this id."""
        ...

    async def wait(self, run_id: str, *, timeout_s: float | None = None) -> RunInfo:
        """Wait until a run is over.

        Raises:
            RunNotFound: There is no run of this id.
            TimeoutError: It is not over by then. The run goes on.
        """
        ...

    def events(self, run_id: str, *, after: int = 0) -> AsyncGenerator[tuple[int, dict[str, Any]], None]:
        """The events of a run, each with its offset, as they come; ends when the run is over. Offsets rise from 1.

        Args:
            run_id: The run.
            after: The offset of the last event that the reader has; 0 for all.

        Raises:
            RunNotFound: There is no run of this id.
        """
        ...

    async def cancel(self, run_id: str) -> bool:
        """Ask a run to stop, and say whether it was still under way.

        One that has not begun never does. One that is on learns of it within a second; when it ends is its affair.
        """
        ...

    async def runs(
        self,
        *,
        status: RunStatus | None = None,
        order_key: str | None = None,
        agent_key: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[RunInfo]:
        """The runs that there are, those submitted last first."""
        ...

    async def retry(self, run_id: str) -> RunInfo:
        """Do a run again that has failed, timed out, was cancelled or parked; what its journal holds is not repeated.

        Raises:
            RunNotFound: There is no run of this id.
            ValueError: It is under way, or has succeeded.
        """
        ...

    async def prune(self, *, finished_before: datetime) -> int:
        """Forget the runs that were over by then, with all their events, and say how many."""
        ...

    async def health(self) -> EngineHealth:
        """How the engine is doing.

        Raises:
            EngineUnavailable: It cannot be reached.
        """
        ...

    async def close(self) -> None:
        """Free connections and threads, and `stop` without waiting if it was started; a second call does nothing."""
        ...
