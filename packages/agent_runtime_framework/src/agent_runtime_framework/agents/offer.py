"""What a journey offers to the model at one moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework.tools.corrections import Corrections
from agent_runtime_framework.tools.notes import JourneyNotes

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["NO_OFFER", "Offer", "offer_of"]


class Offer:
    """Tools in OpenAI's form: those of the journey first, then what corrects it.

    Args:
        tools: All of them.
        own: So many of them are the journey's own.
    """

    __slots__ = ("_own", "tools")

    def __init__(self, tools: list[dict[str, Any]], own: int) -> None:
        self.tools = tools
        """All of them."""
        self._own = own

    @property
    def own_tools(self) -> list[dict[str, Any]]:
        """Those of the journey."""
        return self.tools if len(self.tools) == self._own else self.tools[: self._own]

    def is_own(self, name: str) -> bool:
        """Whether the journey itself offers a tool of this name."""
        return any(each["function"]["name"] == name for each in self.own_tools)

    def by_name(self, journey: JourneyAgent[Any, Any, Any]) -> dict[str, dict[str, Any]]:
        """The `function` part of each tool.

        Args:
            journey: Whose offer it is; for the error text.

        Raises:
            ConfigError: Two have one name.
        """
        offer = {}
        for each in self.tools:
            function = each["function"]
            offer[function["name"]] = function
        if len(offer) != len(self.tools):
            names = ", ".join(each["function"]["name"] for each in self.tools)
            raise ConfigError(f"{type(journey).__name__} offers two tools of one name: {names}.")
        return offer


NO_OFFER = Offer([], 0)
"""No tools at all."""


def offer_of(
    journey: JourneyAgent[Any, Any, Any],
    state: Any,
    corrections: Corrections | None,
    notes: JourneyNotes,
    begin: Callable[[], Any],
) -> Offer:
    """Ask a journey for its tools as they are now, and add what corrects it.

    Args:
        journey: The journey.
        state: Its state.
        corrections: What can be corrected; None when it has no corrections.
        notes: What is remembered of the journey beside its state.
        begin: Gives the state that the journey begins with.

    Raises:
        ConfigError: What the journey gives are no schemas.
    """
    schemas = () if corrections is not None and notes.travel.cancelled else journey.get_tool_schemas(state)
    tools = []
    try:
        for schema in schemas:
            tools.append(schema.to_openai_format())
    except (AttributeError, TypeError) as error:
        raise ConfigError(
            f"{type(journey).__name__}.get_tool_schemas() gave {schemas!r:.100} at step {state.get_step()!r}; it must "
            f"give a list of ToolSchema, empty when there are none."
        ) from error
    if corrections is None or journey.is_terminal_state(state):
        return Offer(tools, len(tools))
    return Offer(corrections.beside(tools, state, begin, notes), len(tools))
