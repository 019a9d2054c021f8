"""A journey whose model notes who asked it, and answers only while nobody holds it up."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from agent_runtime_core.testing import FunctionLLM, tool_call_reply
from django_agent_runtime.runtime.registry import register_runtime
from tests.django_project.journey import Onboarding

__all__ = ["Desk", "register"]


class Desk:
    """Files by which a test and its workers speak.

    Args:
        directory: Where they are.
    """

    def __init__(self, directory: Path) -> None:
        self._asked = directory / "asked"
        self._held = directory / "held"

    def hold(self) -> None:
        """Let the model answer nobody."""
        self._held.touch()

    def let_go(self) -> None:
        """Let it answer."""
        self._held.unlink(missing_ok=True)

    def asked(self) -> list[tuple[int, str]]:
        """Who has asked the model, and what was said last."""
        if not self._asked.exists():
            return []
        pairs = (line.split(" ", 1) for line in self._asked.read_text().splitlines())
        return [(int(pid), text) for pid, text in pairs]

    async def answer(self, messages: list[dict[str, Any]], tools: Any) -> Any:
        """The model's part."""
        last = messages[-1]
        with self._asked.open("a") as file:
            file.write(f"{os.getpid()} {last['role']}: {last['content']}\n")
        while self._held.exists():  # noqa: ASYNC110  # another process makes and removes it
            await asyncio.sleep(0.01)
        if last["role"] == "user" and str(last["content"]).startswith("I am "):
            return tool_call_reply("save_name", name=str(last["content"]).removeprefix("I am "))
        if last["role"] == "user" and str(last["content"]).startswith("Write to "):
            return tool_call_reply("save_email", email=str(last["content"]).removeprefix("Write to "))
        return f"You said: {last['content']}"


def register() -> None:
    """Register the journey."""
    desk = Desk(Path(os.environ["AGENT_RUNTIME_TEST_DESK"]))
    register_runtime(Onboarding(FunctionLLM(desk.answer)))
