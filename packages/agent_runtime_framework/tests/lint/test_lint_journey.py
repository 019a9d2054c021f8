"""What lint looks at, how a finding is silenced, and that it survives whatever a journey does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

import pytest

from agent_runtime_framework import (
    ANY,
    BaseJourneyState,
    BaseJourneyTools,
    JourneyAgent,
    PromptTemplate,
    StepPromptMapping,
    ToolSchema,
    lint_journey,
    tool,
)


class Step(str, Enum):
    SHOP = "shop"
    DONE = "done"


@dataclass
class State(BaseJourneyState[Step]):
    step: Step = Step.SHOP
    lines: list[str] = field(default_factory=list)
    is_member: bool | None = None

    def is_complete(self) -> bool:
        return self.step is Step.DONE

    def to_dict(self) -> dict[str, Any]:
        return {"step": self.step.value, "lines": self.lines}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        return cls(Step(data["step"]), data["lines"])


class SeedTools(BaseJourneyTools[State]):
    async def add(self) -> str:
        self.state.lines.append("apple")
        return "Added."

    async def checkout(self) -> str:
        self.state.step = Step.DONE
        return "Done."


class ShopMethods:
    """What the journeys of this file have in common."""

    def get_initial_state(self):
        return State()

    def get_system_prompt(self, state):
        return f"At {state.step.value}, {len(state.lines)} lines."

    def get_tool_schemas(self, state):
        if state.step is not Step.SHOP:
            return []
        add = ToolSchema("add", "Add an apple.")
        return [add, ToolSchema("checkout", "That is all.")] if state.lines else [add]

    def create_tools(self, state, ctx):
        return SeedTools(state)

    async def execute_tool(self, tools, name, arguments):
        return await getattr(tools, name)(**arguments)


class Shop(ShopMethods, JourneyAgent[State, SeedTools, Step]):
    key = "shop"


def codes(agent: Any) -> list[str]:
    return [each.code for each in lint_journey(agent)]


def test_what_is_offered_only_with_data_is_found():
    assert codes(Shop) == []


def test_what_is_offered_for_one_value_of_a_flag_is_found():
    class Members(Shop):
        def get_tool_schemas(self, state: State) -> list[ToolSchema]:
            return [ToolSchema("checkout", "Go.")] if state.step is Step.SHOP and state.is_member is False else []

    assert "J101" not in codes(Members)


def test_an_instance_is_looked_at_as_it_is():
    class Needy(Shop):
        def __init__(self, tools: list[ToolSchema]) -> None:
            super().__init__()
            self.offer = tools

        def get_tool_schemas(self, state: State) -> list[ToolSchema]:
            return self.offer if state.step is Step.SHOP else []

    assert codes(Needy) == ["J005"]
    assert codes(Needy([ToolSchema("add", "Add."), ToolSchema("checkout", "Go.")])) == []


def test_a_comment_on_the_line_silences_its_codes_and_no_others():
    class Quiet(BaseJourneyTools[State]):
        @tool(step=Step.SHOP)  # it charges for real, lint: J205, J306
        async def charge_card(self) -> str:
            return "Charged."

        @tool(
            step=Step.SHOP,
            to=Step.DONE,
        )
        async def send_bill(self) -> str:  # lint: J205
            return "Sent."

    class Agent(JourneyAgent[State, Quiet, Step]):
        key = "quiet"
        prompts = StepPromptMapping[Step]({Step.SHOP: "Shop.", Step.DONE: "Thank."})

    assert [(each.code, each.message) for each in lint_journey(Agent)] == [
        ("J306", "The model is not told what send_bill does.")
    ]


def test_a_tool_of_every_step_is_none_of_a_terminal_step():
    class Tools(BaseJourneyTools[State]):
        @tool(step=ANY, to=Step.DONE)
        async def stop(self) -> str:
            """Stop."""
            return "Stopped."

        @tool(step=Step.SHOP)
        async def add(self) -> str:
            """Add an apple."""
            return "Added."

    class Agent(JourneyAgent[State, Tools, Step]):
        key = "stop"
        prompts = StepPromptMapping[Step]({Step.SHOP: "Shop.", Step.DONE: "Thank."})

    assert codes(Agent) == []


def test_a_step_with_fixed_words_needs_no_prompt_and_may_talk():
    class Agent(Shop):
        says = MappingProxyType({Step.SHOP: "Welcome.", Step.DONE: "Goodbye."})

        def get_system_prompt(self, state: State) -> str:
            return ""

        def get_tool_schemas(self, state: State) -> list[ToolSchema]:
            return []

        def create_tools(self, state: State, ctx: Any) -> Any:
            return None

    assert set(codes(Agent)) == {"J201"}  # the tools, which nothing offers now


def test_a_fixed_text_needs_its_variables():
    class Agent(Shop):
        says = MappingProxyType({Step.DONE: PromptTemplate("Goodbye, $nmae, and thanks for your $lines.")})

    assert [(each.code, each.message) for each in lint_journey(Agent)] == [
        ("J403", "Nothing gives $nmae a value in the fixed text of step DONE.")
    ]


def boom(*_: Any) -> Any:
    raise RuntimeError("boom")


def leave(*_: Any) -> Any:
    raise SystemExit(3)


async def later(*_: Any) -> Any:
    return None


METHODS = ["__init__", "get_initial_state", "get_system_prompt", "get_tool_schemas", "is_terminal_state", "next_step"]


ANSWERS = [boom, leave, later, lambda *_: None, lambda *_: 42, lambda *_: [42], lambda *_: {"a": boom}]
CASES = [(method, answer) for method in METHODS for answer in ANSWERS if (method, answer) != ("__init__", later)]


@pytest.mark.parametrize(("method", "answer"), CASES)
def test_whatever_a_method_does_lint_answers(method: str, answer: Callable[..., Any]) -> None:
    broken: Any = type("Broken", (Shop,), {method: answer})

    for each in lint_journey(broken):
        assert each.message.endswith(".")
        assert each.line > 0


def test_no_tool_is_run_and_no_state_of_the_users_is_changed():
    class Tools(SeedTools):
        async def add(self) -> str:
            raise AssertionError("a tool has run")

    shared = State()

    class Agent(Shop):
        def get_initial_state(self) -> State:
            return shared

        def create_tools(self, state: State, ctx: Any) -> Any:
            raise AssertionError("tools were made")

    assert codes(Agent) == []
    assert shared == State()


# What is right in another way than that of the quick start.


def test_calls_that_go_another_way_are_not_held_against_the_methods():
    class Tools(BaseJourneyTools[State]):
        async def tool_add(self, item: str) -> str:
            return item

        async def finish(self) -> str:
            self.state.step = Step.DONE
            return "Done."

    class Agent(ShopMethods, JourneyAgent[State, Tools, Step]):
        key = "prefixed"

        async def execute_tool(self, tools: Tools, name: str, arguments: dict[str, Any]) -> Any:
            if name == "checkout":
                return await tools.finish()
            return await getattr(tools, f"tool_{name}")(item="apple")

    assert codes(Agent) == []


def test_an_execute_tool_that_moves_the_journey_itself_leaves_the_ways_open():
    class Tools(BaseJourneyTools[State]):
        async def add(self) -> str:
            return "Added."

        async def checkout(self) -> str:
            return "Done."

    class Agent(ShopMethods, JourneyAgent[State, Tools, Step]):
        key = "moves"

        async def execute_tool(self, tools: Tools, name: str, arguments: dict[str, Any]) -> Any:
            result = await getattr(tools, name)(**arguments)
            if name == "checkout":
                tools.state.step = Step.DONE
            return result

    assert codes(Agent) == []


MOST_LINES = 7


def test_an_offer_behind_a_number_a_text_or_a_key_is_found():
    @dataclass
    class Details(State):
        tries: int = 0
        kind: str = ""
        data: dict[str, Any] = field(default_factory=dict)

    class Tools(SeedTools):
        async def remove(self) -> str:
            return "Removed."

        async def call_help(self) -> str:
            return "Called."

    class Agent(ShopMethods, JourneyAgent[Details, Tools, Step]):
        key = "behind"

        def get_initial_state(self) -> Details:
            return Details()

        def get_system_prompt(self, state: Details) -> str:
            return "Talk."

        def get_tool_schemas(self, state: Details) -> list[ToolSchema]:
            if state.step is Step.DONE:
                return []
            offered = [ToolSchema("add", "Add.")]
            if state.tries > MOST_LINES:
                offered.append(ToolSchema("call_help", "Call for help."))
            if state.kind == "regular":
                offered.append(ToolSchema("remove", "Remove."))
            if state.data.get("address"):
                offered.append(ToolSchema("checkout", "That is all."))
            return offered

    assert codes(Agent) == []


class Odd:
    def __init__(self, function: Any) -> None:
        self.function = function

    def to_openai_format(self) -> Any:
        return {"type": "function", "function": self.function}


@pytest.mark.parametrize(
    "function",
    [
        None,
        {},
        {"name": 7},
        {"name": "add", "parameters": []},
        {"name": "add", "parameters": {"properties": [], "required": 3}},
        {"name": "add", "parameters": {"properties": {"a": None, "b": True, "c": {"type": 3}}}},
    ],
)
def test_schemas_that_are_none_never_crash_lint(function: Any) -> None:
    class Agent(Shop):
        def get_tool_schemas(self, state: State) -> Any:
            return [Odd(function)]

    assert lint_journey(Agent)
