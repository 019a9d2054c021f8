"""The journey on our stores, with `send`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from workload import Peer, Place, Stub, serve

sys.path.insert(0, str(Path(__file__).parent.parent))

from journey import Onboarding
from stub_client import StubClient

from agent_runtime_framework import JourneyConfig


class Ours:
    """An agent and its store."""

    def __init__(self, place: Place) -> None:
        self.stub = Stub()
        url = place.text if place.is_postgresql else f"sqlite:///{place.text}?synchronous=full"
        config = JourneyConfig(max_history_messages=20) if place.variant == "window 20" else JourneyConfig()
        self.agent = Onboarding(StubClient(self.stub), config, store=url)

    async def send(self, conversation: str, text: str) -> None:
        """One run."""
        await self.agent.send(conversation, text)

    async def state(self, conversation: str) -> dict[str, Any]:
        """The stored state."""
        state = await self.agent.get_state(conversation)
        assert state is not None
        return state.to_dict()


@asynccontextmanager
async def opened(place: Place) -> AsyncIterator[Peer]:
    """The agent, closed at the end."""
    peer = Ours(place)
    async with peer.agent:
        yield peer


if __name__ == "__main__":
    serve(opened)
