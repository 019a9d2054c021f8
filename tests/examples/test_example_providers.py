"""A journey with each vendor's protocol: only the provider changes, and what is said and saved stays the same."""

from __future__ import annotations

import pytest
from examples.onboarding import OnboardingAgent

from agent_runtime_core.llm import get_llm_client

LINES = ("Good morning!", "I am Ada", "ada@example.org")


@pytest.mark.parametrize("streaming", [False, True], ids=["send", "stream"])
@pytest.mark.parametrize(
    ("provider", "model", "path"),
    [("openai", "gpt-4o", "/v1"), ("anthropic", "claude-sonnet-4-6", "")],
    ids=["openai", "anthropic"],
)
async def test_the_onboarding_ends_the_same_with_each_provider(
    aimock: str, provider: str, model: str, path: str, streaming: bool
) -> None:
    # Given
    client = get_llm_client(provider, model, api_key="test-key", base_url=aimock + path)
    agent = OnboardingAgent(client)

    # When
    async with agent, client:
        for line in LINES:
            if streaming:
                async for _ in agent.stream("ada", line):
                    pass
            else:
                await agent.send("ada", line)
        state = await agent.get_state("ada")
        history = await agent.get_history("ada")

    # Then
    assert state is not None
    assert state.to_dict() == {"step": "done", "name": "Ada", "email": "ada@example.org"}
    assert [message.content for message in history if message.role == "assistant"] == [
        "Welcome! What is your name?",
        None,
        "Nice to meet you. And your email address?",
        "I will write it down.",
        "Thank you, Ada. That is all.",
    ]
