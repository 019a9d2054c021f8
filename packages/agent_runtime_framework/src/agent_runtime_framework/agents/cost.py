"""What replies have cost, as notes on the stored messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from agent_runtime_core.messages import MessageDict

__all__ = ["conversation_cost", "with_costs"]

_NOTE = "cost"


def with_costs(
    messages: list[MessageDict], first: int, costs: Mapping[int, tuple[Decimal | None, str]]
) -> list[MessageDict]:
    """The messages as they are stored: a reply with a known call carries its cost and its model in `metadata`.

    (Metadata are never sent to a model, so the messages of the run itself stay without.)

    Args:
        messages: New messages.
        first: The place of the first of them in the run.
        costs: Cost and model of replies, by their places in the run.
    """
    stored = list(messages)
    for place, (cost, model) in costs.items():
        if first <= place < first + len(stored):
            message = stored[place - first]
            note = {_NOTE: None if cost is None else str(cost), "model": model}
            stored[place - first] = {**message, "metadata": {**message.get("metadata", {}), **note}}
    return stored


def conversation_cost(messages: Iterable[Mapping[str, Any]]) -> Decimal | None:
    """The sum of the costs that messages carry; None when one of them says that its cost is not known."""
    total = Decimal(0)
    for message in messages:
        notes = message.get("metadata") or {}
        if _NOTE in notes and message.get("role") == "assistant":
            try:
                total += Decimal(notes[_NOTE])
            except (TypeError, ValueError, InvalidOperation):
                return None
    return total
