"""Tools as a host knows them: a description, a function, and a registry that runs it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent_runtime_core.messages import ToolCall

if TYPE_CHECKING:
    from agent_runtime_core.interfaces.runtime import RunContext

__all__ = ["LLMToolCall", "Tool", "ToolDefinition", "ToolRegistry"]

LLMToolCall = ToolCall
"""The name under which hosts know `messages.ToolCall`."""


@dataclass
class Tool:
    """A function that a model may call."""

    name: str
    """What the model calls it by."""
    description: str
    """What it does, and when to call it."""
    parameters: dict[str, Any]
    """The JSON Schema of its arguments, an object."""
    handler: Callable[..., Any]
    """Gets the arguments as keywords. May be async; a plain function holds the event loop up while it runs."""
    has_side_effects: bool = False
    """Whether it changes anything outside."""
    requires_confirmation: bool = False
    """Whether a person should agree before it runs."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Notes of the application; `requires_context: True` makes the handler get the run as `ctx`."""

    def to_openai_format(self) -> dict[str, Any]:
        """The tool as it is offered to a model, in OpenAI's form."""
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": self.parameters},
        }


ToolDefinition = Tool
"""The other name of `Tool`."""


class ToolRegistry:
    """The tools of a run, by name."""

    def __init__(self) -> None:
        self._tools: dict[str, Tool] = {}

    def register(self, tool: Tool) -> None:
        """Add a tool; one of the same name is replaced."""
        self._tools[tool.name] = tool

    def get(self, name: str) -> Tool | None:
        """The tool of this name, or None."""
        return self._tools.get(name)

    def list_tools(self) -> list[Tool]:
        """All tools, in the order in which they were registered."""
        return list(self._tools.values())

    def to_openai_format(self) -> list[dict[str, Any]]:
        """All tools as they are offered to a model."""
        return [tool.to_openai_format() for tool in self._tools.values()]

    def get_tool_definitions(self) -> list[dict[str, Any]]:
        """The same as `to_openai_format()`."""
        return self.to_openai_format()

    async def execute(
        self, name: str, arguments: Mapping[str, Any], ctx: RunContext | None = None, **kwargs: Any
    ) -> Any:
        """Run a tool and return what its handler returns, unchanged.

        Args:
            name: The tool.
            arguments: What the model gave; the handler gets it as keywords.
            ctx: The run; the handler gets it when the tool's metadata ask for it.
            **kwargs: Further keywords for the handler.

        Raises:
            KeyError: There is no such tool.
            Exception: Whatever the handler raises.
        """
        tool = self._tools.get(name)
        if tool is None:
            raise KeyError(f"Tool not found: {name}")
        if ctx is not None and tool.metadata.get("requires_context"):
            kwargs["ctx"] = ctx
        result = tool.handler(**arguments, **kwargs)
        return await result if inspect.isawaitable(result) else result

    async def execute_with_events(self, tool_call: ToolCall | Mapping[str, Any], ctx: RunContext, **kwargs: Any) -> Any:
        """Run a model's tool call between two events of the run, `tool.call` and `tool.result`.

        Arguments that cannot be read are not made up: the tool does not run then, and the result is a text
        that starts with `Error` and says why.

        Args:
            tool_call: The call, read or as the model gave it.
            ctx: The run that gets the events.
            **kwargs: Further keywords for the handler.

        Raises:
            KeyError: There is no such tool.
            Exception: Whatever the handler raises; there is no `tool.result` then.
        """
        call = tool_call if isinstance(tool_call, ToolCall) else ToolCall(tool_call)
        names = {"tool_name": call.name, "tool_call_id": call.id}
        await ctx.emit("tool.call", {**names, "tool_args": call.arguments})
        result: Any
        if call.problem is None:
            result = await self.execute(call.name, call.arguments, ctx, **kwargs)
        else:
            result = f"Error: invalid arguments for '{call.name}': {call.problem}"
        await ctx.emit("tool.result", {**names, "result": result})
        return result
