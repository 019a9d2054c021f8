"""CPU of making a journey's class and its graph: `python benchmarks/bench_declaration.py [rounds]`."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from types import new_class
from typing import Any

from agent_runtime_framework import BaseJourneyState, BaseJourneyTools, JourneyAgent, tool

ROUNDS = 40


def steps_class(count: int) -> Any:
    """An enum of that many steps."""
    return Enum("Step", {f"S{number}": f"s{number}" for number in range(count)}, type=str)


def journey(step_class: Any) -> type[JourneyAgent[Any, Any, Any]]:
    """A journey with one tool for each step but the last, each leading to the next step."""
    steps = list(step_class)

    @dataclass
    class State(BaseJourneyState[Any]):
        step: Any = steps[0]
        name: str = ""

        def is_complete(self) -> bool:
            """At the last step."""
            return self.step is steps[-1]

        def to_dict(self) -> dict[str, Any]:
            """Both fields."""
            return {"step": self.step.value, "name": self.name}

        @classmethod
        def from_dict(cls, data: dict[str, Any]) -> State:
            """Both fields."""
            return cls(step_class(data["step"]), data["name"])

    def method(number: int) -> Any:
        async def save(self: Any, name: str, times: int = 1) -> str:
            """Save the name.

            Args:
                self: Of which the model hears nothing.
                name: The name.
                times: How often.
            """
            return name * times

        save.__name__ = f"save_{number}"
        return tool(step=steps[number], to=steps[number + 1])(save)

    body = {f"save_{number}": method(number) for number in range(len(steps) - 1)}
    tools_class: Any = new_class("Tools", (BaseJourneyTools,), exec_body=lambda names: names.update(body))

    class Agent(JourneyAgent[State, tools_class, step_class]):
        key = "agent"
        prompts = dict.fromkeys(steps, "Ask for the name.")  # as users write it

    return Agent


def timed(work: Callable[[], object], rounds: int) -> list[float]:
    """CPU milliseconds of each round."""
    work()
    times: list[float] = []
    gc.collect()
    for _ in range(rounds):
        start = time.process_time_ns()
        work()
        times.append((time.process_time_ns() - start) / 1e6)
    return times


def main(rounds: int) -> None:
    """Print a line for each number of steps."""
    print("CPU ms, median (minimum); class: state, tools and agent; SVG: layout and text")
    print(f"{'steps':>5}  {'class':>15}  {'graph':>15}  {'class + graph':>15}  {'Mermaid':>15}  {'SVG':>15}")
    for count in (5, 50, 200):
        step_class = steps_class(count)
        agent = journey(step_class)
        graph = agent.graph()
        assert len(graph.moves) == count - 1
        columns = [
            timed(lambda step_class=step_class: journey(step_class), rounds),  # type: ignore[misc]
            timed(agent.graph, rounds),
            timed(lambda step_class=step_class: journey(step_class).graph(), rounds),  # type: ignore[misc]
            timed(graph.to_mermaid, rounds),
            timed(graph.to_svg, rounds),
        ]
        cells = (f"{f'{statistics.median(times):.2f} ({min(times):.2f})':>15}" for times in columns)
        print(f"{count:>5}  {'  '.join(cells)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
