"""`@tool`: what a declaration comes to, and what is wrong with one is told where it is written."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import (
    ANY,
    BaseJourneyState,
    BaseJourneyTools,
    FrameworkConfig,
    JourneyAgent,
    StepPromptMapping,
    ToolResult,
    ToolRetry,
    set_config,
    tool,
)


class Step(str, Enum):
    NAME = "name"
    PAY = "pay"
    DONE = "done"


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Address(BaseModel):
    street: str
    zip: str = Field(pattern=r"^\d{5}$")


@dataclass
class State(BaseJourneyState[Step]):
    step: Step = Step.NAME
    name: str = ""
    paid: int = 0
    seen: list[Any] = field(default_factory=list)

    def is_complete(self) -> bool:
        return self.step is Step.DONE

    def to_dict(self) -> dict[str, Any]:
        return {"step": self.step.value, "name": self.name, "paid": self.paid}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        return cls(Step(data["step"]), data["name"], data["paid"])


def journey(tools_class: Any, *replies: Any, **options: Any) -> Any:
    class Agent(JourneyAgent[State, tools_class, Step]):
        key = "pay"
        prompts = StepPromptMapping[Step]({Step.NAME: "Ask.", Step.PAY: "Pay.", Step.DONE: "Thank."})

    for name, value in options.items():
        setattr(Agent, name, value)
    return Agent(ScriptedLLM(replies))


def schema_of(tools_class: Any, name: str) -> dict[str, Any]:
    return tools_class.tool_specs[name].to_openai_format()["function"]


def results(result: Any) -> list[str]:
    return [message.content for message in result.messages if message.role == "tool"]


# What the model is told.


def test_the_schema_comes_from_the_signature_and_the_docstring():
    class Tools(BaseJourneyTools[State]):
        @tool(step=Step.NAME)
        async def book(self, name: str, seats: int = 1, window: bool = False, extras: list[str] | None = None) -> str:
            """Book seats.

            Call it once the name is known.

            Args:
                name: Who travels.
                seats: How many seats,
                    at most nine.
                extras (optional): Wishes.

            Returns:
                What was booked.
            """
            return "booked"

    assert schema_of(Tools, "book") == {
        "name": "book",
        "description": "Book seats.\n\nCall it once the name is known.",
        "parameters": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "description": "Who travels."},
                "seats": {"type": "integer", "description": "How many seats, at most nine.", "default": 1},
                "window": {"type": "boolean", "default": False},
                "extras": {"type": ["array", "null"], "items": {"type": "string"}, "description": "Wishes."},
            },
            "required": ["name"],
        },
    }


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (str, {"type": "string"}),
        (float, {"type": "number"}),
        (dict, {"type": "object"}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (str | None, {"type": ["string", "null"]}),
        (Literal["a", "b"], {"enum": ["a", "b"], "type": "string"}),
        (Literal[1, "b"], {"enum": [1, "b"]}),
        (Colour, {"enum": ["red", "blue"], "type": "string"}),
        (Annotated[str, "The name."], {"type": "string", "description": "The name."}),
        (
            Annotated[int, Field(ge=18, description="The age.")],
            {"type": "integer", "minimum": 18, "description": "The age."},
        ),
        (date, {"type": "string", "format": "date"}),
        (Any, {}),
    ],
    ids=str,
)
def test_each_type_has_its_schema(annotation, schema):
    class Tools(BaseJourneyTools[State]):
        @tool
        async def take(self, value: annotation) -> str:  # type: ignore[valid-type]
            return "taken"

    assert schema_of(Tools, "take")["parameters"]["properties"]["value"] == schema


def test_a_model_brings_its_definition_along():
    class Order(BaseModel):
        to: Address
        more: list[Address] = []

    class Tools(BaseJourneyTools[State]):
        @tool
        async def send(self, order: Order) -> str:
            return "sent"

    parameters = schema_of(Tools, "send")["parameters"]
    assert parameters["properties"]["order"]["properties"]["to"] == {"$ref": "#/$defs/Address"}
    assert parameters["$defs"]["Address"]["required"] == ["street", "zip"]


# What the tool gets.


async def test_arguments_arrive_as_the_types_of_the_signature():
    got: list[Any] = []

    class Tools(BaseJourneyTools[State]):
        @tool
        async def take(self, colour: Colour, day: date, price: Decimal, to: Address, share: float = 1.0) -> str:
            got.extend([colour, day, price, to, share])
            return "taken"

    arguments = {
        "colour": "red",
        "day": "2026-02-28",
        "price": "1.10",
        "to": {"street": "A", "zip": "12345"},
        "share": 2,
    }
    await journey(Tools, tool_call_reply("take", **arguments), "ok").send("c", "hi")

    assert got == [Colour.RED, date(2026, 2, 28), Decimal("1.10"), Address(street="A", zip="12345"), 2.0]
    assert type(got[-1]) is float


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"to": {"street": "A", "zip": "1"}}, "zip"),
        ({"to": {"street": "A"}}, "zip"),
        ({"to": "A"}, "to"),
        ({}, "to"),
    ],
)
async def test_arguments_that_do_not_fit_go_back_to_the_model_and_nothing_runs(arguments, problem):
    ran = []

    class Tools(BaseJourneyTools[State]):
        @tool
        async def take(self, to: Address) -> str:
            ran.append(to)
            return "taken"

    result = await journey(Tools, tool_call_reply("take", **arguments), "ok").send("c", "hi")

    assert results(result)[0].startswith("Error: invalid arguments for 'take'")
    assert problem in results(result)[0]
    assert ran == []


async def test_what_a_schema_cannot_say_is_checked_by_the_type_and_told_to_the_model():
    def even(value: int) -> int:
        if value % 2:
            raise ValueError("it must be even")
        return value

    from pydantic import AfterValidator

    class Tools(BaseJourneyTools[State]):
        @tool
        async def take(self, number: Annotated[int, AfterValidator(even)]) -> str:
            return f"took {number}"

    agent = journey(Tools, tool_call_reply("take", number=3), tool_call_reply("take", number=4), "ok")
    result = await agent.send("c", "hi")

    assert results(result) == [
        "Error: invalid arguments for 'take': number: Value error, it must be even. Call it again.",
        "took 4",
    ]


async def test_a_plain_function_runs_in_a_thread_and_its_changes_are_kept():
    where: list[Any] = []

    class Tools(BaseJourneyTools[State]):
        @tool(step=Step.NAME, to=Step.PAY)
        def save(self, name: str) -> str:
            where.append(threading.current_thread())
            self.state.name = name
            return "saved"

    result = await journey(Tools, tool_call_reply("save", name="Ada"), "ok").send("c", "hi")

    assert where[0] is not threading.current_thread()
    assert result.state["name"] == "Ada"
    assert result.state["step"] != "name"


async def test_a_plain_function_that_runs_out_of_time_changes_nothing_any_more():
    goes_on = threading.Event()
    ended = threading.Event()

    class Tools(BaseJourneyTools[State]):
        @tool(timeout=0.05)
        def slow(self) -> str:
            goes_on.wait(20)
            self.state.name = "too late"
            ended.set()
            return "done"

    result = await journey(Tools, tool_call_reply("slow"), "ok").send("c", "hi")
    goes_on.set()
    assert ended.wait(20)

    assert results(result) == ["Error executing slow: it took longer than 0.05 seconds"]
    assert result.state["name"] == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [("text", "text"), (ToolResult.ok("fine"), "fine"), ({"a": [1]}, '{"a": [1]}'), (None, ""), (7, "7")],
    ids=str,
)
async def test_a_tool_may_return_anything_that_json_can_say(value, text):
    class Tools(BaseJourneyTools[State]):
        @tool
        async def give(self) -> Any:
            return value

    assert results(await journey(Tools, tool_call_reply("give"), "ok").send("c", "hi")) == [text]


# Steps and moves.


class Paying(BaseJourneyTools[State]):
    @tool(step=Step.NAME, to=Step.PAY)
    async def save(self, name: str) -> str:
        self.state.name = name
        return "saved"

    @tool(step=Step.PAY, to=[Step.DONE, Step.NAME], requires="name")
    async def pay(self, ok: bool) -> str:
        self.state.step = Step.DONE if ok else Step.NAME
        return "paid" if ok else "start again"

    @tool(step=ANY)
    async def help(self) -> str:
        return "helped"


def offered(call: dict[str, Any]) -> list[str]:
    return [each["function"]["name"] for each in call["tools"] or ()]


async def test_tools_are_offered_at_their_steps_and_lead_where_they_say():
    agent = journey(
        Paying,
        tool_call_reply("save", name="Ada"),
        tool_call_reply("pay", ok=False),
        "hm",
        tool_call_reply("help"),
        "ok",
        corrections=False,
    )

    await agent.send("c", "hi")
    await agent.send("c", "again")

    assert [offered(call) for call in agent.llm_client.calls] == [
        ["save", "help"],
        ["pay", "help"],
        ["save", "help"],
        ["save", "help"],
        ["save", "help"],
    ]


async def test_a_tool_whose_requirement_does_not_hold_is_not_offered_and_does_not_run():
    agent = journey(Paying, tool_call_reply("pay", ok=True), "ok")
    agent.get_initial_state = lambda: State(step=Step.PAY)

    result = await agent.send("c", "hi")

    assert offered(agent.llm_client.calls[0]) == ["help"]
    assert results(result) == ["Error: Unknown tool 'pay'. Tools offered now: help."]


async def test_at_the_end_nothing_is_offered():
    agent = journey(Paying, "bye")
    agent.get_initial_state = lambda: State(step=Step.DONE)

    await agent.send("c", "hi")

    assert agent.llm_client.calls[0]["tools"] is None


async def test_a_failure_stays_where_it_is():
    class Tools(BaseJourneyTools[State]):
        @tool(step=Step.NAME, to=Step.PAY)
        async def save(self, name: str) -> ToolResult:
            return ToolResult.fail("no such name")

    assert (await journey(Tools, tool_call_reply("save", name="x"), "ok").send("c", "hi")).state["step"] == "name"


async def test_a_move_that_was_not_declared_is_undone():
    class Tools(BaseJourneyTools[State]):
        @tool(step=Step.NAME, to=Step.PAY)
        async def save(self, name: str) -> str:
            self.state.name = name
            self.state.step = Step.DONE
            return "saved"

    result = await journey(Tools, tool_call_reply("save", name="Ada"), "ok").send("c", "hi")

    assert result.state == {"step": "name", "name": "", "paid": 0}
    assert "has moved from Step.NAME to Step.DONE, and declares Step.PAY" in results(result)[0]


async def test_in_debug_mode_it_is_raised():
    from agent_runtime_framework.tools.dispatch import UndeclaredMove

    class Tools(BaseJourneyTools[State]):
        @tool
        async def leave(self) -> str:
            self.state.step = Step.DONE
            return "left"

    set_config(FrameworkConfig(debug=True, swallow_tool_exceptions=False))
    with pytest.raises(UndeclaredMove, match=r"tool 'leave' \(.*test_tool_decorator.py:\d+\).*declares to stay"):
        await journey(Tools, tool_call_reply("leave"), "ok").send("c", "hi")


async def test_a_step_with_tools_of_every_step_alone_is_still_a_talking_step():
    class Tools(BaseJourneyTools[State]):
        @tool(step=Step.PAY, to=Step.DONE)
        async def pay(self) -> str:
            return "paid"

        @tool(step=ANY)
        async def help(self) -> str:
            return "helped"

    assert (await journey(Tools, "Hello").send("c", "hi")).state["step"] == "pay"


# Trying again, once, ending.


async def test_what_a_tool_says_to_mend_goes_to_the_model_and_is_undone(caplog):
    class Tools(BaseJourneyTools[State]):
        @tool(step=Step.NAME, to=Step.PAY)
        async def save(self, name: str) -> str:
            self.state.name = name
            if not name.istitle():
                raise ToolRetry("Write the name with a capital.")
            return "saved"

    agent = journey(Tools, tool_call_reply("save", name="ada"), tool_call_reply("save", name="Ada"), "ok")
    result = await agent.send("c", "hi")

    assert results(result) == ["Error: Write the name with a capital.", "saved"]
    assert result.state["name"] == "Ada"
    assert "ERROR" not in caplog.text


async def test_it_is_not_raised_in_debug_mode():
    class Tools(BaseJourneyTools[State]):
        @tool
        async def save(self) -> str:
            raise ToolRetry("Say it again.")

    set_config(FrameworkConfig(debug=True, swallow_tool_exceptions=False))
    assert results(await journey(Tools, tool_call_reply("save"), "ok").send("c", "hi")) == ["Error: Say it again."]


async def test_a_tool_that_raises_is_tried_again_on_the_state_as_it_was(monkeypatch):
    monkeypatch.setattr("agent_runtime_framework.tools.dispatch._FIRST_PAUSE_S", 0)
    tries = 0

    class Tools(BaseJourneyTools[State]):
        @tool(step=Step.NAME, to=Step.PAY, retries=2)
        async def pay(self) -> str:
            nonlocal tries
            tries += 1
            self.state.paid += 1
            if tries < 3:
                raise ConnectionError("down")
            return "paid"

    result = await journey(Tools, tool_call_reply("pay"), "ok").send("c", "hi")

    assert tries == 3
    assert result.state["paid"] == 1
    assert result.state["step"] != "name"


async def test_a_tool_that_runs_once_is_not_run_again_in_its_conversation(tmp_path):
    ran: list[str] = []

    class Tools(BaseJourneyTools[State]):
        @tool(once=True)
        async def charge(self, amount: int) -> str:
            ran.append(f"{amount}")
            return f"charged {amount}"

    url = f"sqlite:///{tmp_path}/c.db"
    for conversation in ("a", "a", "b"):  # each time another agent, as after a restart
        agent = journey(Tools, tool_call_reply("charge", amount=5), "ok")
        agent = type(agent)(agent.llm_client, store=url)
        result = await agent.send(conversation, "pay")
        state = await agent.get_state(conversation)
        await agent.aclose()

    assert ran == ["5", "5"]
    assert results(result) == ["charged 5"]
    assert "_journey" not in state.__dict__


async def test_one_that_failed_is_not_done():
    class Tools(BaseJourneyTools[State]):
        @tool(once=True)
        async def charge(self) -> ToolResult:
            return ToolResult.fail("declined") if self.state.paid == 0 and not self.seen() else ToolResult.ok("charged")

        calls = 0

        def seen(self) -> bool:
            type(self).calls += 1
            return type(self).calls > 1

    agent = journey(Tools, tool_call_reply("charge"), tool_call_reply("charge"), tool_call_reply("charge"), "ok")
    result = await agent.send("c", "pay")

    assert results(result)[:2] == ["declined", "charged"]
    assert results(result)[2].startswith("charged\n(This was done before")
    assert Tools.calls == 2


async def test_a_tool_may_end_the_run():
    class Tools(BaseJourneyTools[State]):
        @tool(ends_run=True)
        async def bye(self) -> str:
            return "Good bye."

    result = await journey(Tools, tool_call_reply("bye"), "never said").send("c", "hi")

    assert (result.response, result.metadata["stopped_reason"]) == ("Good bye.", "terminal_tool:bye")


# Inheritance, and both styles in one class.


async def test_a_subclass_changes_and_removes_tools():
    class More(Paying):
        @tool(step=Step.NAME)
        async def help(self) -> str:
            """Help better."""
            return "helped more"

        pay = None  # type: ignore[assignment]

    assert list(More.tool_specs) == ["save", "help"]
    assert More.tool_specs["help"].steps == (Step.NAME,)
    assert Paying.tool_specs["help"].steps is None


async def test_a_method_that_is_written_wins_over_the_default():
    class Mixed(JourneyAgent[State, Paying, Step]):
        key = "mixed"

        def get_system_prompt(self, state: State) -> str:
            return f"At {state.step.value}."

        async def execute_tool(self, tools: Any, name: str, arguments: dict[str, Any], /) -> Any:
            return "by hand"

    agent = Mixed(ScriptedLLM([tool_call_reply("save", name="Ada"), "ok"]))
    result = await agent.send("c", "hi")

    assert results(result) == ["by hand"]
    assert agent.llm_client.calls[0]["messages"][0]["content"] == "At name."  # type: ignore[union-attr]


# What is wrong is told where it is written.


def broken_untyped() -> Any:
    class Tools(BaseJourneyTools[State]):
        @tool
        async def take(self, value) -> str:
            return value

    return Tools


def broken_star() -> Any:
    class Tools(BaseJourneyTools[State]):
        @tool
        async def take(self, *values: str) -> str:
            return ""

    return Tools


def broken_type() -> Any:
    class Tools(BaseJourneyTools[State]):
        @tool
        async def take(self, value: threading.Thread) -> str:
            return ""

    return Tools


def broken_name() -> Any:
    class Tools(BaseJourneyTools[State]):
        @tool
        async def take(self, value: Unknown) -> str:  # type: ignore[name-defined]  # noqa: F821
            return ""

    return Tools


def broken_private() -> Any:
    class Tools(BaseJourneyTools[State]):
        @tool
        async def _take(self) -> str:
            return ""

    return Tools


@pytest.mark.parametrize(
    ("define", "words"),
    [
        (broken_untyped, r"parameter 'value' has no type"),
        (broken_star, r"\*values has no schema"),
        (broken_type, r"parameter 'value' has a type without a JSON schema"),
        (broken_name, r"name 'Unknown', which is not known"),
        (broken_private, r"its name begins with an underscore"),
    ],
    ids=["untyped", "star", "type", "name", "private"],
)
def test_a_signature_without_a_schema_is_refused_when_the_class_is_made(define, words):
    with pytest.raises(
        ConfigError, match=rf"Tools\._?take \(.*test_tool_decorator\.py:\d+\) cannot be a tool: .*{words}"
    ):
        define()


@pytest.mark.parametrize("option", ["step", "to"])
def test_a_step_of_another_journey_is_refused_when_the_agent_is_made(option):
    class Tools(BaseJourneyTools[State]):
        @tool(**{option: Colour.RED})  # type: ignore[call-overload, untyped-decorator]
        async def take(self) -> str:
            return ""

    with pytest.raises(ConfigError, match=rf"Tools\.take \(.*:\d+\) has {option}=.*no step of Agent.*NAME, PAY, DONE"):
        journey(Tools)


@pytest.mark.parametrize(
    "options", [{"timeout": 0}, {"timeout": -1}, {"retries": -1}, {"retries": 1.5}, {"step": ()}], ids=str
)
def test_an_option_that_means_nothing_is_refused(options):
    with pytest.raises(ConfigError, match="give"):
        tool(**options)


def test_the_decorator_stands_on_functions_only():
    with pytest.raises(ConfigError, match="it takes a method"):
        tool()(3)  # type: ignore[type-var]


# Prompt layout.


async def test_with_instructions_what_changes_comes_last():
    agent = journey(
        Paying,
        tool_call_reply("save", name="Ada"),
        "ok",
        instructions="Be kind.",
        tools="stable",
        corrections=False,
    )

    await agent.send("c", "I am Ada")

    first, second = agent.llm_client.calls
    assert [(m["role"], m["content"]) for m in first["messages"]] == [
        ("system", "Be kind."),
        ("user", "I am Ada"),
        ("system", "Ask."),
    ]
    assert second["messages"][-1] == {"role": "system", "content": "Pay."}
    assert second["messages"][:2] == first["messages"][:2]
    assert first["tools"] == second["tools"]
    assert offered(first) == ["save", "pay", "help"]


async def test_stable_tools_are_still_refused_at_the_wrong_step():
    agent = journey(Paying, tool_call_reply("pay", ok=True), "ok", tools="stable")

    assert results(await agent.send("c", "hi")) == ["Error: Unknown tool 'pay'. Tools offered now: save, help."]
