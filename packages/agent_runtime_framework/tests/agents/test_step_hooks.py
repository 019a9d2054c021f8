"""What happens when a journey comes to a step or leaves it: `@on_enter` and `@on_exit`."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from packages.agent_runtime_framework.tests.agents.graph_journeys import Onboarding, Speaking, State, Step

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import ANY, AgentContext, ToolRetry, configure, on_enter, on_exit

SAVE_NAME = tool_call_reply("save_name", name="Ada")


class Noting(Speaking):
    """Writes down which hooks run."""

    @on_exit(Step.NAME)
    def leave_name(self, state: State, ctx: AgentContext) -> None:
        state.log += f"-name@{state.step.value} "

    @on_enter(Step.EMAIL, Step.DONE)
    async def come(self, state: State, ctx: AgentContext) -> None:
        state.log += f"+{state.step.value}({ctx.conversation_id}) "

    @on_enter(ANY)
    def come_anywhere(self, state: State, ctx: AgentContext) -> None:
        state.log += f"*{state.step.value} "


async def state_of(agent: Onboarding, conversation_id: str = "c") -> State:
    state = await agent.get_state(conversation_id)
    assert state is not None
    return state


async def test_hooks_run_when_a_tool_moves_the_journey_and_their_changes_are_stored() -> None:
    agent = Noting(ScriptedLLM([SAVE_NAME]))
    await agent.send("c", "Hello")

    await agent.send("c", "Ada")

    assert (await state_of(agent)).log == "*name -name@email +email(c) *email "


async def test_hooks_run_when_a_talking_step_moves_on_and_not_at_the_start() -> None:
    agent = Noting(ScriptedLLM([]))

    await agent.send("c", "Hello")

    assert (await state_of(agent)).log == "*name "


async def test_a_tool_that_stays_runs_no_hook() -> None:
    agent = Noting(ScriptedLLM([tool_call_reply("explain"), "And your name?"]))
    await agent.send("c", "Hello")

    await agent.send("c", "Why?")

    assert (await state_of(agent)).log == "*name "


class Failing(Onboarding):
    error: Exception = ValueError("no mail server")

    @on_enter(Step.EMAIL)
    async def prepare(self, state: State, ctx: AgentContext) -> None:
        state.log = "half done"
        raise self.error


async def at_name(agent: Onboarding) -> None:
    await agent.send("c", "Hello")
    assert (await state_of(agent)).step is Step.NAME


async def test_a_failing_hook_undoes_its_tool() -> None:
    agent = Failing(ScriptedLLM(["Welcome!", SAVE_NAME, "Something went wrong."]))
    await at_name(agent)

    result = await agent.send("c", "Ada")

    assert await state_of(agent) == State(Step.NAME)
    assert result.messages[1].content == "Error executing save_name: no mail server"


async def test_a_hook_may_ask_the_model_to_mend_its_call() -> None:
    class Picky(Failing):
        error = ToolRetry("Give the full name.")

    agent = Picky(ScriptedLLM(["Welcome!", SAVE_NAME, "What is your full name?"]))
    await at_name(agent)

    result = await agent.send("c", "Ada")

    assert await state_of(agent) == State(Step.NAME)
    assert result.messages[1].content == "Error: Give the full name."


async def test_in_debug_mode_a_failing_hook_is_raised() -> None:
    configure(debug=True)
    agent = Failing(ScriptedLLM(["Welcome!", SAVE_NAME]))
    await at_name(agent)

    with pytest.raises(ValueError, match="no mail server"):
        await agent.send("c", "Ada")


async def test_a_hook_that_moves_the_journey_is_refused() -> None:
    class Moving(Onboarding):
        @on_enter(Step.EMAIL)
        def skip(self, state: State, ctx: AgentContext) -> None:
            state.step = Step.DONE

    agent = Moving(ScriptedLLM(["Welcome!", SAVE_NAME, "Something went wrong."]))
    await at_name(agent)

    result = await agent.send("c", "Ada")

    assert (await state_of(agent)).step is Step.NAME
    assert "Moving.skip (on_enter) has moved the journey" in str(result.messages[1].content)


async def test_a_hook_that_fails_after_a_talking_step_leaves_the_journey_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stuck(Onboarding):
        broken = True

        @on_exit(Step.WELCOME)
        def leave(self, state: State, ctx: AgentContext) -> None:
            state.log = "left"
            if self.broken:
                raise ValueError("secret words")

    agent = Stuck(ScriptedLLM(["Welcome!", "Welcome again!"]))
    with caplog.at_level(logging.WARNING):
        result = await agent.send("c", "Hello")

    assert result.response == "Welcome!"
    assert await state_of(agent) == State(Step.WELCOME)
    assert "raised ValueError" in caplog.text
    assert "secret words" not in caplog.text

    agent.broken = False
    await agent.send("c", "Hello?")
    assert await state_of(agent) == State(Step.NAME, log="left")


async def test_a_subclass_may_replace_a_hook_or_take_it_away() -> None:
    class Quiet(Noting):
        come_anywhere = None  # type: ignore[assignment]

        @on_enter(Step.NAME)
        def come(self, state: State, ctx: AgentContext) -> None:  # type: ignore[override]
            state.log += "own "

    agent = Quiet(ScriptedLLM([SAVE_NAME]))
    await agent.send("c", "Hello")
    await agent.send("c", "Ada")

    assert (await state_of(agent)).log == "own -name@email "


def test_a_hook_of_a_step_that_is_none_is_told_when_the_class_is_made() -> None:
    with pytest.raises(
        ConfigError, match=r"Wrong.come \(.*test_step_hooks.py:\d+\) .* @on_enter\('mail'\), which is no"
    ):

        class Wrong(Onboarding):
            @on_enter("mail")
            def come(self, state: State, ctx: AgentContext) -> None: ...


def test_a_hook_takes_the_state_and_the_context() -> None:
    with pytest.raises(ConfigError, match=r"Wrong.come \(.*test_step_hooks.py:\d+\) cannot be a hook"):

        class Wrong(Onboarding):
            @on_enter(Step.EMAIL)
            def come(self) -> None: ...


@pytest.mark.parametrize("decorator", [on_enter, on_exit])
def test_a_hook_without_a_step_is_refused(decorator: Any) -> None:
    with pytest.raises(ConfigError, match="names no step"):
        decorator(lambda self, state, ctx: None)
    with pytest.raises(ConfigError, match="names no step"):
        decorator()
    with pytest.raises(ConfigError, match="takes a method of a class"):
        decorator(Step.NAME)(3)
