"""A step as lint sees it: its prompt, its tools, its end, and what could not be asked there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agent_runtime_framework.agents.source_moves import SourceMoves
from agent_runtime_framework.tools import ToolSpec

__all__ = ["CannotLook", "StepView", "ToolView"]


class CannotLook(Exception):
    """The journey does not let itself be looked at.

    Args:
        code: The rule.
        method: The method that fails.
        reason: Why: a sentence without its full stop; the steps are named behind it.
    """

    def __init__(self, code: str, method: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.method = method
        self.reason = reason


@dataclass(slots=True)
class ToolView:
    """One tool, declared or offered."""

    name: str
    """Its name."""
    description: str
    """What the model is told of it."""
    parameters: dict[str, Any]
    """Its parameters as JSON Schema."""
    spec: ToolSpec | None = None
    """Its declaration, when it has one."""
    function: Callable[..., Any] | None = None
    """The method that runs."""
    moves: SourceMoves | None = None
    """What its source does; None when there is no method."""

    @property
    def properties(self) -> dict[str, Any]:
        """The schemas of its parameters, by name."""
        properties = self.parameters.get("properties")
        return properties if isinstance(properties, dict) else {}


@dataclass(slots=True)
class StepView:
    """One step with what the journey answers there."""

    step: Any
    """The step."""
    tools: dict[str, ToolView] = field(default_factory=dict)
    """What may be offered there, by name."""
    twice: set[str] = field(default_factory=set)
    """Names that are offered twice at once."""
    prompt: str | None = None
    """The prompt; None when there is none to be had."""
    is_terminal: bool = False
    """Whether the journey is over there, whatever its data."""
    may_end: bool = False
    """Whether the journey may be over there."""
    may_talk: bool = False
    """Whether it may be a talking step: one that is not terminal and offers no tools of its own."""
    always_talks: bool = False
    """Whether it is one whatever its data."""
    next: Any = None
    """Where a talking step leads."""
    failures: list[CannotLook] = field(default_factory=list)
    """What could not be asked there."""

    @property
    def name(self) -> str:
        """The step's name."""
        return str(getattr(self.step, "name", self.step))
