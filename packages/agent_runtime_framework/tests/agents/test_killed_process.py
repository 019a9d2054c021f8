"""A process that is killed in the middle of a run: its last commit stands, and the conversation goes on."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.history import is_sendable
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply

JOURNEY = '''
import asyncio, sys
from dataclasses import dataclass, field
from enum import Enum
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import BaseJourneyState, BaseJourneyTools, JourneyAgent, JourneyConfig, ToolSchemaBuilder


class Step(str, Enum):
    SHOPPING = "shopping"
    PAID = "paid"


@dataclass
class Cart(BaseJourneyState[Step]):
    step: Step = Step.SHOPPING
    items: list = field(default_factory=list)

    def is_complete(self):
        return self.step is Step.PAID

    def to_dict(self):
        return {"step": self.step.value, "items": self.items}

    @classmethod
    def from_dict(cls, data):
        return cls(Step(data["step"]), data["items"])


async def stuck():
    """Tell the parent that the middle of it has been reached; it never ends by itself."""
    print("reached", flush=True)
    await asyncio.Event().wait()


class Tools(BaseJourneyTools):
    async def add(self, item):
        self.state.items.append(item)
        return f"Added {item}."

    async def pay(self):
        self.state.items.append("receipt")
        self.state.step = Step.PAID
        await self._notify_state_change()
        await stuck()

    async def count(self):
        return f"{len(self.state.items)} items."


class Shop(JourneyAgent):
    key = "shop"

    def get_initial_state(self):
        return Cart()

    def get_system_prompt(self, state):
        return "Sell."

    def get_tool_schemas(self, state):
        add = ToolSchemaBuilder("add").param("item", "string", required=True).build()
        return [add, ToolSchemaBuilder("pay").build(), ToolSchemaBuilder("count").build()]

    def create_tools(self, state, ctx):
        return Tools(state)

    async def execute_tool(self, tools, name, arguments):
        return await getattr(tools, name)(**arguments)


class Stuck(ScriptedLLM):
    """A model that never ends its second text."""

    async def generate(self, messages, **kwargs):
        if self.call_count == 2:
            await stuck()
        return await super().generate(messages, **kwargs)


SCRIPTS = {
    "in the first tool": [tool_call_reply("pay")],
    "in a later tool": [tool_call_reply("add", item="tea"), tool_call_reply("pay")],
    "in the second tool of a reply": [
        tool_call_reply("add", item="tea"),
        tool_call_reply("add", ("pay", {}), item="milk"),
    ],
    "in the model's answer": [tool_call_reply("add", item="tea"), tool_call_reply("add", item="milk"), "never said"],
}


async def main(store, where):
    async with Shop(Stuck(SCRIPTS[where]), JourneyConfig(lease_seconds=0.5), store=store) as agent:
        await agent.send("c", "Shop for me")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
'''


@pytest.fixture
def journey(tmp_path: Path) -> Path:
    file = tmp_path / "shop.py"
    file.write_text(JOURNEY)
    return file


def kill_in_the_middle(journey: Path, store: str, where: str) -> None:
    """Run the journey in a process of its own, and kill it where it says that it is."""
    with subprocess.Popen([sys.executable, str(journey), store, where], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reached\n"
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def loaded(journey: Path) -> Any:
    spec = spec_from_file_location("shop_of_this_test", journey)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for their module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("where", "items", "roles"),
    [
        ("in the first tool", None, ["user"]),
        ("in a later tool", ["tea"], ["user", "assistant", "tool"]),
        ("in the second tool of a reply", ["tea"], ["user", "assistant", "tool"]),
        ("in the model's answer", ["tea", "milk"], ["user", "assistant", "tool", "assistant", "tool"]),
    ],
)
def test_a_killed_process_leaves_its_last_commit_and_the_conversation_goes_on(journey, tmp_path, where, items, roles):
    store = f"sqlite:///{tmp_path}/shop.db"

    kill_in_the_middle(journey, store, where)

    async def look_and_go_on() -> None:
        shop = loaded(journey)
        llm = ScriptedLLM([tool_call_reply("count"), "Here you are."])
        async with shop.Shop(llm, store=store) as agent:
            # Then the last commit stands: a state and its messages
            state = await agent.get_state("c")
            history = [message.to_dict() for message in await agent.get_history("c")]
            assert (None if state is None else state.items) == items
            assert state is None or state.step is shop.Step.SHOPPING
            assert [message["role"] for message in history] == roles
            assert is_sendable(history)
            # and the conversation goes on from there
            result = await agent.send("c", "Hello?")
            assert result.response == "Here you are."
            assert result.messages[1].content == f"{len(items or [])} items."
            assert [message["role"] for message in llm.calls[0]["messages"]] == ["system", *roles, "user"]

    asyncio.run(look_and_go_on())
