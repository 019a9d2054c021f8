"""What `make demo` shows: the onboarding journey from start to end, offline, saved in a SQLite file.

python examples/demo.py [STORE_URL]
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.llm import get_llm_client
from agent_runtime_core.messages import AgentMessage
from agent_runtime_core.stores import open_store
from agent_runtime_framework.cli.chat_session import ChatSession
from agent_runtime_framework.cli.chat_view import ChatOpening
from agent_runtime_framework.cli.failure import CommandError
from agent_runtime_framework.cli.screen import Screen
from agent_runtime_framework.cli.step_line import StepLine
from agent_runtime_framework.cli.target import load_agent
from agent_runtime_framework.cli.transcript import Transcript

LINES = ("Hello!", "I'm Ada.", "You can reach me at ada@example.org")


class WrittenLines:
    """A user who says what was written down; the rest is the chat of `agent-runtime chat`."""

    interactive = False

    def __init__(self, lines: tuple[str, ...]) -> None:
        self._left = list(lines)

    def read(self, runner: asyncio.Runner, steps: StepLine) -> str | None:
        return self._left.pop(0) if self._left else None


def main() -> int:
    """Run the demonstration and return the exit code."""
    store_url = sys.argv[1] if len(sys.argv) > 1 else "sqlite:///demo.db"
    conversation_id = f"demo-{secrets.token_hex(3)}"
    journey = os.path.relpath(Path(__file__).with_name("onboarding.py"))
    command = Path(sys.executable).with_name("agent-runtime")  # the one of this environment, on the PATH or not
    reopen = [os.path.relpath(command), "chat", journey, "--store", store_url, "--conversation", conversation_id]

    def opening(agent_key: str, history: list[AgentMessage]) -> ChatOpening:
        return ChatOpening(
            agent_key=agent_key,
            conversation_id=conversation_id,
            saved_in=store_url,
            reopen=shlex.join([*reopen, "--provider", "offline"]),
            history=history,
            offline=True,
            expected=False,
        )

    try:
        agent = load_agent(journey)
        agent.llm_client = get_llm_client(provider="offline", announce=False)  # the chat says so itself
        agent.store = open_store(store_url)
        resources = AsyncExitStack()
        resources.push_async_callback(agent.store.close)
        view = Transcript(Screen(), Screen(stderr=True), echo=True)
        return ChatSession(agent, conversation_id, WrittenLines(LINES), view, opening, resources).run()
    except (CommandError, ConfigError) as error:
        sys.stderr.write(f"Error: {error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
