"""A tool as its declaration tells it: what the model is told, when it is offered, where it leads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from agent_runtime_framework.tools.signature import Signature

__all__ = ["ANY", "Requirement", "ToolSpec"]


class _Any:
    """Every step at which the journey is not over."""

    def __repr__(self) -> str:
        return "ANY"


ANY: Final = _Any()
"""For `@tool(step=ANY)`: the tool is offered at every step at which the journey is not over."""

Requirement = str | Callable[[Any], object]
"""The name of a field of the state that must hold something, or a function of the state."""


@dataclass(slots=True, eq=False)
class ToolSpec:
    """One tool of a journey, declared with `@tool`."""

    name: str
    """What the model calls it by: the method's name."""
    description: str
    """What it does: the docstring's text before its sections."""
    function: Callable[..., Any]
    """The method, not bound to an object."""
    signature: Signature
    """What it takes."""
    is_async: bool
    """Whether it is a coroutine function; others run in a thread."""
    steps: tuple[Any, ...] | None
    """The steps at which it is offered; None for every step at which the journey is not over."""
    to: tuple[Any, ...]
    """The steps it may lead to; empty when it stays."""
    requires: tuple[Requirement, ...]
    """What must hold for it to be offered."""
    timeout_s: float | None
    """Seconds that one call may take."""
    retries: int
    """How often it is tried again when it raises."""
    once: bool
    """Whether it runs at most once in a conversation."""
    idempotent: bool
    """Whether a call that broke off may be run again with its `idempotency_key`."""
    confirm: str | Callable[..., str] | None
    """The question that a person has to say yes to before it runs; None when nobody is asked."""
    ends_run: bool
    """Whether its success ends the run, with its result as the response."""
    sets: tuple[str, ...] | None
    """The fields of the state that it sets; None when its source is to tell."""
    file: str
    """Where it is written."""
    line: int
    """The line of its first decorator or its `def`."""
    openai_format: dict[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.openai_format = {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": self.signature.schema},
        }

    def to_openai_format(self) -> dict[str, Any]:
        """The tool in OpenAI's form; the same dict at each call."""
        return self.openai_format

    def belongs_to(self, step: Any) -> bool:
        """Whether it is declared for this step, or for every one."""
        return self.steps is None or step in self.steps

    def is_ready(self, state: Any) -> bool:
        """Whether all that it requires holds."""
        return all(
            _holds_something(getattr(state, each, None)) if isinstance(each, str) else each(state)
            for each in self.requires
        )


def _holds_something(value: Any) -> bool:
    """Whether a field was filled: 0 is an answer; None, False, an empty text and an empty list are none."""
    return bool(value) or (value == 0 and value is not False)
