"""New code meets old conversations: states are migrated, stay with the older journey, begin anew, or are refused."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from agent_runtime_core.errors import ConfigError, StateDecodeError
from agent_runtime_core.stores import InMemoryCheckpointStore, open_store
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import (
    AgentContext,
    AgentMessage,
    BaseJourneyState,
    BaseJourneyTools,
    JourneyAgent,
    JourneyConfig,
    StateStore,
    ToolSchema,
    ToolSchemaBuilder,
    migrate,
)


class OldStep(str, Enum):
    NAME = "name"
    PHONE = "phone"
    DONE = "done"


class Step(str, Enum):
    NAME = "name"
    EMAIL = "email"
    DONE = "done"


@dataclass
class OldState(BaseJourneyState[OldStep]):
    step: OldStep = OldStep.NAME
    name: str = ""

    def is_complete(self) -> bool:
        return self.step is OldStep.DONE

    def to_dict(self) -> dict[str, Any]:
        return {"step": self.step.value, "name": self.name}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> OldState:
        return cls(OldStep(data["step"]), data["name"])


@dataclass
class State(BaseJourneyState[Step]):
    step: Step = Step.NAME
    full_name: str = ""

    def is_complete(self) -> bool:
        return self.step is Step.DONE

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "step": self.step.value}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> State:
        return cls(Step(data["step"]), data["full_name"])


class Tools(BaseJourneyTools[Any]):
    async def save(self, value: str) -> str:
        step_class: Any = type(self.state.step)
        steps = list(step_class)
        self.state.step = steps[steps.index(self.state.step) + 1]
        return f"Saved {value}."


SAVE = ToolSchemaBuilder("save").description("Save it").param("value", "string", required=True).build()


class Journey(JourneyAgent[Any, Tools, Any]):
    key = "signup"

    def get_system_prompt(self, state: Any) -> str:
        return f"{type(self).__name__} asks for the {state.step.value}."

    def get_tool_schemas(self, state: Any) -> list[ToolSchema]:
        return [] if state.is_complete() else [SAVE]

    def create_tools(self, state: Any, ctx: AgentContext) -> Tools:
        return Tools(state=state)

    async def execute_tool(self, tools: Tools, name: str, arguments: dict[str, Any], /) -> Any:
        return await tools.save(**arguments)

    def get_initial_state(self) -> Any:
        return State()


class OldSignup(Journey):
    def get_initial_state(self) -> OldState:
        return OldState()


class Signup(Journey):
    version = 3

    @migrate(1, 2)
    @staticmethod
    def rename_name(state: dict[str, Any]) -> dict[str, Any]:
        state["full_name"] = state.pop("name")
        return state

    @migrate(2, 3)
    @staticmethod
    def ask_for_email_instead_of_phone(state: dict[str, Any]) -> dict[str, Any]:
        return {**state, "step": "email" if state["step"] == "phone" else state["step"]}


class WithoutMigrations(Journey):
    version = 2


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    opened = open_store("memory://" if request.param == "memory" else tmp_path / "journeys.db")
    yield opened
    await opened.close()


async def at_phone(store: Any, conversation: str = "c") -> None:
    """A conversation that the old journey has led to a step which the new one does not have."""
    llm = ScriptedLLM([tool_call_reply("save", value="Ada"), "And your phone?"])
    await OldSignup(llm, store=store).send(conversation, "I am Ada")


def prompts_of(llm: ScriptedLLM) -> list[str]:
    return [call["messages"][0]["content"] for call in llm.calls]


# Migrations.


async def test_an_old_state_is_migrated_step_by_step_and_stored_with_the_first_commit(store: Any) -> None:
    # Given
    await at_phone(store)
    llm = ScriptedLLM(["Your email?"])
    agent = Signup(llm, store=store)

    # When: it is only read
    state = await agent.get_state("c")

    # Then
    assert state == State(Step.EMAIL, "")
    assert (await store.load("c", "signup")).state_version == 1

    # When: a run commits
    result = await agent.send("c", "Hello?")

    # Then
    assert prompts_of(llm) == ["Signup asks for the email."]
    assert result.state == {"step": "email", "full_name": ""}
    checkpoint = await store.load("c", "signup")
    assert (checkpoint.state, checkpoint.state_version) == ({"step": "email", "full_name": ""}, 3)
    assert [message["role"] for message in checkpoint.messages][-2:] == ["user", "assistant"]


async def test_a_run_of_the_callers_migrates_and_stores_at_its_end(store: Any) -> None:
    await at_phone(store)

    await Signup(ScriptedLLM(["Your email?"]), store=store).run(
        AgentContext(uuid4(), "c", [AgentMessage("user", "Hi")])
    )

    checkpoint = await store.load("c", "signup")
    assert (checkpoint.state, checkpoint.state_version) == ({"step": "email", "full_name": ""}, 3)


async def test_a_state_that_needs_no_change_is_stored_once_with_the_new_version(store: Any) -> None:
    class Same(OldSignup):
        version = 2

        @migrate(1, 2)
        @staticmethod
        def keep(state: dict[str, Any]) -> dict[str, Any]:
            return state

    await at_phone(store)
    agent = Same(ScriptedLLM(["Phone?", "Phone?"]), store=store)
    await agent.send("c", "Hello?")
    await agent.send("c", "Hello?")

    assert (await store.load("c", "signup")).state_version == 2
    written = [version for version in await store.versions("c") if "signup" in version.agent_keys]
    assert len(written) == 2  # by the old code at the tool, and once by the new


async def test_a_state_from_before_versions_were_told_counts_as_version_1(store: Any) -> None:
    await store.commit("c", "signup", expected_version=None, state={"step": "phone", "name": "Ada"})
    assert (await store.load("c", "signup")).state_version == 0

    assert await Signup(ScriptedLLM([]), store=store).get_state("c") == State(Step.EMAIL, "Ada")


async def test_a_store_with_a_face_keeps_the_version_of_the_state_that_it_replaces(store: Any) -> None:
    await store.commit("c", "signup", expected_version=None, state={"step": "name", "full_name": ""}, state_version=3)

    await StateStore(store).save_state("c", "signup", {"step": "email", "full_name": "Ada"})

    assert await Signup(ScriptedLLM([]), store=store).get_state("c") == State(Step.EMAIL, "Ada")


async def test_a_migration_cannot_change_what_is_stored_by_changing_what_it_gets() -> None:
    store = InMemoryCheckpointStore()
    await store.commit("c", "signup", expected_version=None, state={"step": "phone", "name": "Ada"})
    agent = Signup(ScriptedLLM([]), store=store)

    assert await agent.get_state("c") == await agent.get_state("c")


def test_migrations_are_inherited_and_overridden_by_name() -> None:
    class Longer(Signup):
        version = 4

        @migrate(3, 4)
        def shout(state: dict[str, Any]) -> dict[str, Any]:  # type: ignore[misc]  # a function, as some write it
            return {**state, "full_name": state["full_name"].upper()}

        @migrate(1, 2)
        @staticmethod
        def rename_name(state: dict[str, Any]) -> dict[str, Any]:
            return {"step": state["step"], "full_name": "?"}

    assert [each.name for each in Longer._migrations.values()] == [
        "rename_name",
        "ask_for_email_instead_of_phone",
        "shout",
    ]
    assert Longer.rename_name({"step": "name"}) == {"step": "name", "full_name": "?"}


# What does not fit.


class Raises(Journey):
    version = 2

    @migrate(1, 2)
    @staticmethod
    def rename(state: dict[str, Any]) -> dict[str, Any]:
        raise KeyError(state["name"])


class GivesNothing(Journey):
    version = 2

    @migrate(1, 2)
    @staticmethod
    def rename(state: dict[str, Any]) -> Any:
        state["full_name"] = "Ada"


class GivesNoJSON(Journey):
    version = 2

    @migrate(1, 2)
    @staticmethod
    def rename(state: dict[str, Any]) -> dict[str, Any]:
        return {"step": Step.NAME, "full_name": {1, 2}}


class Incomplete(Journey):
    version = 2

    @migrate(1, 2)
    @staticmethod
    def rename(state: dict[str, Any]) -> dict[str, Any]:
        return {"step": "name"}


MISFITS = {
    "no path": (WithoutMigrations, "no migration of WithoutMigrations begins at version 1.*pinned"),
    "raises": (Raises, r"the migration rename\(\) from 1 to 2: rename\(\) raised KeyError"),
    "gives nothing": (GivesNothing, r"rename\(\) gave a NoneType; it must return the new state"),
    "gives no JSON": (GivesNoJSON, r"rename\(\) gave what is not JSON data"),
    "is incomplete": (Incomplete, r"KeyError: 'full_name'.*let the migrations give all that from_dict\(\) needs"),
    "a step is gone": (Journey, "'phone' is not a valid Step.*accept older forms"),
}


@pytest.mark.parametrize("misfit", MISFITS)
async def test_what_does_not_fit_is_an_error_and_nothing_is_lost(misfit: str, store: Any) -> None:
    # Given
    agent_class, words = MISFITS[misfit]
    await at_phone(store)
    before = await store.load("c", "signup")

    # When
    with pytest.raises(StateDecodeError, match=rf"conversation 'c' \(agent 'signup'.*{words}"):
        await agent_class(ScriptedLLM([]), store=store).send("c", "Still there?", message_id="m")

    # Then: the message is stored, the state is as it was, and code that fits answers that very message
    after = await store.load("c", "signup")
    assert (after.state, after.state_version) == (before.state, before.state_version)
    assert after.messages == [*before.messages, {"role": "user", "content": "Still there?"}]
    result = await Signup(ScriptedLLM(["Your email?"]), store=store).send("c", "Still there?", message_id="m")
    assert result.response == "Your email?"
    assert len(await store.history("c")) == len(before.messages) + 2


@pytest.mark.parametrize("misfit", MISFITS)
async def test_a_journey_may_begin_anew_where_a_state_does_not_fit(
    misfit: str, store: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await at_phone(store)
    before = await store.history("c")
    agent = MISFITS[misfit][0](ScriptedLLM(["Your name?"]), JourneyConfig(on_old_state="restart"), store=store)

    with caplog.at_level(logging.WARNING):
        result = await agent.send("c", "Still there?")

    assert result.state == {"step": "name", "full_name": ""}
    assert (await store.history("c"))[: len(before)] == before
    assert (await store.load("c", "signup")).state_version == agent.version
    [told] = [record.getMessage() for record in caplog.records]
    assert "begins anew" in told
    assert "step 'phone'" in told
    assert "Ada" not in told


async def test_restart_migrates_what_can_be_migrated(store: Any) -> None:
    await at_phone(store)

    agent = Signup(ScriptedLLM([]), JourneyConfig(on_old_state="restart"), store=store)

    assert await agent.get_state("c") == State(Step.EMAIL, "")


@pytest.mark.parametrize("policy", ["migrate", "restart", "error"])
async def test_a_state_of_newer_code_is_never_given_up(policy: Any, store: Any) -> None:
    await store.commit("c", "signup", expected_version=None, state={"step": "name", "name": ""}, state_version=9)

    with pytest.raises(StateDecodeError, match=r"of version 9, and Signup is of version 3\. Run the newer code"):
        await Signup(ScriptedLLM([]), JourneyConfig(on_old_state=policy), store=store).send("c", "Hi")

    assert (await store.load("c", "signup")).state_version == 9


async def test_error_refuses_what_could_be_migrated(store: Any) -> None:
    await at_phone(store)

    with pytest.raises(StateDecodeError, match="version 1, and on_old_state='error'"):
        await Signup(ScriptedLLM([]), JourneyConfig(on_old_state="error"), store=store).send("c", "Hi")


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ConfigError, match="on_old_state is 'pin'; give one of migrate, restart, error"):
        JourneyConfig(on_old_state="pin")  # type: ignore[arg-type]


# Staying with the older journey.


async def test_a_pinned_conversation_keeps_its_steps_prompts_and_tools_until_it_has_arrived(store: Any) -> None:
    # Given
    class Pinning(Journey):
        version = 2
        pinned = {1: OldSignup}  # noqa: RUF012  # as users write it

    await at_phone(store)
    llm = ScriptedLLM(["Your phone?", tool_call_reply("save", value="123"), "All done.", "Your name?"])
    agent = Pinning(llm, store=store)

    # When
    await agent.send("c", "Hello?")
    result = await agent.send("c", "123")
    other = await agent.send("new", "Hello?")

    # Then
    assert prompts_of(llm) == [
        "OldSignup asks for the phone.",
        "OldSignup asks for the phone.",
        "OldSignup asks for the done.",
        "Pinning asks for the name.",
    ]
    assert result.state == {"step": "done", "name": ""}
    assert other.state == {"step": "name", "full_name": ""}
    assert (await store.load("c", "signup")).state_version == 1
    assert (await store.load("new", "signup")).state_version == 2
    assert await agent.get_state("c") == OldState(OldStep.DONE, "")
    assert (await agent.send("c", "Thanks")).metadata["stopped_reason"] == "closing_message"


async def test_a_pinned_conversation_stays_so_with_messages_of_the_callers(store: Any) -> None:
    class Pinning(Journey):
        version = 2

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.pinned = {1: OldSignup()}

    await at_phone(store)
    llm = ScriptedLLM([tool_call_reply("save", value="123"), "All done."])

    await Pinning(llm, store=store).run(AgentContext(uuid4(), "c", [AgentMessage("user", "123")]))

    checkpoint = await store.load("c", "signup")
    assert (checkpoint.state, checkpoint.state_version) == ({"step": "done", "name": ""}, 1)


@pytest.mark.parametrize("way", ["send", "run"])
async def test_a_state_that_its_pinned_journey_does_not_read_either_begins_anew_on_the_new_one(
    way: str, store: Any
) -> None:
    class Pinning(Journey):
        version = 2
        pinned = {1: OldSignup}  # noqa: RUF012

    await store.commit("c", "signup", expected_version=None, state={"step": "fax"}, state_version=1)
    llm = ScriptedLLM(["Your name?"])
    agent = Pinning(llm, JourneyConfig(on_old_state="restart"), store=store)

    if way == "send":
        await agent.send("c", "Hi")
    else:
        await agent.run(AgentContext(uuid4(), "c", [AgentMessage("user", "Hi")]))

    assert prompts_of(llm) == ["Pinning asks for the name."]
    checkpoint = await store.load("c", "signup")
    assert (checkpoint.state, checkpoint.state_version) == ({"step": "name", "full_name": ""}, 2)


async def test_a_pinned_journey_that_cannot_be_built_says_what_to_give(store: Any) -> None:
    class Demanding(OldSignup):
        def __init__(self, tenant: str) -> None:
            super().__init__()

    class Pinning(Journey):
        version = 2
        pinned = {1: Demanding}  # noqa: RUF012

    await at_phone(store)

    with pytest.raises(ConfigError, match=r"Pinning\.pinned\[1\] is the class Demanding.*give an instance"):
        await Pinning(ScriptedLLM([]), store=store).send("c", "Hi")


@pytest.mark.parametrize(
    ("pinned", "words"),
    [
        ({1: "old"}, r"Wrong\.pinned\[1\] is 'old'; give a JourneyAgent or its class"),
        ({2: OldSignup}, r"Wrong\.pinned\[2\] is OldSignup, whose version is 1"),
        ({3: Signup}, r"Wrong\.pinned\[3\] is no older journey: Wrong\.version is 2"),
    ],
)
def test_a_wrong_pin_is_found_when_the_class_is_made(pinned: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        type("Wrong", (Journey,), {"version": 2, "pinned": pinned})


# Mistakes of the author are found when the class is made.


def keep(state: dict[str, Any]) -> dict[str, Any]:
    return state


def step(start: int, end: int) -> Any:
    return migrate(start, end)(staticmethod(lambda state: state))


@pytest.mark.parametrize(
    ("version", "migrations", "words"),
    [
        (0, [], "Wrong.version is 0; give a whole number from 1 on"),
        ("2", [], "Wrong.version is '2'"),
        (True, [], "Wrong.version is True"),
        (4, [(1, 2), (3, 4)], r"@migrate\(3, 4\) does not follow.*leads to 2 only"),
        (4, [(1, 3), (2, 4)], r"@migrate\(2, 4\) does not follow.*skips over it"),
        (3, [(1, 2), (1, 3)], r"@migrate\(1, 3\) begins where .* does"),
        (2, [(1, 2), (2, 3)], r"@migrate\(2, 3\) leads beyond Wrong.version, which is 2"),
        (3, [(1, 2)], r"Wrong.version is 3, and its last migration.*add one that is marked @migrate\(2, 3\)"),
    ],
)
def test_a_broken_chain_is_found_when_the_class_is_made(version: Any, migrations: Any, words: str) -> None:
    marked = {f"migration_{number}": step(*each) for number, each in enumerate(migrations)}

    with pytest.raises(ConfigError, match=words):
        type("Wrong", (Journey,), {"version": version, **marked})


@pytest.mark.parametrize("versions", [(2, 1), (2, 2), (0, 1), (1.0, 2), ("1", "2"), (True, 2)])
def test_versions_that_do_not_go_up_are_refused(versions: Any) -> None:
    with pytest.raises(ConfigError, match=r"does not go up|whole numbers from 1 on"):
        migrate(*versions)(staticmethod(keep))


def test_only_plain_static_methods_are_migrations() -> None:
    async def waits(state: dict[str, Any]) -> dict[str, Any]:
        return state

    methods: list[Any] = [classmethod(keep), waits, "text", JourneyAgent]  # type: ignore[arg-type]
    for method in methods:
        with pytest.raises(TypeError, match=r"@migrate\(1, 2\) marks"):
            migrate(1, 2)(method)


def test_a_function_is_marked_once() -> None:
    with pytest.raises(ConfigError, match="has two @migrate"):
        migrate(2, 3)(step(1, 2))


def test_an_old_chain_may_be_cut_at_its_beginning() -> None:
    kept = type("Kept", (Journey,), {"version": 3, "second": step(2, 3)})

    assert kept.version == 3  # type: ignore[attr-defined]
