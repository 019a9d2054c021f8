"""Workflows: what runs, what is told, what is tried again, and what ends an execution."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from agent_runtime_core.contexts import FileRunContext, InMemoryRunContext
from agent_runtime_core.errors import ConfigError, StoreUnavailable
from agent_runtime_core.steps import (
    ExecutionState,
    Step,
    StepCancelledError,
    StepExecutionError,
    StepExecutor,
    StepStatus,
)

KEY = "_step_executor_state"


def returning(value: Any, log: list[str] | None = None, name: str = ""):
    async def fn(ctx, state):
        if log is not None:
            log.append(name)
        return value

    return fn


def failing(times: int, error: Exception, value: Any = "done"):
    """A function that raises so many times, and then returns."""
    left = [times]

    async def fn(ctx, state):
        if left[0]:
            left[0] -= 1
            raise error
        return value

    return fn


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def told(ctx: InMemoryRunContext, *names: str) -> list[dict[str, Any]]:
    return [event["payload"] for event in ctx.events if event["event_type"] in names]


def names(ctx: InMemoryRunContext) -> list[str]:
    return [event["event_type"] for event in ctx.events]


@pytest.fixture
def ctx() -> InMemoryRunContext:
    return InMemoryRunContext()


class Forever:
    """A step function that waits until it is interrupted, and says what happened to it."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.ended = False

    async def __call__(self, ctx, state):
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended = True


async def test_steps_run_in_order_and_share_a_state(ctx: InMemoryRunContext) -> None:
    # Given
    async def fetch(ctx, state):
        state["rows"] = [1, 2]
        return "fetched"

    async def count(ctx, state):
        return len(state["rows"]) + state["base"]

    executor = StepExecutor(ctx)

    # When
    results = await executor.run([Step("fetch", fetch), Step("count", count)], initial_state={"base": 40})

    # Then
    assert results == {"fetch": "fetched", "count": 42}
    assert executor.state is not None
    assert executor.state.custom_state == {"base": 40, "rows": [1, 2]}
    assert executor.state.completed_steps == ["fetch", "count"]


async def test_no_steps_give_no_results(ctx: InMemoryRunContext) -> None:
    assert await StepExecutor(ctx).run([]) == {}


async def test_a_plain_function_is_a_step_too(ctx: InMemoryRunContext) -> None:
    assert await StepExecutor(ctx).run([Step("a", lambda ctx, state: 7)]) == {"a": 7}


async def test_the_events_tell_of_progress(ctx: InMemoryRunContext) -> None:
    steps = [Step(name, returning(1)) for name in "abc"] + [Step("d", returning(1), description="The last one")]

    await StepExecutor(ctx).run(steps)

    assert names(ctx) == ["step.started", "progress.update", "step.completed"] * 4
    assert told(ctx, "step.started")[3] == {
        "step_name": "d",
        "step_index": 3,
        "total_steps": 4,
        "attempt": 1,
        "max_attempts": 1,
        "description": "The last one",
    }
    progress = told(ctx, "progress.update")
    assert [each["progress_percent"] for each in progress] == [0, 25, 50, 75]
    assert [each["description"] for each in progress] == ["Executing a", "Executing b", "Executing c", "The last one"]
    completed = told(ctx, "step.completed")[0]
    assert set(completed) == {"step_name", "step_index", "total_steps", "attempt", "duration_ms"}
    assert completed["duration_ms"] >= 0


async def test_a_step_that_fails_is_tried_again(ctx: InMemoryRunContext) -> None:
    step = Step("a", failing(2, ConnectionError("no network")), retries=2, retry_delay=0)

    assert await StepExecutor(ctx).run([step]) == {"a": "done"}

    assert names(ctx) == [
        *["step.started", "progress.update", "step.retrying"] * 2,
        *["step.started", "progress.update", "step.completed"],
    ]
    assert told(ctx, "step.retrying")[0] == {
        "step_name": "a",
        "step_index": 0,
        "attempt": 1,
        "max_attempts": 3,
        "error": "ConnectionError: no network",
        "retry_delay": 0,
    }
    assert told(ctx, "step.completed")[0]["attempt"] == 3


