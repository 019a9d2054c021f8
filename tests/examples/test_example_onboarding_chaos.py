"""The linear journey with a model of which every other call fails."""

from __future__ import annotations

import random
from typing import Any

import pytest
from examples.onboarding import OnboardingAgent

from agent_runtime_core.interfaces import LLMClient
from agent_runtime_core.llm import FallbackClient, ResilientClient, Retries
from agent_runtime_core.testing import Fault, FaultyLLM

RUNS = 200
LINES = ("Hello!", "My name is Ada", "ada@example.org")
DONE = {"step": "done", "name": "Ada", "email": "ada@example.org"}
KINDS = [Fault("rate_limit", retry_after_s=3.0), Fault("rate_limit"), Fault("server_error"), Fault("timeout")]


class Pauses(list[float]):
    """Takes the place of sleeping."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def chaotic(offline: LLMClient, seed: int) -> FaultyLLM:
    """The offline client, of which every other call fails on average."""
    return FaultyLLM(offline, probability=0.5, kinds=KINDS, seed=seed)


async def conversation(agent: OnboardingAgent, name: str, streaming: bool) -> tuple[dict[str, Any], list[str]]:
    """Where a whole conversation arrives, and what the user has said and heard in it, by role."""
    for line in LINES:
        if streaming:
            async for _ in agent.stream(name, line):
                pass
        else:
            await agent.send(name, line)
    state = await agent.get_state(name)
    assert state is not None
    return state.to_dict(), [message.role for message in await agent.get_history(name)]


@pytest.mark.parametrize("streaming", [False, True], ids=["send", "stream"])
async def test_every_conversation_arrives_though_half_of_the_calls_fail(offline: LLMClient, streaming: bool):
    # Given
    faulty, pauses = chaotic(offline, seed=2026), Pauses()
    retries = Retries(max_attempts=30)
    llm = ResilientClient(faulty, retries=retries, sleep=pauses, chance=random.Random(1).random)
    _, undisturbed = await conversation(OnboardingAgent(offline), "undisturbed", streaming)

    # When
    async with OnboardingAgent(llm) as agent:
        ends = [await conversation(agent, f"conversation-{number}", streaming) for number in range(RUNS)]

    # Then all of them are where they would be without a failure, message by message
    assert ends == [(DONE, undisturbed)] * RUNS

    # And there were failures, each followed by a pause
    failed = [fault for fault in faulty.faults if fault]
    assert 0.45 < len(failed) / len(faulty.faults) < 0.55
    assert len(pauses) == len(failed)
    assert max(pauses) <= retries.max_s


async def test_two_bad_vendors_make_a_good_one(offline: LLMClient):
    # Given two vendors, each with the retries that it has by default
    vendors = [ResilientClient(chaotic(offline, seed), sleep=Pauses()) for seed in (1, 2)]

    # When
    async with OnboardingAgent(FallbackClient(vendors)) as agent:
        ends = [(await conversation(agent, f"conversation-{number}", streaming=True))[0] for number in range(RUNS)]

    # Then
    assert ends == [DONE] * RUNS
