"""After a crash anywhere a workflow repeats what was not saved, and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agent_runtime_core.contexts import InMemoryRunContext
from agent_runtime_core.steps import Step, StepExecutor

PROGRAM = Path(__file__).with_name("workflow_process.py")
STEPS = 4


def run_process(directory: Path, place: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PROGRAM), str(directory), place], capture_output=True, text=True, check=False
    )


@pytest.mark.allow_blocking(reason="it waits for processes, in no event loop")
@pytest.mark.parametrize(
    ("place", "done"),
    [
        ("0:before", "0123"),
        ("0:after", "00123"),
        ("2:before", "0123"),
        ("2:after", "012" + "23"),
        ("2:saved", "0123"),
        ("3:saved", "0123"),
    ],
)
def test_a_killed_process_is_taken_up_where_its_last_checkpoint_was(tmp_path: Path, place: str, done: str) -> None:
    # Given: a process that was killed with SIGKILL
    killed = run_process(tmp_path, place)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    # When: another one runs the same workflow
    finished = run_process(tmp_path, "none")

    # Then
    assert finished.stdout == "[0, 1, 4, 9] [0, 1, 2, 3]\n", finished.stderr
    assert (tmp_path / "done.txt").read_text().replace("\n", "") == done
    assert [name for name in os.listdir(tmp_path) if name.endswith(".tmp")] == []


class Crash(BaseException):
    """The process is gone: nobody catches it, nothing is cleaned up."""


class Crashing(InMemoryRunContext):
    """A run whose process dies before or after its n-th checkpoint."""

    dies_before: int | None = None
    dies_after: int | None = None
    checkpoints = 0

    async def checkpoint(self, state: dict[str, Any]) -> None:
        self.checkpoints += 1
        if self.checkpoints == self.dies_before:
            raise Crash
        await super().checkpoint(state)
        if self.checkpoints == self.dies_after:
            raise Crash


class Workflow:
    """A workflow over one run: what each execution began, and what was saved of it."""

    def __init__(self, checkpoints: list[bool]) -> None:
        self.ctx = Crashing()
        self.checkpoints = checkpoints
        self.begun: list[int] = []
        self.fails_at: int | None = None

    def steps(self) -> list[Step]:
        return [Step(f"s{n}", self._work(n), checkpoint=checkpoint) for n, checkpoint in enumerate(self.checkpoints)]

    def _work(self, n: int) -> Any:
        async def work(ctx: Any, state: dict[str, Any]) -> dict[str, Any]:
            self.begun.append(n)
            state[f"s{n}"] = n
            if n == self.fails_at:
                raise Crash
            return {"sum": sum(state.values())}

        return work

    def execute(self, *, resume: bool = True) -> dict[str, Any] | None:
        """The results, or None when the process has died."""
        self.begun.clear()
        self.ctx.checkpoints = 0
        return drive(StepExecutor(self.ctx).run(self.steps(), resume=resume))

    @property
    def saved(self) -> int:
        """How many steps the last checkpoint has as done."""
        state = self.ctx._state or {}
        return len(state.get("_step_executor_state", {}).get("completed_steps", []))


def drive(execution: Any) -> Any:
    """What a process comes to that does nothing else; None when it dies."""

    async def guarded() -> Any:
        try:
            return await execution
        except Crash:
            return None

    return asyncio.run(guarded())


@settings(max_examples=60)
@given(
    checkpoints=st.lists(st.booleans(), min_size=1, max_size=6),
    crashes=st.lists(st.tuples(st.sampled_from(["step", "before", "after"]), st.integers(0, 6)), max_size=4),
)
def test_however_often_it_crashes_the_results_are_those_of_one_execution(
    checkpoints: list[bool], crashes: list[tuple[str, int]]
) -> None:
    # Given: what an execution without a crash comes to
    expected = Workflow(checkpoints).execute()
    workflow = Workflow(checkpoints)

    for kind, n in crashes:
        # When: a crash in a step, or around a checkpoint
        saved = workflow.saved
        workflow.fails_at = n if kind == "step" else None
        workflow.ctx.dies_before = n if kind == "before" else None
        workflow.ctx.dies_after = n if kind == "after" else None
        workflow.execute()
        note(f"{kind} {n}: began {workflow.begun}")

        # Then: what was saved is not begun again, what is begun is what follows
        assert workflow.begun == list(range(saved, saved + len(workflow.begun)))

    workflow.fails_at = workflow.ctx.dies_before = workflow.ctx.dies_after = None
    saved = workflow.saved
    assert workflow.execute() == expected
    assert workflow.begun == list(range(saved, len(checkpoints)))


class ExecutorMachine(RuleBasedStateMachine):
    """A run over its life: executions that crash, go on, begin anew; a host that keeps notes of its own beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.workflow = Workflow([True, False, True, True, False])
        self.notes = 0

    @rule(n=st.integers(0, 4))
    def crash_in_a_step(self, n: int) -> None:
        saved = self.workflow.saved
        self.workflow.fails_at = n
        results = self.workflow.execute()
        self.workflow.fails_at = None
        assert (results is None) == (n >= saved)
        assert self.workflow.begun == list(range(saved, n + 1 if n >= saved else 5))

    @rule()
    def finish(self) -> None:
        saved = self.workflow.saved
        assert self.workflow.execute() == {f"s{n}": {"sum": sum(range(n + 1))} for n in range(5)}
        assert self.workflow.begun == list(range(saved, 5))

    @precondition(lambda self: self.workflow.saved > 0)
    @rule()
    def begin_anew(self) -> None:
        self.workflow.execute(resume=False)
        assert self.workflow.begun == [0, 1, 2, 3, 4]

    @rule()
    def the_host_keeps_a_note(self) -> None:
        async def keep() -> None:
            self.notes += 1
            state = await self.workflow.ctx.get_state() or {}
            await self.workflow.ctx.checkpoint({**state, "notes": self.notes})

        drive(keep())

    @invariant()
    def the_hosts_notes_are_there(self) -> None:
        assert (self.workflow.ctx._state or {}).get("notes", 0) == self.notes


TestExecutorMachine = ExecutorMachine.TestCase
TestExecutorMachine.settings = settings(max_examples=30, stateful_step_count=12)
