"""What the tests of `agent-runtime worker` work for."""

import asyncio
import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import ClassVar

from agent_runtime_core.errors import LLMRejected
from agent_runtime_core.interfaces import LLMResponse
from agent_runtime_framework import BaseJourneyState, BaseJourneyTools, JourneyAgent, tool
from agent_runtime_framework.runtime import Runtime


class Step(str, Enum):
    TALK = "talk"
    OVER = "over"


@dataclass
class State(BaseJourneyState[Step]):
    step: Step = Step.TALK

    def is_complete(self):
        return self.step is Step.OVER


class Tools(BaseJourneyTools[State]):
    @tool(step=Step.TALK, to=Step.OVER)
    async def leave(self) -> None:
        """Say goodbye."""


def note(name: str) -> None:
    Path(name).touch()


def is_there(name: str) -> bool:
    return Path(name).exists()


class Echo:
    """Repeats the user's last words; `wait NAME` answers when a file of that name is there, `fail` once one is."""

    async def generate(self, messages, **kwargs):
        words = next(message["content"] for message in reversed(messages) if message["role"] == "user")
        if words.startswith("fail") and not await asyncio.to_thread(is_there, "mended"):
            raise LLMRejected(f"cannot say {words}", provider="echo")
        if words.startswith("wait "):
            name = words.removeprefix("wait ")
            await asyncio.to_thread(note, f"{name}.asked")
            while not await asyncio.to_thread(is_there, name):  # noqa: ASYNC110  # another process makes it
                await asyncio.sleep(0.01)
        return LLMResponse({"role": "assistant", "content": f"You said: {words}"})


class Talk(JourneyAgent[State, Tools, Step]):
    key = "talk"
    prompts: ClassVar = {Step.TALK: "Talk.", Step.OVER: "Say goodbye."}

    def __init__(self, **options):
        super().__init__(Echo(), **options)


class Other(Talk):
    key = "other"


class Speechless(Talk):
    key = "speechless"

    def __init__(self, **options):
        JourneyAgent.__init__(self, **options)


both = [Talk(), Other]
ready = Talk()
local = Runtime(Talk(), "sqlite:///journeys.db")
number = 7
nothing: list[Talk] = []
if os.environ.get("WITH_RUNTIME"):
    app = Runtime([Talk(), Other()], "sqlite:///journeys.db", "sqlite:///runs.db?poll_s=0.02")
