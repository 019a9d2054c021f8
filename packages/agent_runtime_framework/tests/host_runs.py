"""Runs as a host makes them, in the contexts of the core, and what the host has seen of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from agent_runtime_core.contexts import FileRunContext, InMemoryRunContext

__all__ = ["Run", "context_class"]


class Run:
    """A context of the core, and what a host has seen of it, in order."""

    def __init__(self, make: Any, *messages: str, state: dict[str, Any] | None = None, **options: Any):
        self.told: list[tuple[str, Any]] = []
        said = [{"role": "user", "content": message} for message in messages]
        run = self

        class Seen(make):
            async def checkpoint(self, state: dict[str, Any]) -> None:
                await super().checkpoint(state)
                run.told.append(("state.checkpoint", await self.get_state()))

            async def get_state(self) -> dict[str, Any] | None:
                kept = await super().get_state()
                return state if kept is None else kept

        self.ctx = Seen(input_messages=said, on_event=lambda *event: self.told.append(event), **options)

    @property
    def names(self) -> list[str]:
        """The events' names; a checkpoint is told as Django's host tells it."""
        return [name for name, _ in self.told]

    def payloads(self, name: str) -> list[Any]:
        """What the events of a name have told."""
        return [payload for told, payload in self.told if told == name]


def context_class(kind: str, directory: Path) -> Any:
    """The class of a context of the core, `memory` or `file`."""
    if kind == "memory":
        return InMemoryRunContext

    class InDirectory(FileRunContext):
        def __init__(self, run_id: UUID | str | None = None, **options: Any) -> None:
            super().__init__(run_id, checkpoint_dir=directory, **options)

    return InDirectory
