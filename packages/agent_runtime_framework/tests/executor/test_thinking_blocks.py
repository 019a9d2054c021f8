"""What a model has thought before a tool call goes back to it with the tool's result."""

from __future__ import annotations

import pytest

from agent_runtime_core.interfaces import LLMStreamChunk
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply

THOUGHTS = [{"type": "thinking", "thinking": "The user has said a name.", "signature": "s"}]


class Thinks(ScriptedLLM):
    """Streams its thoughts with its tool calls, as the Anthropic client does."""

    async def stream(self, messages, *, tools=None, **kwargs):
        response = await self.generate(messages, tools=tools, **kwargs)
        yield LLMStreamChunk(
            delta=response.content,
            tool_calls=response.message.get("tool_calls"),
            thinking_blocks=response.message.get("thinking_blocks"),
            finish_reason="stop",
        )


@pytest.mark.parametrize("streaming", [False, True])
async def test_thoughts_go_back_with_the_result_and_are_stored(signup, streaming):
    # Given
    thinking = {**tool_call_reply("save_name", name="Ada"), "thinking_blocks": THOUGHTS}
    agent = signup.Agent(llm := Thinks([thinking, "How old?", "Still there?"]))

    # When
    if streaming:
        _ = [event async for event in agent.stream("c", "I am Ada")]
    else:
        await agent.send("c", "I am Ada")
    await agent.send("c", "hello")

    # Then
    assert llm.calls[1]["messages"][2]["thinking_blocks"] == THOUGHTS
    assert llm.calls[2]["messages"][2]["thinking_blocks"] == THOUGHTS
