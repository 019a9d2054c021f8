"""A tool schema in one line, one answer in one line, and an engine of twenty lines to drive journeys with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent_runtime_core.llm.offline import OfflineClient

ToolDict = dict[str, Any]


def make_tool(
    name: str, description: str = "", /, *, required: list[str] | None = None, **properties: dict[str, Any]
) -> ToolDict:
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
    }
    return {
        "type": "function",
        "function": {"name": name, "description": description, "parameters": parameters},
    }


@dataclass
class Answer:
    text: str
    call: tuple[str, dict[str, Any]] | None
    call_id: str | None = None


async def answer_to(
    text: Any,
    *tools: ToolDict,
    asked: str = "",
    prompt: str = "",
    history: list[dict[str, Any]] | None = None,
    **kwargs: Any,
) -> Answer:
    """What the client answers to one message, after a question or after a whole history."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": prompt}, *(history or [])]
    if asked:
        messages += [{"role": "user", "content": "hi"}, {"role": "assistant", "content": asked}]
    messages.append({"role": "user", "content": text})
    response = await OfflineClient(announce=False).generate(messages, tools=list(tools) or None, **kwargs)
    calls = response.tool_calls
    assert calls is None or len(calls) == 1
    return Answer(
        response.content,
        (calls[0].name, calls[0].arguments) if calls else None,
        calls[0].id if calls else None,
    )


@dataclass
class Journey:
    """Steps by name (prompt, tools) and tools as functions of a state dict that has `step`."""

    steps: dict[str, tuple[str, list[ToolDict]]]
    tools: dict[str, Callable[..., str]]
    state: dict[str, Any]
    messages: list[dict[str, Any]] = field(default_factory=list)
    called: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def say(self, text: str) -> str:
        return asyncio.run(self._run(text))

    async def _run(self, text: str) -> str:
        client = OfflineClient(announce=False)
        self.messages.append({"role": "user", "content": text})
        for _ in range(10):
            prompt, offered = self.steps[self.state["step"]]
            sent = [{"role": "system", "content": prompt}, *self.messages]
            response = await client.generate(sent, tools=offered or None)
            self.messages.append(response.message)
            if not response.tool_calls:
                if not offered and not self.state.get("is_complete"):
                    names = list(self.steps)  # a talking step: the next one follows
                    self.state["step"] = names[min(names.index(self.state["step"]) + 1, len(names) - 1)]
                return response.content
            for call in response.tool_calls:
                assert call.name in [tool["function"]["name"] for tool in offered]
                self.called.append((call.name, call.arguments))
                result = self.tools[call.name](self.state, **call.arguments)
                self.messages.append({"role": "tool", "content": result, "tool_call_id": call.id, "name": call.name})
        raise AssertionError("the client went on calling tools")


@pytest.fixture
def tool() -> Callable[..., ToolDict]:
    """Build a tool in OpenAI's form from a name, a description and schemas by parameter name."""
    return make_tool


@pytest.fixture
def answer() -> Callable[..., Any]:
    """Ask the client for one answer."""
    return answer_to


@pytest.fixture
def journey() -> type[Journey]:
    """Drive a journey with user messages."""
    return Journey
