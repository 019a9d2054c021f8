"""The linear journey."""

from __future__ import annotations

import pytest

from agent_runtime_core.interfaces import LLMClient
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply

pytestmark = pytest.mark.parametrize("example", ["onboarding"], indirect=True)

AT_EMAIL = ("Welcome!", tool_call_reply("save_name", name="Ada"), "Your email?")


async def test_the_model_sees_one_step_at_a_time(example, talk, style):
    # Given
    llm = ScriptedLLM([*AT_EMAIL, tool_call_reply("save_email", email="ada@example.org"), "Thank you!"], strict=True)
    agent = example.OnboardingAgent(llm)

    # When
    await talk(agent, "Hello", "I'm Ada", "ada@example.org")

    # Then
    prompts = [call["messages"][0]["content"] for call in llm.calls]
    offered = [[tool["function"]["name"] for tool in call["tools"] or []] for call in llm.calls]
    way_back = ["go_back", "change_answer", "start_again", "cancel"] if style == "declared" else []
    assert offered == [[], ["save_name"], ["save_email", *way_back], ["save_email", *way_back], []]
    assert "Welcome" in prompts[0]
    assert "Ada" in prompts[2]
    assert "Thank" in prompts[4]


async def test_the_email_cannot_be_saved_before_the_name(example, talk, tool_results):
    # Given
    hasty = tool_call_reply("save_email", email="ada@example.org")
    agent = example.OnboardingAgent(ScriptedLLM(["Welcome!", hasty, "Your name first, please."], strict=True))

    # When
    result = await talk(agent, "Hello", "ada@example.org")

    # Then
    assert tool_results(result) == ["Error: Unknown tool 'save_email'. Tools offered now: save_name."]
    assert await agent.get_state("a-conversation") == example.OnboardingState(step=example.Step.NAME)


async def test_an_email_without_an_at_sign_is_asked_for_again(example, talk, tool_results):
    # Given
    wrong = tool_call_reply("save_email", email="ada.example.org")
    agent = example.OnboardingAgent(ScriptedLLM([*AT_EMAIL, wrong, "That is no address. Your email?"], strict=True))

    # When
    result = await talk(agent, "Hello", "I'm Ada", "ada.example.org")

    # Then
    assert tool_results(result) == ["ada.example.org is not an email address."]
    assert await agent.get_state("a-conversation") == example.OnboardingState(step=example.Step.EMAIL, name="Ada")


@pytest.mark.parametrize(
    "lines",
    [
        ("Hello!", "Ada", "ada@example.org"),
        ("hi", "My name is Ada.", "my email is ada@example.org"),
        ("Hi there, I want to join", "I'm Ada", "You can reach me at ada@example.org, thanks"),
        ("hello", "call me Ada please", "hm?", "It's ada@example.org."),
        ("hello", "I'm Ada and my email is ada@example.org"),
        ("Ada", "ada@example.org"),
    ],
)
async def test_plain_answers_arrive(example, talk, offline: LLMClient, lines: tuple[str, ...]):
    # Given
    agent = example.OnboardingAgent(offline)

    # When
    result = await talk(agent, *lines)

    # Then
    assert result.state == {"step": "done", "name": "Ada", "email": "ada@example.org"}
    assert "all set, Ada" in result.response


async def test_another_agent_goes_on_where_the_first_one_stopped(example, talk, offline: LLMClient, store_url: str):
    # Given
    async with example.OnboardingAgent(offline, store=store_url) as agent:
        await talk(agent, "Hello!", "I'm Ada")

    # When
    async with example.OnboardingAgent(offline, store=store_url) as agent:
        before = await agent.get_state("a-conversation")
        await talk(agent, "ada@example.org")
        after = await agent.get_state("a-conversation")
        history = await agent.get_history("a-conversation")

    # Then
    assert before == example.OnboardingState(step=example.Step.EMAIL, name="Ada")
    assert after == example.OnboardingState(step=example.Step.DONE, name="Ada", email="ada@example.org")
    assert [message.content for message in history if message.role == "user"] == [
        "Hello!",
        "I'm Ada",
        "ada@example.org",
    ]
