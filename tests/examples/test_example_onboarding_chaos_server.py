"""The linear journey with a server, none of ours, of which every other answer is a failure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator

import pytest
from examples.onboarding import OnboardingAgent

from agent_runtime_core.interfaces import LLMClient
from agent_runtime_core.llm import Retries, get_llm_client
from tests.aimock.server import ServerMissing, running_server

RUNS = 100  # with each protocol
LINES = ("Good morning!", "I am Ada", "ada@example.org")
CHAOS = ("--chaos-ratelimit", "0.3", "--chaos-drop", "0.1", "--chaos-disconnect", "0.1")
AT_ONCE = Retries(max_attempts=40, base_s=0.0, max_s=0.0)  # not even the pauses that the server asks for


@pytest.fixture(scope="module")
def chaotic_server(service_missing: Callable[[str, str], None]) -> Iterator[str]:
    """Its address."""
    try:
        with running_server(*CHAOS) as address:
            yield address
    except ServerMissing as error:
        service_missing("aimock", str(error))


@pytest.mark.parametrize(
    ("provider", "model", "path"),
    [("openai", "gpt-4o", "/v1"), ("anthropic", "claude-sonnet-4-6", "")],
    ids=["openai", "anthropic"],
)
async def test_every_conversation_arrives_though_half_of_the_answers_are_failures(
    chaotic_server: str, provider: str, model: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    client: LLMClient = get_llm_client(
        provider, model, api_key="test-key", base_url=chaotic_server + path, retries=AT_ONCE, max_concurrency=10
    )

    async def conversation(agent: OnboardingAgent, name: str) -> object:
        for line in LINES:
            async for _ in agent.stream(name, line):
                pass
        state = await agent.get_state(name)
        return state and state.to_dict()

    # When
    caplog.set_level(logging.INFO, "agent_runtime_core.llm.resilient")
    async with client, OnboardingAgent(client) as agent:
        ends = await asyncio.gather(*(conversation(agent, f"conversation-{number}") for number in range(RUNS)))

    # Then
    assert ends == [{"step": "done", "name": "Ada", "email": "ada@example.org"}] * RUNS

    # And there was something to survive: about one failure for each of the five answers of a conversation
    assert len(caplog.messages) > 3 * RUNS
    assert {"LLMRateLimited", "LLMUnavailable"} <= {message.split()[2] for message in caplog.messages}
