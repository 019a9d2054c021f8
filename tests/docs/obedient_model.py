"""A model that does what it is told: it calls what it is offered, and else it talks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_runtime_core.interfaces import LLMResponse
from agent_runtime_core.testing import tool_call_reply

__all__ = ["ObedientModel"]


class ObedientModel:
    """Answers a user's message with a call of the first offered tool, and everything else in words.

    Args:
        known: The arguments that it can give, by the parameter's name.
    """

    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known = known

    async def generate(
        self, messages: list[dict[str, Any]], *, tools: list[dict[str, Any]] | None = None, **options: Any
    ) -> LLMResponse:
        """Call the first offered tool, or talk."""
        if not tools or messages[-1]["role"] != "user":
            return LLMResponse({"role": "assistant", "content": "Tell me more."})
        function = tools[0]["function"]
        arguments = {name: self._known[name] for name in function["parameters"]["properties"]}
        return LLMResponse(tool_call_reply(function["name"], **arguments))
