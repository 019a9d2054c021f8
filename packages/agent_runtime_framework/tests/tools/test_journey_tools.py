"""What a journey's tools get from their base classes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

import agent_runtime_core.tools
import agent_runtime_framework.tools as tools_module
from agent_runtime_framework.state import BaseJourneyState
from agent_runtime_framework.tools import BaseJourneyTools, BaseTool, ToolResult


class Step(StrEnum):
    NAME = "name"
    DONE = "done"


@dataclass
class State(BaseJourneyState[Step]):
    step: Step = Step.NAME
    name: str = ""

    def is_complete(self) -> bool:
        return self.step == Step.DONE

    def to_dict(self) -> dict[str, Any]:
        return {"step": self.step.value, "name": self.name}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        return cls(Step(data["step"]), data["name"])


class Tools(BaseJourneyTools[State]):
    async def save_name(self, name: str) -> str:
        self.state.name = name
        await self._notify_state_change()
        return f"Hello {name}"

    async def ask_backend(self) -> str:
        answer: str = self._require_backend().answer()
        return answer


async def test_a_tool_changes_the_very_state_that_it_was_given() -> None:
    state = State()

    result = await Tools(state).save_name("Ada")

    assert result == "Hello Ada"
    assert state.name == "Ada"


async def test_each_notification_calls_back_once_with_the_live_state() -> None:
    seen: list[State] = []

    async def on_state_change(state: State) -> None:
        seen.append(state)

    tools = Tools(State(), on_state_change=on_state_change)
    await tools.save_name("Ada")
    await tools.save_name("Grace")

    assert [state is tools.state for state in seen] == [True, True]


async def test_a_plain_function_may_listen_and_may_be_set_later() -> None:
    names: list[str] = []
    tools = Tools(State())

    tools.on_state_change = lambda state: names.append(state.name)
    await tools.save_name("Ada")

    assert names == ["Ada"]


async def test_an_error_of_the_listener_reaches_the_tool() -> None:
    async def on_state_change(state: State) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        await Tools(State(), on_state_change=on_state_change).save_name("Ada")


async def test_the_backend_client_is_there_when_it_was_given() -> None:
    class Backend:
        def answer(self) -> str:
            return "42"

    tools = Tools(State(), Backend())

    assert await tools.ask_backend() == "42"


async def test_a_missing_backend_client_is_named_with_the_class_that_needs_it() -> None:
    tools = Tools(State())
    assert tools.backend_client is None

    with pytest.raises(ValueError, match=r"^Tools requires a backend_client but none was provided$"):
        await tools.ask_backend()


def test_a_stateless_tool_needs_nothing() -> None:
    class Clock(BaseTool):
        pass

    assert isinstance(Clock(), BaseTool)


def test_a_result_that_went_well() -> None:
    result = ToolResult.ok("Saved.", order=7)

    assert result == ToolResult("Saved.", True, None, {"order": 7})


def test_a_result_that_failed_says_so_to_the_model_and_to_code() -> None:
    result = ToolResult.fail("No such order", code=404)

    assert result == ToolResult(content="No such order", success=False, error="No such order", metadata={"code": 404})


def test_results_do_not_share_their_metadata() -> None:
    ToolResult("one").metadata["seen"] = True

    assert ToolResult("two").metadata == {}


@pytest.mark.parametrize("name", ["ToolParameter", "ToolSchema", "ToolSchemaBuilder", "schemas_to_openai_format"])
def test_schemas_are_those_of_the_core(name: str) -> None:
    assert getattr(tools_module, name) is getattr(agent_runtime_core.tools, name)
