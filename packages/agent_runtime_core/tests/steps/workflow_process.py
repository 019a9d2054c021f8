"""A process that runs a workflow in files, writes down what it does, and kills itself where it is told to.

    python workflow_process.py DIRECTORY PLACE

PLACE is `N:before` or `N:after` (step N, before or after its work), `N:saved` (its checkpoint is written), or `none`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from agent_runtime_core.contexts import FileRunContext
from agent_runtime_core.steps import Step, StepExecutor

STEPS = 4


def main(directory: Path, place: str) -> None:
    def die_at(here: str) -> None:
        if here == place:
            os.kill(os.getpid(), signal.SIGKILL)

    def numbered(n: int) -> Step:
        async def work(ctx: Any, state: dict[str, Any]) -> int:
            die_at(f"{n}:before")
            state["seen"] = [*state.get("seen", []), n]
            await asyncio.to_thread(write_down, directory, str(n))
            die_at(f"{n}:after")
            return n * n

        return Step(f"step {n}", work)

    def listen(name: str, payload: dict[str, Any]) -> None:
        if name == "step.completed":
            die_at(f"{payload['step_index']}:saved")

    ctx = FileRunContext("run", checkpoint_dir=directory, on_event=listen)
    executor = StepExecutor(ctx)
    results = asyncio.run(executor.run([numbered(n) for n in range(STEPS)]))
    assert executor.state is not None
    print(list(results.values()), executor.state.custom_state["seen"])


def write_down(directory: Path, line: str) -> None:
    with (directory / "done.txt").open("a") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