async def test_a_step_that_fails_for_good_ends_the_execution(ctx: InMemoryRunContext) -> None:
    # Given
    log: list[str] = []
    error = ConnectionError("no network")
    steps = [Step("a", failing(9, error), retries=1, retry_delay=0), Step("b", returning(1, log, "b"))]
    executor = StepExecutor(ctx)

    # When
    with pytest.raises(StepExecutionError) as caught:
        await executor.run(steps)

    # Then
    assert str(caught.value) == "Step 'a' failed after 2 attempts: ConnectionError: no network"
    assert (caught.value.step_name, caught.value.attempts) == ("a", 2)
    assert caught.value.__cause__ is error
    assert log == []
    assert told(ctx, "step.failed") == [
        {
            "step_name": "a",
            "step_index": 0,
            "total_steps": 2,
            "attempts": 2,
            "error": "ConnectionError: no network",
        }
    ]
    (result,) = executor.step_results
    assert (result.status, result.attempts, result.error) == ("failed", 2, "ConnectionError: no network")


async def test_an_attempt_that_takes_too_long_is_interrupted(ctx: InMemoryRunContext) -> None:
    forever = Forever()

    with pytest.raises(StepExecutionError, match=r"Step 'a' failed after 1 attempts: Step timed out after 0\.01s"):
        await StepExecutor(ctx).run([Step("a", forever, timeout=0.01)])

    assert forever.ended


async def test_a_timeout_error_of_the_step_itself_is_told_as_such(ctx: InMemoryRunContext) -> None:
    with pytest.raises(StepExecutionError, match="TimeoutError: the bank"):
        await StepExecutor(ctx).run([Step("a", failing(1, TimeoutError("the bank")), timeout=60)])


async def test_what_an_interrupted_step_raises_does_not_hide_that_it_was_out_of_time(ctx: InMemoryRunContext) -> None:
    async def clumsy(ctx, state):
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("cannot tidy up")

    with pytest.raises(StepExecutionError, match="Step timed out"):
        await StepExecutor(ctx).run([Step("a", clumsy, timeout=0.01)])


async def test_a_workflow_inside_of_a_step_that_is_cancelled_cancels_the_whole(ctx: InMemoryRunContext) -> None:
    async def nested(ctx, state):
        ctx.cancel()
        await StepExecutor(ctx, checkpoint_key="inner").run([Step("inner", returning(1))])

    with pytest.raises(StepCancelledError):
        await StepExecutor(ctx).run([Step("outer", nested, retries=5)])

    assert "step.failed" not in names(ctx)


async def test_work_that_ends_although_it_was_out_of_time_counts(ctx: InMemoryRunContext) -> None:
    async def stubborn(ctx, state):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "booked"

    assert await StepExecutor(ctx).run([Step("a", stubborn, timeout=0.01)]) == {"a": "booked"}


async def test_steps_that_are_done_are_skipped_and_their_results_returned(ctx: InMemoryRunContext) -> None:
    # Given: an execution that failed at its third step
    log: list[str] = []
    steps = [
        Step("a", returning(1, log, "a")),
        Step("b", returning([2], log, "b")),
        Step("c", failing(1, ValueError("x"), 3)),
    ]
    with pytest.raises(StepExecutionError):
        await StepExecutor(ctx).run(steps, initial_state={"n": 1})
    ctx.clear_events()

    # When
    executor = StepExecutor(ctx)
    results = await executor.run(steps, initial_state={"n": 2})

    # Then
    assert results == {"a": 1, "b": [2], "c": 3}
    assert log == ["a", "b"]
    assert executor.state is not None
    assert executor.state.custom_state == {"n": 1}
    assert names(ctx) == ["step.skipped", "step.skipped", "step.started", "progress.update", "step.completed"]
    assert told(ctx, "step.skipped")[1] == {
        "step_name": "b",
        "step_index": 1,
        "total_steps": 3,
        "reason": "already_completed",
    }
    assert [(each.status.value, each.result) for each in executor.step_results] == [
        ("skipped", 1),
        ("skipped", [2]),
        ("completed", 3),
    ]


