"""What an author of a journey gets wrong is said at once, with what to do about it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_runtime_core.errors import ConfigError, StateEncodeError
from agent_runtime_core.events import TextDelta
from agent_runtime_core.interfaces import LLMStreamChunk
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import JourneyConfig, LLMExecutor, RunLimits, ToolSchemaBuilder


async def test_a_forgotten_await_around_a_tool_is_made_up_for(signup, context):
    agent = signup.Agent(ScriptedLLM([tool_call_reply("save_name", name="Ada"), "How old?"]))

    async def execute_tool(tools: Any, name: str, arguments: dict[str, Any]) -> Any:
        return getattr(tools, name)(**arguments)  # no await

    agent.execute_tool = execute_tool
    result = await agent.run(context("I am Ada"))

    assert result.state["name"] == "Ada"
    assert result.messages[1].content == "Saved Ada."


async def test_a_state_that_could_not_be_read_again_is_refused_before_anything_is_stored(signup):
    state_class: Any = signup.State

    class Forgetful(state_class):
        def to_dict(self):
            return {"step": self.step.value}

    agent = signup.Agent(llm := ScriptedLLM(["Hi"]))
    agent.get_initial_state = Forgetful

    with pytest.raises(StateEncodeError, match=r"from_dict\(\) does not read what to_dict\(\) gives: KeyError"):
        await agent.send("c", "hello")

    assert await agent.get_history("c") == []
    assert llm.call_count == 0


async def test_a_prompt_that_is_no_text_is_named(signup, context):
    agent = signup.Agent(ScriptedLLM(["Hi"]))

    async def get_system_prompt(state):
        return "Ask for the name."

    agent.get_system_prompt = get_system_prompt
    with pytest.raises(ConfigError, match=r"must give a text, and gave a coroutine.*leave out the"):
        await agent.run(context("hello"))

    agent.get_system_prompt = lambda state: 42
    with pytest.raises(ConfigError, match=r"must give a text, and gave 42"):
        await agent.run(context("hello"))


@pytest.mark.parametrize("schemas", [None, [{"type": "function"}], ToolSchemaBuilder("note").build(), ["note"]])
async def test_schemas_of_another_kind_are_named_with_the_step(signup, context, schemas):
    agent = signup.Agent(ScriptedLLM(["Hi"]))
    agent.get_tool_schemas = lambda state: schemas

    with pytest.raises(ConfigError, match=r"Agent.get_tool_schemas\(\) gave .*step <Step.NAME.*a list of ToolSchema"):
        await agent.run(context("hello"))


async def test_two_tools_of_one_name_are_refused(signup, context):
    agent = signup.Agent(ScriptedLLM([tool_call_reply("note", text="x")]))
    agent.get_tool_schemas = lambda state: [ToolSchemaBuilder("note").build(), ToolSchemaBuilder("note").build()]

    with pytest.raises(ConfigError, match="offers two tools of one name: note, note"):
        await agent.run(context("hello"))


def test_a_client_that_is_none_is_named_at_once(signup):
    with pytest.raises(ConfigError, match=r"'gpt-4o', which has no generate\(\); give a client object"):
        signup.Agent("gpt-4o")
    with pytest.raises(ConfigError, match="has no generate"):
        LLMExecutor(object())  # type: ignore[arg-type]


async def test_an_agent_without_a_key_keeps_no_conversation(signup):
    agent = signup.Agent(ScriptedLLM(["Hi"]))
    agent.key = ""

    with pytest.raises(ConfigError, match=r"Agent\.key is empty"):
        await agent.send("c", "hello")


@pytest.mark.parametrize("name", ["", "save name", "a" * 65, "näme"])
def test_a_name_that_no_vendor_takes_is_refused_by_the_builder(name):
    with pytest.raises(ConfigError, match="is no name for a tool"):
        ToolSchemaBuilder(name)


def test_a_type_that_json_schema_does_not_know_is_refused_by_the_builder():
    with pytest.raises(ConfigError, match="parameter 'age' of tool 'save_age' has the type 'int'; JSON Schema knows"):
        ToolSchemaBuilder("save_age").param("age", "int")


async def test_attributes_of_ones_own_do_not_meet_those_of_the_agent(signup, context):
    agent = signup.Agent(ScriptedLLM(["Hi"]))
    agent.log = agent.client = agent.run_id = object()

    assert (await agent.run(context("hello"))).response == "Hi"


async def test_a_stream_that_is_cut_by_the_deadline_tells_what_the_response_says(signup, context):
    class NeverEnds(ScriptedLLM):
        async def stream(self, messages, **kwargs):
            yield LLMStreamChunk(delta="Your name")
            await asyncio.Event().wait()

    agent = signup.Agent(NeverEnds(), JourneyConfig(limits=RunLimits(max_seconds=0.05)))
    events = [event async for event in agent.run_stream(context("hello"))]

    assert events[-1].response == f"Your name\n\n{agent.config.closing_text}"
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == events[-1].response


@pytest.mark.parametrize(
    "message",
    ["thanks, cancel my order", "thank you, the email is wrong", "bye, delete my data", "Thanks, I moved to Rome"],
)
def test_a_wish_behind_a_thank_you_is_heard(signup, message):
    assert not signup.Agent().is_closing_message(message)
