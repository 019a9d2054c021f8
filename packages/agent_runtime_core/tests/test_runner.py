"""The runner: how a run ends, what is told on the way, and that it can be stopped."""

from __future__ import annotations

import asyncio
import functools
import logging
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from agent_runtime_core import registry
from agent_runtime_core.config import configure, reset_config
from agent_runtime_core.contexts import FileRunContext, InMemoryRunContext
from agent_runtime_core.errors import ConfigError, StoreUnavailable
from agent_runtime_core.interfaces import AgentRuntime, ErrorInfo, RunContext, RunResult
from agent_runtime_core.runner import AgentRunner, RunnerConfig, RunOutcome, RunStatus
from agent_runtime_core.steps import Step, StepExecutor


class Agent(AgentRuntime):
    """Does what its function says, and remembers what its host has asked of it."""

    key = "agent"

    def __init__(self, work: Any, on_error: Any = None) -> None:
        self.work = work
        self.describe = on_error
        self.cancelled: list[Any] = []
        self.contexts: list[RunContext] = []

    async def run(self, ctx: RunContext) -> RunResult:
        self.contexts.append(ctx)
        return await self.work(ctx)

    async def cancel(self, ctx: RunContext) -> None:
        self.cancelled.append(ctx.run_id)

    async def on_error(self, ctx: RunContext, error: Exception) -> ErrorInfo | None:
        return await super().on_error(ctx, error) if self.describe is None else self.describe(error)


async def answer(ctx: RunContext) -> RunResult:
    return RunResult(final_output={"response": "Hello"}, final_messages=[{"role": "assistant"}], usage={"n": 3})


def failing(times: int, error: Exception | None = None) -> Any:
    left = [times]

    async def work(ctx: RunContext) -> RunResult:
        if left[0]:
            left[0] -= 1
            raise error or ConnectionError("no network")
        return await answer(ctx)

    return work


class Forever:
    """Work that waits until it is interrupted."""

    def __init__(self, on_cancel: Any = None) -> None:
        self.begun = asyncio.Event()
        self.ended = False
        self.on_cancel = on_cancel

    async def __call__(self, ctx: RunContext) -> RunResult:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if self.on_cancel is None:
                raise
        finally:
            self.ended = True
        return self.on_cancel


class Told(list[tuple[str, dict[str, Any]]]):
    """The events of a run, as `on_event` gets them."""

    def __call__(self, name: str, payload: dict[str, Any]) -> None:
        self.append((name, payload))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self]