async def test_an_execution_keeps_its_id_when_it_is_resumed(ctx: InMemoryRunContext) -> None:
    first, second = StepExecutor(ctx), StepExecutor(ctx)
    await first.run([Step("a", returning(1))])

    await second.run([Step("a", returning(1)), Step("b", returning(2))])

    assert first.state is not None
    assert second.state is not None
    assert second.state.execution_id == first.state.execution_id
    assert second.state.started_at == first.state.started_at


async def test_without_resume_everything_runs_again_also_in_the_same_executor(ctx: InMemoryRunContext) -> None:
    log: list[str] = []
    executor = StepExecutor(ctx)
    steps = [Step("a", returning(1, log, "a")), Step("b", returning(2, log, "b"))]

    for _ in range(2):
        assert await executor.run(steps, resume=False) == {"a": 1, "b": 2}

    assert log == ["a", "b", "a", "b"]


async def test_the_same_executor_run_twice_resumes(ctx: InMemoryRunContext) -> None:
    log: list[str] = []
    executor = StepExecutor(ctx)
    steps = [Step("a", returning(1, log, "a"))]

    assert [await executor.run(steps), await executor.run(steps)] == [{"a": 1}, {"a": 1}]

    assert log == ["a"]


async def test_two_steps_of_one_name_are_an_error_before_anything_runs(ctx: InMemoryRunContext) -> None:
    log: list[str] = []

    with pytest.raises(ConfigError, match="more than one is called a"):
        await StepExecutor(ctx).run([Step(name, returning(1, log, name)) for name in "aba"])

    assert (log, ctx.events) == ([], [])


