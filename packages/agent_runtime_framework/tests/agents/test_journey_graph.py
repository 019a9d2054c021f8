"""A journey's steps and moves as data and as pictures."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any
from xml.etree import ElementTree

import pytest
from examples.seed_style.cart import CartAgent
from examples.seed_style.cart import Step as Cart
from examples.seed_style.insurance_quote import QuoteAgent
from examples.seed_style.insurance_quote import Step as Quote
from examples.seed_style.onboarding import OnboardingAgent
from hypothesis import given
from hypothesis import strategies as st
from packages.agent_runtime_framework.tests.agents.graph_journeys import Onboarding, Speaking, State, Step, Tools

from agent_runtime_core.errors import ConfigError, StateDecodeError
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import BaseJourneyState, BaseJourneyTools, JourneyAgent, JourneyGraph, tool
from agent_runtime_framework.agents.graph import GraphStep, Move
from agent_runtime_framework.agents.path_taken import path_taken


def moves(graph: JourneyGraph) -> list[tuple[str, str | None, str | None]]:
    return [(move.source.name, move.tool, None if move.target is None else move.target.name) for move in graph.moves]


def test_declared_moves_are_the_graph() -> None:
    graph = Speaking.graph()

    assert graph.name == "Speaking"
    assert graph.start is Step.WELCOME
    assert [each.step for each in graph.steps] == list(Step)
    assert graph.terminal_steps == (Step.DONE,)
    assert graph.tools_everywhere == ("explain",)
    assert graph.step(Step.WELCOME) == GraphStep(
        step=Step.WELCOME, tools=("explain",), is_start=True, talks=True, says="Welcome! What is your name?"
    )
    assert graph.step(Step.EMAIL).tools == ("save_email", "explain")
    assert graph.step(Step.DONE).tools == ()
    assert moves(graph) == [
        ("WELCOME", None, "NAME"),
        ("NAME", "save_name", "EMAIL"),
        ("EMAIL", "save_email", "NAME"),
        ("EMAIL", "save_email", "DONE"),
    ]
    assert graph.moves_from(Step.NAME) == [Move(source=Step.NAME, target=Step.EMAIL, tool="save_name")]
    assert graph.moves_from(Step.EMAIL)[0].requires == ("name",)
    assert graph.reachable() == set(Step)
    assert graph.reachable(Step.DONE) == {Step.DONE}


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (
            OnboardingAgent,
            [("WELCOME", None, "NAME"), ("NAME", "save_name", "EMAIL"), ("EMAIL", "save_email", "DONE")],
        ),
        (
            CartAgent,  # offers some of its tools only when there is something in the cart
            [
                ("START", None, "SHOPPING"),
                ("SHOPPING", "checkout", "CHECKOUT"),
                ("CHECKOUT", "place_order", "DONE"),
                ("CHECKOUT", "cancel_checkout", "SHOPPING"),
            ],
        ),
        (
            QuoteAgent,  # moves in a conditional expression, a helper and a tuple
            [
                ("WELCOME", None, "CHOOSE_TYPE"),
                ("CHOOSE_TYPE", "choose_type", "CAR"),
                ("CHOOSE_TYPE", "choose_type", "HOME"),
                ("CAR", "save_car", "QUOTE"),
                ("HOME", "save_home", "QUOTE"),
                ("QUOTE", "accept_quote", "DONE"),
                ("QUOTE", "decline_quote", "DONE"),
            ],
        ),
    ],
)
def test_without_declarations_methods_and_source_are_asked(agent: Any, expected: list[Any]) -> None:
    graph = agent.graph()

    assert moves(graph) == expected
    assert {move.origin for move in graph.moves} == {"talk", "source"}
    assert [each.name for each in graph.steps if each.is_terminal] == ["DONE"]
    assert graph == JourneyGraph.of(agent(ScriptedLLM([])))


def test_tools_that_stay_belong_to_their_step() -> None:
    graph = CartAgent.graph()

    assert graph.step(Cart.SHOPPING).tools == ("add_item", "remove_item", "checkout")
    assert QuoteAgent.graph().step(Quote.DONE).tools == ()


def test_a_move_that_cannot_be_read_is_unknown() -> None:
    class Renamed(OnboardingAgent):
        def get_tool_schemas(self, state: Any) -> list[Any]:
            schemas = super().get_tool_schemas(state)
            return [schema.to_openai_format() and Named("renamed") for schema in schemas]

    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        def to_openai_format(self) -> dict[str, Any]:
            return {"type": "function", "function": {"name": self.name}}

    graph = Renamed.graph()

    assert ("NAME", "renamed", None) in moves(graph)
    assert 's4{{"?"}}' in graph.to_mermaid()


def test_a_class_that_takes_arguments_has_a_graph_too() -> None:
    class Configured(OnboardingAgent):
        def __init__(self, client: Any) -> None:
            super().__init__(client)

    assert moves(Configured.graph()) == moves(OnboardingAgent.graph())


def test_a_journey_without_a_start_has_no_graph() -> None:
    class Lost(OnboardingAgent):
        def get_initial_state(self) -> Any:
            raise LookupError("no such customer")

    with pytest.raises(ConfigError, match=r"Lost has no start: get_initial_state\(\) raised LookupError: no such cust"):
        Lost.graph()


def test_an_unfinished_class_has_no_graph() -> None:
    class Unfinished(JourneyAgent[State, Tools, Step]):
        key = "unfinished"

    with pytest.raises(ConfigError, match="Unfinished has no graph yet: it does not define get_system_prompt"):
        Unfinished.graph()


# Contradictions, told when the class is made.


def test_a_tool_that_leaves_a_terminal_step_is_told() -> None:
    class Again(Tools):
        @tool(step=(Step.EMAIL, Step.DONE), to=Step.WELCOME)
        async def again(self) -> None:
            """Begin again."""

    with pytest.raises(
        ConfigError,
        match=r"Again.again \(.*test_journey_graph.py:\d+\) leads from Step.DONE to Step.WELCOME, and the journey is "
        r"over at Step.DONE \(says State\)",
    ):

        class Agent(JourneyAgent[State, Again, Step]):
            prompts = {}  # noqa: RUF012


def test_a_tool_that_leads_to_where_it_stands_is_told() -> None:
    class Same(Tools):
        @tool(step=Step.NAME, to=Step.NAME)
        async def again(self) -> None:
            """Ask again."""

    with pytest.raises(
        ConfigError, match=r"Same.again \(.*:\d+\) has step=Step.NAME and to=Step.NAME: it leads to where"
    ):

        class Agent(JourneyAgent[State, Same, Step]):
            prompts = {}  # noqa: RUF012


def test_a_second_tool_of_one_name_is_told() -> None:
    with pytest.raises(ConfigError, match=r"Twice.save \(.*:\d+\) is the second tool of this name: .* line \d+"):

        class Twice(BaseJourneyTools[State]):
            @tool(step=Step.NAME)
            async def save(self) -> None:
                """Save."""

            @tool  # type: ignore[no-redef]
            async def save(self) -> None:  # noqa: F811
                """Save otherwise."""


class Home(BaseJourneyTools[State]):
    @tool(step=Step.NAME, to=Step.EMAIL)
    async def save(self) -> None:
        """Save."""


class Office(BaseJourneyTools[State]):
    @tool(step=Step.NAME, to=Step.DONE)
    async def save(self) -> None:
        """Save and stop."""


def test_two_bases_that_move_one_tool_elsewhere_are_told() -> None:
    with pytest.raises(
        ConfigError,
        match=r"Both has two tools 'save' that .* elsewhere: Home.save \(.*:\d+\) and Office.save \(.*:\d+\)",
    ):

        class Both(Home, Office):
            pass


def test_a_class_may_decide_between_its_bases() -> None:
    class Both(Home, Office):
        @tool(step=Step.NAME, to=Step.DONE)
        async def save(self) -> None:
            """Save, and that is all."""

    class Later(Both):
        pass

    assert Later.tool_specs["save"].to == (Step.DONE,)


def test_a_tool_may_replace_that_of_a_base() -> None:
    class Other(Tools):
        @tool(step=Step.NAME, to=Step.DONE)
        async def save_name(self, name: str) -> str:
            """Save the name and stop."""
            return name

    class Agent(JourneyAgent[State, Other, Step]):
        key = "agent"
        prompts = {}  # noqa: RUF012

    assert ("NAME", "save_name", "DONE") in moves(Agent.graph())


class Elsewhere(str, Enum):
    MOON = "moon"


@dataclass
class OnTheMoon(State):
    step: Step = Elsewhere.MOON  # type: ignore[assignment]


@dataclass
class Nowhere(BaseJourneyState[Step]):
    step: Step

    def is_complete(self) -> bool:
        return False

    def to_dict(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Nowhere:
        return cls(Step.NAME)


def test_a_state_that_begins_at_no_step_is_told() -> None:
    with pytest.raises(
        ConfigError, match=r"Agent has no start: Nowhere \(.*:\d+\) has a field 'step' without a default"
    ):

        class Agent(JourneyAgent[Nowhere, Tools, Step]):
            prompts = {}  # noqa: RUF012


def test_a_state_that_begins_at_another_journeys_step_is_told() -> None:
    with pytest.raises(
        ConfigError, match=r"Agent has no start: OnTheMoon \(.*:\d+\) begins at <Elsewhere.MOON: 'moon'>"
    ):

        class Agent(JourneyAgent[OnTheMoon, Tools, Step]):
            prompts = {}  # noqa: RUF012


def test_an_unfinished_class_may_leave_the_start_to_its_subclass() -> None:
    class Base(JourneyAgent[Nowhere, Tools, Step]):
        pass

    class Agent(Base):
        key = "agent"
        prompts = {}  # noqa: RUF012

        def get_initial_state(self) -> Nowhere:
            return Nowhere(Step.NAME)

    assert Agent.graph().start is Step.NAME


# Pictures.


def test_mermaid_names_steps_tools_and_guards() -> None:
    text = Onboarding.graph().to_mermaid()

    assert text.splitlines() == [
        "flowchart TD",
        '    s0(["WELCOME"])',
        '    s1["NAME"]',
        '    s2["EMAIL"]',
        '    s3[["DONE"]]',
        '    s4{{"any step<br/>explain"}}',
        '    s0 -->|"speaks"| s1',
        '    s1 -->|"save_name"| s2',
        '    s2 -->|"save_email [name]"| s1',
        '    s2 -->|"save_email [name]"| s3',
    ]


def test_what_mermaid_would_take_for_its_own_is_escaped() -> None:
    steps = tuple(GraphStep(step=name) for name in ('say "hi"', "end; <b>", "", "`#35;`"))
    move = Move(source=steps[0].step, target=steps[1].step, tool="a|b")
    graph = JourneyGraph(name="Odd", steps=steps, moves=(move,), start=steps[0].step)

    assert graph.to_mermaid().splitlines()[1:] == [
        '    s0["say #34;hi#34;"]',
        '    s1["end#59; #60;b#62;"]',
        '    s2[" "]',
        '    s3["#96;#35;35#59;#96;"]',
        '    s0 -->|"a#124;b"| s1',
    ]


def test_a_path_is_marked_in_mermaid() -> None:
    text = Onboarding.graph().to_mermaid([Step.WELCOME, Step.NAME, Step.EMAIL, Step.NAME])

    assert "    class s0,s1,s2 taken" in text
    assert "    linkStyle 0,1,2 stroke" in text
    assert "    style s1 stroke-width:4px" in text


def test_a_way_that_nobody_declared_is_drawn_when_it_was_taken() -> None:
    text = Onboarding.graph().to_mermaid([Step.WELCOME, Step.DONE])

    assert "    s0 -.-> s3" in text
    assert "    linkStyle 4 stroke" in text


def texts(document: str) -> list[str]:
    root = ElementTree.fromstring(document)
    return [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]


def test_the_picture_shows_steps_tools_and_words() -> None:
    document = Speaking.graph().to_svg()

    shown = texts(document)
    assert {"WELCOME", "NAME", "EMAIL", "DONE", "any step", "explain", "save_name", "speaks"} <= set(shown)
    assert "\u201cYou are all set.\u201d" in shown
    assert "taken" not in re.sub(r"(?s)<style>.*</defs>", "", document)


def test_the_picture_marks_a_path() -> None:
    document = Speaking.graph().to_svg([Step.WELCOME, Step.NAME])

    root = ElementTree.fromstring(document)
    marked = [each.get("class") for each in root.iter() if "taken" in (each.get("class") or "")]
    assert sorted(map(str, marked)) == ["arrow taken", "box taken", "box taken last", "label taken"]


def test_the_graph_is_json() -> None:
    data = json.loads(json.dumps(Speaking.graph().to_dict([Step.WELCOME, Step.NAME])))

    assert data["start"] == "WELCOME"
    assert data["path"] == ["WELCOME", "NAME"]
    assert data["moves"][1] == {
        "from": "NAME",
        "to": "EMAIL",
        "tool": "save_name",
        "origin": "declared",
        "requires": [],
        "everywhere": False,
    }
    assert "path" not in Speaking.graph().to_dict()


names = st.text(max_size=12)


@given(st.data())
def test_any_graph_with_any_names_can_be_drawn(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 8))
    steps = [f"{number}{data.draw(names)}" for number in range(count)]
    step = st.sampled_from(steps)
    drawn = data.draw(
        st.lists(
            st.builds(
                Move,
                source=step,
                target=st.none() | step,
                tool=st.none() | names,
                everywhere=st.booleans(),
                requires=st.lists(names, max_size=2).map(tuple),
            ),
            max_size=20,
        )
    )
    path = data.draw(st.lists(step, max_size=6))
    graph = JourneyGraph(
        name="Any",
        steps=tuple(
            GraphStep(step=each, is_start=not number, says=data.draw(st.none() | names))
            for number, each in enumerate(steps)
        ),
        moves=tuple(drawn),
        start=steps[0],
    )

    document = ElementTree.fromstring(graph.to_svg(path))
    boxes = [each for each in document.iter() if (each.get("class") or "").startswith("box")]
    assert len(boxes) >= count
    places = [tuple(float(each.get(name, "")) for name in ("x", "y", "width", "height")) for each in boxes]
    for number, (x, y, width, height) in enumerate(places):
        assert x + width <= float(document.get("width", ""))
        assert y + height <= float(document.get("height", ""))
        for other_x, other_y, other_width, other_height in places[:number]:
            apart = x >= other_x + other_width or other_x >= x + width
            assert apart or y >= other_y + other_height or other_y >= y + height
    lines = graph.to_mermaid(path).splitlines()
    assert all(re.fullmatch(r'[ \w<>/|,.:!?+=()\[\]{}"#;-]*', line) for line in lines)


# The path of a stored conversation.


async def test_the_path_is_read_from_the_stored_versions() -> None:
    replies = [
        "Welcome!",
        tool_call_reply("save_name", name="Ada"),
        "And your address?",
        tool_call_reply("save_email", email="wrong name"),
        "Your name, then?",
    ]
    agent = Onboarding(ScriptedLLM(replies))
    for text in ("Hello", "Ada", "wrong name"):
        await agent.send("c", text, owner="ada")

    assert await path_taken(agent, "c", owner="ada") == (Step.WELCOME, Step.NAME, Step.EMAIL, Step.NAME)
    assert await path_taken(agent, "c") == ()


async def test_a_state_that_cannot_be_read_is_told_with_its_version() -> None:
    agent = Onboarding(ScriptedLLM([]))
    await agent.store.commit("c", "onboarding", expected_version=None, state={"step": "gone"})

    with pytest.raises(StateDecodeError, match=r"conversation 'c' \(agent 'onboarding'\) at version 1"):
        await path_taken(agent, "c")
