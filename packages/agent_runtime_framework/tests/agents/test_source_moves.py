"""Moves found in the source of tools."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_framework import BaseJourneyState, BaseJourneyTools, tool
from agent_runtime_framework.agents.source_moves import SourceMoves, moves_in_source, state_class_of


class Step(str, Enum):
    A = "a"
    B = "b"
    C = "c"
    D = "d"


class Other(str, Enum):
    A = "a"


S = Step
LAST = Step.D
NEXT = {Step.A: Step.B, Step.B: Step.C}


@dataclass
class State(BaseJourneyState[Step]):
    step: Step = Step.A
    name: str = ""

    def is_complete(self) -> bool:
        return self.step is Step.D

    def to_dict(self) -> dict[str, Any]:
        return {"step": self.step.value}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        return cls(Step(data["step"]))

    def finish(self) -> None:
        self.step = Step.D


def to_c(state: State) -> None:
    state.step = Step.C


def choose(far: bool) -> Step:
    if far:
        return Step.D
    return Step.B


def harmless(name: str) -> str:
    return name.upper()


class Base(BaseJourneyTools[State]):
    async def inherited(self) -> None:
        self.state.step = Step.B


class Tools(Base):
    FIRST = Step.A
    step = Step.A

    async def assigns(self) -> None:
        self.state.step = Step.B

    async def stays(self) -> str:
        self.state.name = harmless("x")
        self.step = Step.B  # of the tools, not of the state
        return str(self.state.step is Step.C)

    async def sets(self) -> None:
        self.state.set_step(Step.C)

    async def sets_by_name(self) -> None:
        self.state.set_step(step=Step.C)

    async def sets_the_attribute(self) -> None:
        setattr(self.state, "step", Step.C)  # noqa: B010  # this is what is read

    async def chooses(self, far: bool) -> None:
        self.state.step = Step.D if far else Step.B

    async def branches(self, far: bool) -> str:
        if far:
            self.state.step = Step.D
            return "far"
        self.state.step = Step.B
        return "near"

    async def short_circuits(self, step: None = None) -> None:
        self.state.step = step or Step.C

    async def through_an_alias_of_the_enum(self) -> None:
        self.state.step = S.B

    async def through_a_local_alias(self) -> None:
        steps = Step
        self.state.step = steps.B

    async def through_a_constant(self) -> None:
        self.state.step = LAST

    async def through_the_class(self) -> None:
        self.state.step = self.FIRST

    async def through_a_local_name(self, far: bool) -> None:
        target = Step.B
        if far:
            target = Step.C
        self.state.step = target

    async def through_another_name_of_the_state(self) -> None:
        state = self.state
        state.step = Step.B

    async def among_others(self) -> None:
        self.state.name, self.state.step = "x", Step.C

    async def in_a_chain(self) -> None:
        before = self.state.step = Step.C
        assert before

    async def in_a_match(self, where: str) -> None:
        match where:
            case "b":
                self.state.step = Step.B
            case _:
                self.state.step = Step.C

    async def by_value(self) -> None:
        self.state.step = Step("c")

    async def by_member_name(self) -> None:
        self.state.step = Step["D"]

    async def through_a_table(self) -> None:
        self.state.step = NEXT[self.state.step]

    async def through_a_table_with_a_default(self, where: str) -> None:
        self.state.step = {"b": Step.B}.get(where, Step.D)

    async def through_a_helper(self) -> str:
        return self._go_to_c()

    async def through_an_async_helper(self) -> None:
        await self._go(Step.D)

    async def through_a_helper_with_a_keyword(self, far: bool) -> None:
        await self._go(where=Step.D if far else Step.B)

    async def through_a_default(self) -> None:
        await self._go()

    async def through_a_static_helper(self) -> None:
        self._static(self.state)

    async def through_a_function(self) -> None:
        to_c(self.state)

    async def through_the_state(self) -> None:
        self.state.finish()

    async def inherited(self) -> None:
        await super().inherited()

    async def through_a_function_that_chooses(self, far: bool) -> None:
        self.state.step = choose(far)

    async def through_a_method_that_chooses(self) -> None:
        self.state.step = await self._target(Step.C)

    async def through_a_method_that_gives_the_state(self) -> None:
        self._live().step = Step.C

    async def through_a_method_that_gives_nothing_known(self) -> None:
        self.state.step = self._parsed("c")

    async def calls_itself(self) -> None:
        await self.calls_itself()
        self.state.step = Step.B

    async def in_a_loop(self) -> None:
        for step in (Step.B, Step.C):
            self.state.step = step

    async def _target(self, step: Step) -> Step:
        return Step.D if self.state.name else step

    def _live(self) -> State:
        return self.state

    def _parsed(self, text: str) -> Step:
        return Step(text.strip())

    def _go_to_c(self) -> str:
        self.state.step = Step.C
        return "c"

    async def _go(self, where: Step = Step.A) -> None:
        self.state.step = where

    @staticmethod
    def _static(state: State) -> None:
        state.step = Step.B

    async def by_argument(self, where: str) -> None:
        self.state.step = Step(where)

    async def partly_by_argument(self, where: str) -> None:
        self.state.step = Step(where) if where else Step.B

    async def by_an_unknown_function(self) -> None:
        self.state.step = max(Step)

    async def to_another_enum(self) -> None:
        self.state.step = Other.A  # type: ignore[assignment]

    @tool(step=Step.A, to=Step.B)
    async def declared(self) -> None:
        """Move."""
        self.state.step = Step.B


def moves_of(name: str) -> SourceMoves:
    return moves_in_source(getattr(Tools, name), Tools, Step)


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("assigns", [Step.B]),
        ("stays", []),
        ("sets", [Step.C]),
        ("sets_by_name", [Step.C]),
        ("sets_the_attribute", [Step.C]),
        ("chooses", [Step.B, Step.D]),
        ("branches", [Step.D, Step.B]),
        ("through_an_alias_of_the_enum", [Step.B]),
        ("through_a_local_alias", [Step.B]),
        ("through_a_constant", [Step.D]),
        ("through_the_class", [Step.A]),
        ("through_a_local_name", [Step.B, Step.C]),
        ("through_another_name_of_the_state", [Step.B]),
        ("among_others", [Step.C]),
        ("in_a_chain", [Step.C]),
        ("in_a_match", [Step.B, Step.C]),
        ("by_value", [Step.C]),
        ("by_member_name", [Step.D]),
        ("through_a_table", [Step.B, Step.C]),
        ("through_a_table_with_a_default", [Step.B, Step.D]),
        ("through_a_helper", [Step.C]),
        ("through_an_async_helper", [Step.D]),
        ("through_a_helper_with_a_keyword", [Step.B, Step.D]),
        ("through_a_default", [Step.A]),
        ("through_a_static_helper", [Step.B]),
        ("through_a_function", [Step.C]),
        ("through_the_state", [Step.D]),
        ("through_a_function_that_chooses", [Step.B, Step.D]),
        ("through_a_method_that_chooses", [Step.C, Step.D]),
        ("through_a_method_that_gives_the_state", [Step.C]),
        ("inherited", [Step.B]),
        ("calls_itself", [Step.B]),
        ("in_a_loop", [Step.B, Step.C]),
        ("declared", [Step.B]),
    ],
)
def test_the_moves_are_found(name: str, steps: list[Step]) -> None:
    moves = moves_of(name)

    assert list(moves.steps) == steps
    assert moves.is_complete


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("by_argument", []),
        ("through_a_method_that_gives_nothing_known", []),
        ("partly_by_argument", [Step.B]),
        ("short_circuits", [Step.C]),
        ("by_an_unknown_function", []),
        ("to_another_enum", []),
    ],
)
def test_a_move_that_the_source_does_not_tell_is_unclear(name: str, steps: list[Step]) -> None:
    moves = moves_of(name)

    assert list(moves.steps) == steps
    assert len(moves.unclear) == 1
    assert not moves.is_complete


def test_each_place_names_its_file_and_line() -> None:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()

    [place] = moves_of("through_a_helper").places

    assert Path(place.file) == Path(__file__)
    assert lines[place.line - 1].strip() == "self.state.step = Step.C"
    assert lines[place.line - 2].strip() == "def _go_to_c(self) -> str:"


def test_a_tool_without_source_is_not_readable() -> None:
    namespace: dict[str, Any] = {}
    exec("async def made(self): self.state.step = 1", namespace)  # a class made by a program

    moves = moves_in_source(namespace["made"], Tools, Step)

    assert not moves.is_readable
    assert not moves.is_complete


def test_what_is_no_function_is_not_readable() -> None:
    assert not moves_in_source(print, Tools, Step).is_readable


def test_the_state_class_is_read_off_the_tools() -> None:
    assert state_class_of(Tools) is State
    assert state_class_of(BaseJourneyTools) is None