class Clock:
    """A sleep that remembers how long, and does not wait."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def runner(clock: Clock) -> AgentRunner:
    return AgentRunner(RunnerConfig(), sleep=clock)


async def test_a_run_succeeds(runner: AgentRunner, told: Told) -> None:
    # Given
    agent, run_id, conversation_id = Agent(answer), uuid4(), uuid4()
    given = {
        "messages": [{"role": "user", "content": "Hi"}],
        "params": {"lang": "en"},
        "conversation_id": conversation_id,
    }

    # When
    outcome = await runner.execute(
        agent=agent, run_id=run_id, input_data=given, metadata={"tenant": "acme"}, on_event=told
    )

    # Then
    assert outcome == RunOutcome(
        final_output={"response": "Hello"}, final_messages=[{"role": "assistant"}], usage={"n": 3}, run_id=run_id
    )
    assert isinstance(outcome, RunResult)
    assert (outcome.status, outcome.error, outcome.attempts) == ("succeeded", None, 1)
    (ctx,) = agent.contexts
    assert (ctx.run_id, ctx.conversation_id) == (run_id, conversation_id)
    assert ctx.input_messages == [{"role": "user", "content": "Hi"}]
    assert (ctx.params, ctx.metadata) == ({"lang": "en"}, {"tenant": "acme"})
    assert told == [
        ("run.started", {"agent_key": "agent", "attempt": 1}),
        ("run.succeeded", {"final_output": {"response": "Hello"}, "usage": {"n": 3}}),
    ]


async def test_a_run_needs_no_more_than_an_agent(runner: AgentRunner) -> None:
    outcome = await runner.execute(Agent(answer))

    assert isinstance(outcome.run_id, UUID)
    assert outcome.status is RunStatus.SUCCEEDED


async def test_an_agent_of_the_right_shape_is_an_agent(runner: AgentRunner, told: Told) -> None:
    class Shaped:
        key = "shaped"

        async def run(self, ctx: RunContext) -> RunResult:
            raise ValueError("x")

    outcome = await AgentRunner(RunnerConfig(max_retries=0)).execute(Shaped(), on_event=told)

    assert told.names == ["run.started", "run.failed"]
    assert outcome.error is not None
    assert outcome.error.stack.endswith("ValueError: x\n")


async def test_a_registered_agent_is_found_by_its_key(runner: AgentRunner) -> None:
    registry.register_runtime(Agent(answer), "greeter")
    try:
        assert (await runner.execute("greeter")).status == "succeeded"
        with pytest.raises(KeyError, match=r"nobody.*greeter"):
            await runner.execute("nobody")
    finally:
        registry.clear_registry()


@pytest.mark.parametrize("agent", [None, object(), Agent])
async def test_what_is_no_agent_is_refused(runner: AgentRunner, agent: Any) -> None:
    with pytest.raises(TypeError, match="cannot run"):
        await runner.execute(agent)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("Hi", "str"),
        ({"message": "Hi"}, "message"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages"),
        ({"params": [1]}, "params"),
    ],
)
async def test_input_of_another_shape_is_refused_before_anything_runs(
    runner: AgentRunner, told: Told, given: Any, named: str
) -> None:
    with pytest.raises(TypeError, match=named):
        await runner.execute(Agent(answer), input_data=given, on_event=told)

    assert told == []


class TestRetries:
    async def test_a_run_that_fails_is_tried_again_after_longer_and_longer_waits(
        self, runner: AgentRunner, told: Told, clock: Clock
    ) -> None:
        agent = Agent(failing(3))

        outcome = await runner.execute(agent, on_event=told)

        assert (outcome.status, outcome.attempts, outcome.error) == ("succeeded", 4, None)
        assert clock.waits == [2, 4, 8]
        assert told.names == ["run.started"] * 4 + ["run.succeeded"]
        assert [payload["attempt"] for name, payload in told if name == "run.started"] == [1, 2, 3, 4]

    async def test_after_the_last_attempt_the_run_has_failed(
        self, runner: AgentRunner, told: Told, clock: Clock
    ) -> None:
        error = ConnectionError("no network")

        outcome = await runner.execute(Agent(failing(99, error)), on_event=told)

        assert (outcome.status, outcome.attempts) == ("failed", 4)
        assert outcome.error == ErrorInfo(type="ConnectionError", message="no network")
        assert outcome.exception is error
        assert told.names == ["run.started"] * 4 + ["run.failed"]
        assert told[-1][1] == {
            "type": "ConnectionError",
            "message": "no network",
            "stack": "",
            "retriable": True,
            "details": {},
        }

    async def test_the_wait_has_an_upper_limit(self, clock: Clock) -> None:
        config = RunnerConfig(max_retries=4, retry_backoff_base=10, retry_backoff_max=250)

        await AgentRunner(config, sleep=clock).execute(Agent(failing(4)))

        assert clock.waits == [10, 100, 250, 250]
        assert RunnerConfig(retry_backoff_base=10.5, retry_backoff_max=7).delay_after(10_000) == 7

    async def test_an_error_that_the_agent_calls_final_is_not_tried_again(
        self, runner: AgentRunner, told: Told, clock: Clock
    ) -> None:
        info = ErrorInfo(type="Refused", message="no", retriable=False, details={"code": 7})

        outcome = await runner.execute(Agent(failing(9), on_error=lambda error: info), on_event=told)

        assert (outcome.status, outcome.error, clock.waits) == ("failed", info, [])
        assert told[-1][1]["details"] == {"code": 7}

    @pytest.mark.parametrize("describe", [lambda error: None, lambda error: 1 / 0])
    async def test_without_a_description_the_error_speaks_for_itself(self, told: Told, describe: Any) -> None:
        runner = AgentRunner(RunnerConfig(max_retries=0))

        outcome = await runner.execute(Agent(failing(1), on_error=describe), on_event=told)

        assert outcome.error is not None
        assert (outcome.error.type, outcome.error.message) == ("ConnectionError", "no network")
        assert outcome.error.stack.startswith("Traceback")

    async def test_what_is_no_result_is_a_failure_that_is_not_repeated(self, runner: AgentRunner, clock: Clock) -> None:
        async def text(ctx: RunContext) -> Any:
            return "Hello"

        outcome = await runner.execute(Agent(text))

        assert (outcome.status, clock.waits) == ("failed", [])
        assert outcome.error is not None
        assert "'agent' returned a str" in outcome.error.message

    async def test_a_workflow_does_not_repeat_what_an_earlier_attempt_has_done(
        self, runner: AgentRunner, tmp_path: Path, clock: Clock
    ) -> None:
        # Given: an agent whose workflow fails at its second step, twice
        log: list[str] = []

        async def first(ctx, state):
            log.append("first")
            return 1

        async def second(ctx, state):
            log.append("second")
            if log.count("second") < 3:
                raise ConnectionError("no network")
            return 2

        async def work(ctx: RunContext) -> RunResult:
            return RunResult(final_output=await StepExecutor(ctx).run([Step("first", first), Step("second", second)]))

        # When
        in_memory = await runner.execute(Agent(work))
        attempts, log[:] = list(log), []
        in_files = AgentRunner(
            RunnerConfig(max_retries=0), make_context=functools.partial(FileRunContext, checkpoint_dir=tmp_path)
        )
        statuses = [(await in_files.execute(Agent(work), "order-42")).status.value for _ in range(3)]

        # Then: neither within a run, nor over several runs of one id
        assert in_memory.final_output == {"first": 1, "second": 2}
        assert attempts == log == ["first", "second", "second", "second"]
        assert statuses == ["failed", "failed", "succeeded"]

    async def test_a_plain_run_method_is_run_once(self, runner: AgentRunner, clock: Clock) -> None:
        class Plain:
            key = "plain"

            def run(self, ctx: RunContext) -> RunResult:
                return RunResult(final_output={"response": "Hello"})

        outcome = await runner.execute(Plain())

        assert (outcome.status, outcome.final_output, clock.waits) == ("succeeded", {"response": "Hello"}, [])


class TestTimeouts:
    @pytest.mark.parametrize("hook", ["on_error", "cancel"])
    async def test_a_hook_of_the_agent_has_the_same_time_as_the_agent(self, told: Told, hook: str) -> None:
        class Stuck(Agent):
            async def on_error(self, ctx: RunContext, error: Exception) -> ErrorInfo | None:
                if hook == "on_error":
                    await asyncio.Event().wait()
                return await super().on_error(ctx, error)

            async def cancel(self, ctx: RunContext) -> None:
                await asyncio.Event().wait()

        async def work(ctx: Any) -> RunResult:
            if hook == "cancel":
                ctx.cancel()
            raise ConnectionError("no network")

        outcome = await AgentRunner(RunnerConfig(run_timeout_seconds=0.01, max_retries=0)).execute(
            Stuck(work), on_event=told
        )

        ending = "failed" if hook == "on_error" else "cancelled"
        assert (outcome.status, told.names) == (ending, ["run.started", f"run.{ending}"])
        assert outcome.error is not None
        assert hook == "cancel" or outcome.error.message == "no network"

    async def test_a_run_that_takes_too_long_is_interrupted_and_not_tried_again(self, told: Told) -> None:
        forever = Forever()

        outcome = await AgentRunner(RunnerConfig(run_timeout_seconds=0.01)).execute(Agent(forever), on_event=told)

        assert (outcome.status, outcome.attempts) == ("timed_out", 1)
        assert outcome.error is not None
        assert "0.01 s" in outcome.error.message
        assert forever.ended
        assert told == [
            ("run.started", {"agent_key": "agent", "attempt": 1}),
            ("run.timed_out", {"timeout_seconds": 0.01}),
        ]

    async def test_a_timeout_of_the_agents_own_is_a_failure(self, told: Told) -> None:
        runner = AgentRunner(RunnerConfig(max_retries=0))

        outcome = await runner.execute(Agent(failing(1, TimeoutError("the bank"))), on_event=told)

        assert (outcome.status, told.names) == ("failed", ["run.started", "run.failed"])


class TestCancellation:
    async def test_a_run_that_is_on_is_interrupted(self, runner: AgentRunner, told: Told) -> None:
        # Given
        forever, run_id = Forever(), uuid4()
        agent = Agent(forever)
        task = asyncio.create_task(runner.execute(agent, run_id, on_event=told))
        await forever.begun.wait()
        assert runner.running() == [str(run_id)]

        # When
        found = runner.cancel(str(run_id))
        outcome = await task

        # Then
        assert (found, outcome.status, forever.ended) == (True, "cancelled", True)
        assert outcome.error is not None
        assert agent.cancelled == [run_id]
        assert agent.contexts[0].cancelled()
        assert told == [("run.started", {"agent_key": "agent", "attempt": 1}), ("run.cancelled", {})]
        assert (runner.running(), runner.cancel(run_id)) == ([], False)

    async def test_the_wait_before_another_attempt_is_interrupted(self, told: Told) -> None:
        waiting = asyncio.Event()

        async def for_ever(seconds: float) -> None:
            waiting.set()
            await asyncio.Event().wait()

        runner = AgentRunner(RunnerConfig(), sleep=for_ever)
        task = asyncio.create_task(runner.execute(Agent(failing(9)), "run", on_event=told))
        await waiting.wait()

        runner.cancel("run")

        assert (await task).status == "cancelled"
        assert told.names == ["run.started", "run.cancelled"]

    async def test_a_run_that_is_cancelled_at_its_first_event_is_not_begun(self, runner: AgentRunner) -> None:
        agent = Agent(answer)

        outcome = await runner.execute(agent, "run", on_event=lambda name, payload: runner.cancel("run"))

        assert (outcome.status, agent.contexts, agent.cancelled) == ("cancelled", [], ["run"])

    async def test_a_run_whose_own_work_was_cancelled_is_cancelled(self, runner: AgentRunner, told: Told) -> None:
        async def work(ctx: RunContext) -> RunResult:
            inner = asyncio.create_task(asyncio.Event().wait())
            inner.cancel()
            await inner
            return RunResult()

        outcome = await runner.execute(Agent(work), on_event=told)

        assert (outcome.status, told.names) == ("cancelled", ["run.started", "run.cancelled"])

    async def test_what_an_agent_returns_when_it_is_interrupted_is_kept(self, runner: AgentRunner) -> None:
        forever = Forever(on_cancel=RunResult(final_output={"response": "half of it"}))
        task = asyncio.create_task(runner.execute(Agent(forever), "run"))
        await forever.begun.wait()

        runner.cancel("run")

        outcome = await task
        assert (outcome.status, outcome.final_output) == ("cancelled", {"response": "half of it"})

    async def test_a_workflow_that_notices_first_is_a_cancelled_run(self, runner: AgentRunner, told: Told) -> None:
        async def work(ctx: Any) -> RunResult:
            ctx.cancel()
            await StepExecutor(ctx).run([Step("a", lambda ctx, state: 1)])
            return RunResult()

        outcome = await runner.execute(Agent(work), on_event=told)

        assert (outcome.status, told.names) == ("cancelled", ["run.started", "run.cancelled"])

    async def test_a_cancelled_caller_ends_the_run_and_stays_cancelled(self, runner: AgentRunner, told: Told) -> None:
        forever = Forever()
        agent = Agent(forever)
        task = asyncio.create_task(runner.execute(agent, "run", on_event=told))
        await forever.begun.wait()

        task.cancel()
        await asyncio.wait({task})

        assert task.cancelled()
        assert (forever.ended, agent.cancelled, runner.running()) == (True, ["run"], [])
        assert told.names == ["run.started", "run.cancelled"]

    async def test_a_run_is_cancelled_while_its_error_is_described(self, runner: AgentRunner, told: Told) -> None:
        # Given
        asked = asyncio.Event()

        class Pondering(Agent):
            async def on_error(self, ctx: RunContext, error: Exception) -> ErrorInfo | None:
                asked.set()
                await asyncio.Event().wait()
                return None

        agent = Pondering(failing(9))
        task = asyncio.create_task(runner.execute(agent, "run", on_event=told))
        await asked.wait()

        # When
        runner.cancel("run")
        outcome = await task

        # Then
        assert (outcome.status, agent.cancelled) == ("cancelled", ["run"])
        assert told.names == ["run.started", "run.cancelled"]

    @pytest.mark.parametrize("ending", ["succeeded", "failed", "cancelled"])
    async def test_a_run_ends_once_also_when_the_caller_leaves_while_its_end_is_told(self, ending: str) -> None:
        # Given: a context that takes its time for the last event
        telling = asyncio.Event()
        names: list[str] = []

        class Slow(InMemoryRunContext):
            async def emit(self, event_type: Any, payload: dict[str, Any]) -> None:
                names.append(event_type.value)
                if len(names) > 1:
                    telling.set()
                    await asyncio.Event().wait()

        async def work(ctx: Any) -> RunResult:
            if ending == "cancelled":
                ctx.cancel()
            if ending == "failed":
                raise ConnectionError("no network")
            return RunResult()

        agent = Agent(work)
        task = asyncio.create_task(AgentRunner(RunnerConfig(max_retries=0), make_context=Slow).execute(agent, "run"))
        await telling.wait()

        # When
        task.cancel()
        await asyncio.wait({task})

        # Then
        assert task.cancelled()
        assert names == ["run.started", f"run.{ending}"]
        assert agent.cancelled == (["run"] if ending == "cancelled" else [])

    async def test_a_caller_who_leaves_during_the_clean_up_is_told_the_end(
        self, runner: AgentRunner, told: Told
    ) -> None:
        # Given
        cleaning = asyncio.Event()
        times: list[int] = []

        class Tidy(Agent):
            async def cancel(self, ctx: RunContext) -> None:
                times.append(1)
                cleaning.set()
                await asyncio.Event().wait()

        forever = Forever()
        task = asyncio.create_task(runner.execute(Tidy(forever), "run", on_event=told))
        await forever.begun.wait()
        runner.cancel("run")
        await cleaning.wait()

        # When
        task.cancel()
        await asyncio.wait({task})

        # Then
        assert (task.cancelled(), times) == (True, [1])
        assert told.names == ["run.started", "run.cancelled"]

    async def test_an_agent_that_cleans_up_badly_does_not_hide_it(
        self, runner: AgentRunner, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Clumsy(Agent):
            async def cancel(self, ctx: RunContext) -> None:
                raise ValueError("private words")

        forever = Forever()
        task = asyncio.create_task(runner.execute(Clumsy(forever), "run"))
        await forever.begun.wait()

        with caplog.at_level(logging.INFO):
            runner.cancel("run")
            outcome = await task

        assert outcome.status == "cancelled"
        assert "cancel() failed with ValueError" in caplog.text
        assert "private words" not in caplog.text

    async def test_one_run_is_cancelled_and_the_others_go_on(self, runner: AgentRunner) -> None:
        works = [Forever(on_cancel=RunResult()) for _ in range(3)]
        tasks = [asyncio.create_task(runner.execute(Agent(work), f"run {n}")) for n, work in enumerate(works)]
        for work in works:
            await work.begun.wait()

        runner.cancel("run 1")
        await tasks[1]

        assert [task.done() for task in tasks] == [False, True, False]
        assert runner.running() == ["run 0", "run 2"]
        runner.cancel("run 0")
        runner.cancel("run 2")
        await asyncio.gather(*tasks)


async def test_a_run_that_cannot_be_told_about_has_its_outcome(caplog: pytest.LogCaptureFixture) -> None:
    # Given
    class Full(InMemoryRunContext):
        async def emit(self, event_type: Any, payload: dict[str, Any]) -> None:
            raise StoreUnavailable("the disk is full")

    # When
    with caplog.at_level(logging.WARNING):
        outcome = await AgentRunner(RunnerConfig(), make_context=Full).execute(Agent(answer), "run")

    # Then
    assert (outcome.status, outcome.final_output) == ("succeeded", {"response": "Hello"})
    assert "run run: run.succeeded could not be told with StoreUnavailable" in caplog.text


async def test_what_ends_a_process_is_no_failure_of_a_run(runner: AgentRunner) -> None:
    class Crash(BaseException):
        pass

    async def work(ctx: RunContext) -> RunResult:
        raise Crash

    with pytest.raises(Crash):
        await runner.execute(Agent(work), "run")

    assert runner.running() == []


async def test_a_run_that_is_on_cannot_begin_again(runner: AgentRunner) -> None:
    forever = Forever()
    task = asyncio.create_task(runner.execute(Agent(forever), "run"))
    await forever.begun.wait()

    with pytest.raises(ValueError, match="the run run is on already"):
        await runner.execute(Agent(answer), "run")

    runner.cancel("run")
    await task
    assert (await runner.execute(Agent(answer), "run")).status == "succeeded"


async def test_a_long_run_tells_that_it_is_alive_and_stops_telling_when_it_ends(told: Told) -> None:
    async def until_two_heartbeats(ctx: RunContext) -> RunResult:
        while told.names.count("run.heartbeat") < 2:  # noqa: ASYNC110 - the runner's own clock is what is tested
            await asyncio.sleep(0.001)
        return RunResult()

    runner = AgentRunner(RunnerConfig(heartbeat_interval_seconds=0.001))

    await runner.execute(Agent(until_two_heartbeats), on_event=told)

    assert set(told.names[1:-1]) == {"run.heartbeat"}
    assert (told.names[0], told.names[-1]) == ("run.started", "run.succeeded")
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert set(told[1][1]) == {"timestamp"}


@pytest.mark.parametrize(("interval", "lease", "between"), [(30, 60, 30), (10, 60, 10), (90, 60, 30)])
def test_heartbeats_come_at_least_twice_in_a_lease(interval: float, lease: float, between: float) -> None:
    config = RunnerConfig(heartbeat_interval_seconds=interval, lease_ttl_seconds=lease)

    assert config.seconds_between_heartbeats == between


async def test_a_short_lease_makes_heartbeats_come_sooner(told: Told) -> None:
    async def until_a_heartbeat(ctx: RunContext) -> RunResult:
        while "run.heartbeat" not in told.names:  # noqa: ASYNC110 - the runner's own clock is what is tested
            await asyncio.sleep(0.001)
        return RunResult()

    outcome = await AgentRunner(RunnerConfig(lease_ttl_seconds=0.002)).execute(Agent(until_a_heartbeat), on_event=told)

    assert outcome.status == "succeeded"


def test_without_a_configuration_the_applications_holds() -> None:
    configure(run_timeout_seconds=7, max_retries=1)
    try:
        config = AgentRunner().config
    finally:
        reset_config()

    assert (config.run_timeout_seconds, config.max_retries, config.worker_id) == (7, 1, "worker-1")


@pytest.mark.parametrize(
    "values", [{"run_timeout_seconds": 0}, {"max_retries": -1}, {"heartbeat_interval_seconds": float("nan")}]
)
def test_a_configuration_that_cannot_work_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(values))):
        RunnerConfig(**values)
