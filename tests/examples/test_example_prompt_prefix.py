"""What a vendor's cache can give to a journey: how much of each request is the beginning of the next."""

from __future__ import annotations

from itertools import pairwise

from examples.onboarding import OnboardingAgent

from agent_runtime_core.llm.prompt_prefix import common_prefix
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply


async def test_within_a_step_a_request_begins_with_the_whole_one_before() -> None:
    # Given a user who needs three lines to tell an address, at one step
    llm = ScriptedLLM(
        ["Hello!", tool_call_reply("save_name", name="Ada"), "And your email?", "I need it.", "Really.", "Please."]
    )
    agent = OnboardingAgent(llm)
    for line in ("Hello", "I am Ada", "Why?", "Hm.", "No."):
        await agent.send("ada", line)

    # When the requests of that step are compared with those before them
    requests = llm.calls[2:]
    shared = [common_prefix(before, after) for before, after in pairwise(requests)]

    # Then each holds the one before as a whole, and only what is new comes after it
    assert len(shared) == 3
    for prefix, before in zip(shared, requests, strict=False):
        assert prefix.same_tools
        assert prefix.messages == len(before["messages"])
        assert prefix.share > 0.75


async def test_a_new_step_brings_its_own_prompt_and_tools() -> None:
    llm = ScriptedLLM(["Hello!", tool_call_reply("save_name", name="Ada"), "And your email?"])
    agent = OnboardingAgent(llm)
    for line in ("Hello", "I am Ada"):
        await agent.send("ada", line)

    at_name, at_email = llm.calls[1:]

    assert not common_prefix(at_name, at_email).same_tools