async def test_an_executor_runs_one_execution_at_a_time(ctx: InMemoryRunContext) -> None:
    forever, executor = Forever(), StepExecutor(ctx)
    task = asyncio.create_task(executor.run([Step("a", forever)]))
    await forever.begun.wait()

    with pytest.raises(RuntimeError, match="running already"):
        await executor.run([])

    task.cancel()
    await asyncio.wait({task})
    assert await executor.run([]) == {}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"name": ""}, "name"),
        ({"fn": None}, "fn"),
        ({"retries": -1}, "retries"),
        ({"retry_delay": -0.1}, "retry_delay"),
        ({"retry_delay": float("nan")}, "retry_delay"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_a_step_that_cannot_work_says_so(values: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        Step(**{"name": "a", "fn": returning(1), **values})


def test_an_interval_that_cannot_work_is_refused(ctx: InMemoryRunContext) -> None:
    with pytest.raises(ConfigError, match="cancel_check_interval"):
        StepExecutor(ctx, cancel_check_interval=0)


class TestCheckpoints:
    async def test_the_other_keys_of_the_runs_state_are_kept(self, ctx: InMemoryRunContext) -> None:
        await ctx.checkpoint({"mine": [1]})

        await StepExecutor(ctx, checkpoint_key="flow").run([Step("a", returning(1))])

        state = await ctx.get_state() or {}
        assert set(state) == {"mine", "flow"}
        assert state["mine"] == [1]
        assert UUID(state["flow"]["execution_id"])
        assert (state["flow"]["completed_steps"], state["flow"]["step_results"]) == (["a"], {"a": 1})

    async def test_two_workflows_of_one_run_have_two_keys(self, ctx: InMemoryRunContext) -> None:
        for key, value in (("x", 1), ("y", 2)):
            assert await StepExecutor(ctx, checkpoint_key=key).run([Step("a", returning(value))]) == {"a": value}

    async def test_two_workflows_at_the_same_time_lose_nothing_of_each_other(self, tmp_path: Path) -> None:
        # Given: two workflows on one run, whose files are written on threads
        ctx = FileRunContext(checkpoint_dir=tmp_path)
        steps = [Step(f"s{n}", returning(n)) for n in range(10)]
        keys = ["one", "two", "three"]

        # When
        await asyncio.gather(*(StepExecutor(ctx, checkpoint_key=key).run(steps) for key in keys))

        # Then
        state = await ctx.get_state() or {}
        assert {key: len(state.get(key, {}).get("completed_steps", ())) for key in keys} == dict.fromkeys(keys, 10)

    async def test_a_step_without_checkpoint_is_saved_with_the_next_one_that_has_it(
        self, ctx: InMemoryRunContext
    ) -> None:
        # Given
        saved: list[list[str] | None] = []

        async def look(ctx, state):
            kept = await ctx.get_state()
            saved.append(kept and kept[KEY]["completed_steps"])

        # When
        await StepExecutor(ctx).run(
            [Step("a", returning(1)), Step("b", look, checkpoint=False), Step("c", look), Step("d", look)]
        )

        # Then
        assert saved == [["a"], ["a"], ["a", "b", "c"]]

    async def test_a_checkpoint_is_a_snapshot(self) -> None:
        # Given: a context that keeps what it gets, as it is
        class Keeping(InMemoryRunContext):
            kept: dict[str, Any] | None = None

            async def checkpoint(self, state):
                self.kept = state

            async def get_state(self):
                return self.kept

        ctx = Keeping()

        async def first(ctx, state):
            state["seen"] = ["first"]
            return state["seen"]

        async def second(ctx, state):
            state["seen"].append("second")
            raise ValueError("x")

        # When
        with pytest.raises(StepExecutionError):
            await StepExecutor(ctx).run(
                [Step("first", first), Step("between", returning(1), checkpoint=False), Step("second", second)]
            )

        # Then
        assert ctx.kept is not None
        assert ctx.kept[KEY]["completed_steps"] == ["first"]
        assert ctx.kept[KEY]["step_results"] == {"first": ["first"]}
        assert ctx.kept[KEY]["custom_state"] == {"seen": ["first"]}

    async def test_whoever_is_told_that_a_step_is_done_can_rely_on_its_checkpoint(self) -> None:
        saved = []

        class Watching(InMemoryRunContext):
            async def emit(self, event_type, payload):
                if event_type == "step.completed":
                    saved.append(((await self.get_state()) or {})[KEY]["completed_steps"])

        await StepExecutor(Watching()).run([Step("a", returning(1)), Step("b", returning(1))])

        assert saved == [["a"], ["a", "b"]]

    @pytest.mark.parametrize(
        "saved",
        [
            "nonsense",
            {},
            {**ExecutionState().to_dict(), "execution_id": "no id"},
            {**ExecutionState().to_dict(), "completed_steps": ["a"]},
            {**ExecutionState().to_dict(), "custom_state": []},
            {**ExecutionState().to_dict(), "started_at": 7},
            {**ExecutionState().to_dict(), "current_step_index": "9" * 5000},
        ],
    )
    async def test_a_malformed_execution_begins_anew_and_says_so(
        self, ctx: InMemoryRunContext, saved: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        log: list[str] = []
        await ctx.checkpoint({KEY: saved})

        with caplog.at_level(logging.WARNING):
            await StepExecutor(ctx).run([Step("a", returning(1, log, "a"))])

        assert log == ["a"]
        assert KEY in caplog.text

    async def test_a_run_that_cannot_save_ends_the_execution(self) -> None:
        class Full(InMemoryRunContext):
            async def checkpoint(self, state):
                raise StoreUnavailable("the disk is full")

        ctx = Full()
        with pytest.raises(StoreUnavailable, match="the disk is full"):
            await StepExecutor(ctx).run([Step("a", returning(1))])

        assert told(ctx, "step.completed") == []


class TestValuesThatAreNotJson:
    @pytest.mark.parametrize("value", [object(), {1, 2}, (1, 2), {1: 2}, float("inf"), b"x"])
    @pytest.mark.parametrize("checkpoint", [True, False])
    async def test_a_result_is_reported_at_its_step_and_what_is_done_is_kept(
        self, ctx: InMemoryRunContext, value: Any, checkpoint: bool
    ) -> None:
        # Given
        log: list[str] = []
        steps = [
            Step("a", returning(1)),
            Step("b", returning({"v": value}, log, "b"), retries=3, checkpoint=checkpoint),
            Step("c", returning(1, log, "c")),
        ]

        # When
        with pytest.raises(StepExecutionError, match=r"Step 'b' failed after 1 attempts: TypeError: the result\['v'\]"):
            await StepExecutor(ctx).run(steps)

        # Then: it is not tried again, nothing follows, and what came before is kept
        assert log == ["b"]
        assert ((await ctx.get_state()) or {})[KEY]["completed_steps"] == ["a"]

    @pytest.mark.parametrize("spoilt", ["result", "shared state"])
    @pytest.mark.parametrize("value", [nested(199), 10**5000], ids=["deep", "long"])
    async def test_what_no_file_can_hold_is_reported_at_its_step_too(
        self, tmp_path: Path, value: Any, spoilt: str
    ) -> None:
        async def spoil(ctx, state):
            if spoilt == "result":
                return value
            state["x"] = value

        ctx = FileRunContext(checkpoint_dir=tmp_path)

        with pytest.raises(StepExecutionError, match="Step 'b' failed after 1 attempts: TypeError"):
            await StepExecutor(ctx).run([Step("a", returning(1)), Step("b", spoil)])

        assert ((await ctx.get_state()) or {})[KEY]["completed_steps"] == ["a"]

    async def test_the_shared_state_is_reported_at_the_step_that_spoilt_it(self, ctx: InMemoryRunContext) -> None:
        async def spoil(ctx, state):
            state["when"] = object()

        with pytest.raises(StepExecutionError, match=r"Step 'b' .* the shared state\['when'\] is of type object"):
            await StepExecutor(ctx).run([Step("a", returning(1)), Step("b", spoil, checkpoint=False)])

        assert told(ctx, "step.failed")[0]["step_name"] == "b"

    async def test_an_initial_state_is_refused_before_anything_runs(self, ctx: InMemoryRunContext) -> None:
        with pytest.raises(TypeError, match=r"initial_state\['x'\]"):
            await StepExecutor(ctx).run([Step("a", returning(1))], initial_state={"x": object()})

        assert ctx.events == []

    async def test_the_callers_initial_state_stays_as_it_was(self, ctx: InMemoryRunContext) -> None:
        async def change(ctx, state):
            state["list"].append(1)

        mine: dict[str, Any] = {"list": []}
        await StepExecutor(ctx).run([Step("a", change)], initial_state=mine)

        assert mine == {"list": []}


class TestCancellation:
    async def test_before_a_step_it_is_not_begun(self, ctx: InMemoryRunContext) -> None:
        # Given
        async def cancelling(ctx, state):
            ctx.cancel()
            return 1

        log: list[str] = []
        executor = StepExecutor(ctx)

        # When
        with pytest.raises(StepCancelledError) as caught:
            await executor.run([Step("a", cancelling), Step("b", returning(1, log, "b"))])

        # Then
        assert str(caught.value) == "Execution cancelled during step 'b'"
        assert caught.value.step_name == "b"
        assert log == []
        assert [each.status for each in executor.step_results] == [StepStatus.COMPLETED, StepStatus.CANCELLED]
        assert ((await ctx.get_state()) or {})[KEY]["completed_steps"] == ["a"]

    async def test_a_running_step_is_interrupted(self, ctx: InMemoryRunContext) -> None:
        forever = Forever()
        executor = StepExecutor(ctx, cancel_check_interval=0.001)
        task = asyncio.create_task(executor.run([Step("a", forever, retries=5)]))
        await forever.begun.wait()

        ctx.cancel()

        with pytest.raises(StepCancelledError, match="'a'"):
            await task
        assert forever.ended
        assert names(ctx) == ["step.started", "progress.update"]

    async def test_the_wait_for_another_attempt_is_interrupted(self, ctx: InMemoryRunContext) -> None:
        step = Step("a", failing(9, ValueError("x")), retries=5, retry_delay=10_000)
        waiting = asyncio.Event()
        ctx = InMemoryRunContext(on_event=lambda name, _: waiting.set() if name == "step.retrying" else None)
        task = asyncio.create_task(StepExecutor(ctx, cancel_check_interval=0.001).run([step]))
        await waiting.wait()

        ctx.cancel()

        with pytest.raises(StepCancelledError):
            await task

    async def test_a_step_that_gives_up_because_of_it_is_cancelled_and_not_failed(
        self, ctx: InMemoryRunContext
    ) -> None:
        async def giving_up(ctx, state):
            ctx.cancel()
            raise RuntimeError("I was asked to stop")

        with pytest.raises(StepCancelledError):
            await StepExecutor(ctx).run([Step("a", giving_up)])

        assert told(ctx, "step.failed") == []

    async def test_a_cancelled_task_stays_cancelled_and_its_step_has_ended(self, ctx: InMemoryRunContext) -> None:
        forever = Forever()
        executor = StepExecutor(ctx)
        task = asyncio.create_task(executor.run([Step("a", forever, retries=5)]))
        await forever.begun.wait()

        task.cancel()
        await asyncio.wait({task})

        assert task.cancelled()
        assert forever.ended
        assert executor.step_results[0].status is StepStatus.CANCELLED

    async def test_a_limit_around_the_execution_works(self, ctx: InMemoryRunContext) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await StepExecutor(ctx).run([Step("a", Forever())])

    async def test_a_run_that_is_no_longer_cancelled_goes_on(self, ctx: InMemoryRunContext) -> None:
        ctx.cancel()
        steps = [Step("a", returning(1))]
        with pytest.raises(StepCancelledError):
            await StepExecutor(ctx).run(steps)
        later = InMemoryRunContext(ctx.run_id)

        assert await StepExecutor(later).run(steps) == {"a": 1}


class TestCustomState:
    async def test_it_can_be_updated_while_steps_run(self, ctx: InMemoryRunContext) -> None:
        executor = StepExecutor(ctx)

        async def update(ctx, state):
            executor.update_custom_state({"b": 2})
            return dict(state)

        assert await executor.run([Step("a", update)], initial_state={"a": 1}) == {"a": {"a": 1, "b": 2}}

    def test_it_can_be_updated_in_a_state_that_was_put_there(self, ctx: InMemoryRunContext) -> None:
        executor = StepExecutor(ctx)
        executor._state = ExecutionState(custom_state={"a": 1})

        executor.update_custom_state({"b": 2})

        assert executor.state is not None
        assert executor.state.custom_state == {"a": 1, "b": 2}

    def test_without_an_execution_the_error_says_what_to_do(self, ctx: InMemoryRunContext) -> None:
        with pytest.raises(RuntimeError, match="initial_state"):
            StepExecutor(ctx).update_custom_state({})


def test_an_execution_survives_its_json_form() -> None:
    state = ExecutionState(
        current_step_index=1, completed_steps=["a"], step_results={"a": [1]}, custom_state={"n": {"m": 1}}
    )

    data = state.to_dict()

    assert ExecutionState.from_dict(data) == state
    assert set(data) == {
        "execution_id",
        "current_step_index",
        "completed_steps",
        "step_results",
        "started_at",
        "custom_state",
    }
    assert state.started_at.tzinfo is not None
