"""The quick start, unmodified."""

from __future__ import annotations

import pytest
from examples import quick_start
from examples.quick_start import OnboardingAgent, OnboardingState, OnboardingStep

from agent_runtime_core.interfaces import LLMClient
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply

DONE = OnboardingState(step=OnboardingStep.COMPLETE, name="Ada", email="ada@example.org")


async def test_a_model_that_calls_what_it_is_offered_arrives(talk):
    # Given
    llm = ScriptedLLM(
        [
            "Welcome! What is your name?",
            tool_call_reply("save_name", name="Ada"),
            "And your email?",
            tool_call_reply("save_email", email="ada@example.org"),
            "Thank you!",
        ],
        strict=True,
    )
    agent = OnboardingAgent(llm)

    # When
    await talk(agent, "Hello", "Ada", "ada@example.org")

    # Then
    assert await agent.get_state("a-conversation") == DONE


async def test_a_tool_of_another_step_is_refused(talk, tool_results):
    # Given
    agent = OnboardingAgent(
        ScriptedLLM(["Welcome!", tool_call_reply("save_email", email="ada@example.org"), "Your name?"], strict=True)
    )

    # When
    result = await talk(agent, "Hello", "ada@example.org")

    # Then
    assert tool_results(result) == ["Error: Unknown tool 'save_email'. Tools offered now: save_name."]
    assert await agent.get_state("a-conversation") == OnboardingState(step=OnboardingStep.COLLECT_NAME)


@pytest.mark.parametrize(
    "lines",
    [
        ("Hello", "Ada", "ada@example.org"),
        ("Hi there!", "my name is Ada", "my email is ada@example.org"),
        ("Ada", "ada@example.org"),
    ],
)
async def test_plain_answers_arrive_at_complete(talk, offline: LLMClient, lines: tuple[str, ...]):
    # Given
    agent = OnboardingAgent(offline)

    # When
    await talk(agent, *lines)

    # Then
    assert await agent.get_state("a-conversation") == DONE


async def test_it_goes_on_with_another_agent(talk, offline: LLMClient, store_url: str):
    # Given
    async with OnboardingAgent(offline, store=store_url) as agent:
        await talk(agent, "Hello", "Ada")

    # When
    async with OnboardingAgent(offline, store=store_url) as agent:
        await talk(agent, "ada@example.org")
        state = await agent.get_state("a-conversation")

    # Then
    assert state == DONE


async def test_part_five_runs_to_the_end(capsys: pytest.CaptureFixture[str]):
    # When
    await quick_start.main()

    # Then
    assert "Perfect! You're all set, Ada!" in capsys.readouterr().out
