"""What the framework remembers of a journey beside its state: stored with it, under a key of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["JourneyNotes"]

_KEY = "_journey"
"""Where a stored state holds the notes; the state class never sees it."""


@dataclass(slots=True)
class JourneyNotes:
    """What has been done that a state does not tell."""

    once: dict[str, str] = field(default_factory=dict)
    """The results of the tools that run only once, by name."""

    @classmethod
    def taken_from(cls, data: dict[str, Any]) -> JourneyNotes:
        """The notes in a stored state; they are taken out of it."""
        found = data.pop(_KEY, None)
        if not isinstance(found, Mapping):
            return cls()
        once = found.get("once")
        return cls(once={str(name): str(result) for name, result in once.items()} if isinstance(once, Mapping) else {})

    def put_into(self, data: dict[str, Any]) -> dict[str, Any]:
        """A state to be stored, with the notes when there are any."""
        if not self.once:
            return data
        return {**data, _KEY: {"once": dict(self.once)}}

    def copy(self) -> JourneyNotes:
        """Notes of their own with the same content."""
        return JourneyNotes(once=dict(self.once))
