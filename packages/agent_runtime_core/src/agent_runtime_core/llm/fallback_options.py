"""The options of a call, for a client of another vendor than the one that they were written for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["for_another_client"]

_FOR_ALL = frozenset(
    {
        *("tools", "tool_choice", "parallel_tool_calls", "response_format", "temperature", "top_p", "max_tokens"),
        *("stop", "stream", "stream_options", "thinking", "reasoning_effort", "timeout"),
    }
)
"""What every client of this package takes, or knows to leave out."""
_CALLED_ELSEWHERE = {"max_completion_tokens": "max_tokens", "stop_sequences": "stop"}
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def for_another_client(options: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The options that any client takes, in the common form, and the names of those that had to be left out."""
    common: dict[str, Any] = {}
    left_out: list[str] = []
    for name, value in options.items():
        known = _CALLED_ELSEWHERE.get(name, name)
        if known in _FOR_ALL:
            if name == known or options.get(known) is None:
                common[known] = value
        elif value is not None:
            left_out.append(name)
    thinking, choice = common.get("thinking"), common.get("tool_choice")
    if isinstance(thinking, Mapping):
        common["thinking"] = thinking.get("type") != "disabled"
    if isinstance(choice, Mapping):
        common["tool_choice"] = _choice(choice)
    return common, left_out


def _choice(choice: Mapping[str, Any]) -> Any:
    """A tool choice in OpenAI's form, which all clients take; one that is in it already passes."""
    kind = choice.get("type")
    if kind == "tool":
        return {"type": "function", "function": {"name": choice.get("name")}}
    return _CHOICES.get(kind, choice) if isinstance(kind, str) else choice
