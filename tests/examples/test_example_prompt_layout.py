"""A journey with instructions: across a change of step, a request begins with all that the one before began with."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from examples.onboarding import OnboardingAgent

from agent_runtime_core.llm.anthropic_wire import request_fields
from agent_runtime_core.llm.prompt_prefix import common_prefix
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply


class KindOnboarding(OnboardingAgent):
    instructions = "You are kind, and ask for one thing at a time."
    tools = "stable"


@pytest.fixture
async def asked() -> list[dict[str, Any]]:
    """The requests of a conversation that goes from step to step."""
    llm = ScriptedLLM(
        [
            "Hello!",
            tool_call_reply("save_name", name="Ada"),
            "And your email?",
            tool_call_reply("save_email", email="ada@example.org"),
            "Thank you.",
        ],
        strict=True,
    )
    agent = KindOnboarding(llm)
    for line in ("Hello", "I am Ada", "ada@example.org"):
        await agent.send("ada", line)
    return llm.calls


def for_anthropic(call: dict[str, Any]) -> dict[str, Any]:
    """The request as Anthropic reads it, block by block; its breakpoints are no part of what it compares."""
    fields = request_fields(call["messages"], model="m", tools=call["tools"], prompt_cache=False)
    blocks = [("system", block) for block in fields["system"]]
    for turn in fields["messages"]:
        content = turn["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        blocks += [(turn["role"], part) for part in parts]
    return {"messages": blocks, "tools": fields["tools"]}


@pytest.mark.parametrize("on_the_wire", [dict, for_anthropic], ids=["openai", "anthropic"])
async def test_only_the_step_s_prompt_is_new_beside_what_was_said(asked: list[dict[str, Any]], on_the_wire: Any):
    requests = [on_the_wire(call) for call in asked]

    for before, after in pairwise(requests):
        shared = common_prefix(before, after)
        assert shared.same_tools
        assert shared.messages == len(before["messages"]) - 1  # all but the prompt of the step, which comes last
    prompts = [call["messages"][-1] for call in asked]
    assert all(prompt["role"] == "system" for prompt in prompts)
    assert len({prompt["content"] for prompt in prompts}) == 4
