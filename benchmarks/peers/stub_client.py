"""The stub model as a client that speaks OpenAI's wire form."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from workload import Stub

sys.path.insert(0, str(Path(__file__).parent.parent))

from journey import StubModel, StubResponse

__all__ = ["StubClient"]


class StubClient(StubModel):
    """Answers as the stub does.

    Args:
        stub: The model.
    """

    def __init__(self, stub: Stub) -> None:
        self.stub = stub

    async def generate(
        self, messages: list[dict[str, Any]], *, tools: list[dict[str, Any]] | None = None, **kwargs: Any
    ) -> StubResponse:
        """The next reply."""
        offered = tools[0]["function"]["name"] if tools else None
        text, name, arguments = self.stub.answer(after_tool=messages[-1]["role"] == "tool", offered=offered)
        if not name:
            return StubResponse({"role": "assistant", "content": text})
        function = {"name": name, "arguments": json.dumps(arguments)}
        call = {"id": text, "type": "function", "function": function}
        return StubResponse({"role": "assistant", "content": None, "tool_calls": [call]})
