"""What is stored of a finished run, and its end as it is told again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from agent_runtime_core.events import RunFinished
from agent_runtime_core.interfaces import Answered
from agent_runtime_core.messages import MessageDict

__all__ = ["last_words", "replayed", "run_record"]


def run_record(finished: RunFinished) -> dict[str, Any]:
    """A run's end as JSON data; its messages are in the history, and odd counts of a client's are left out."""
    record: dict[str, Any] = {
        "reason": finished.reason,
        "response": finished.response,
        "usage": {name: count for name, count in finished.usage.items() if isinstance(count, int)},
        "tool_calls_made": finished.tool_calls_made,
    }
    if finished.messages and finished.messages[-1].get("content") == finished.response:
        del record["response"]  # the last message says it
    if finished.cost is not None:
        record["cost"] = str(finished.cost)
    return record


def replayed(answered: Answered, state: dict[str, Any]) -> RunFinished:
    """The end of the run that has answered a message before.

    Args:
        answered: What the store keeps of it.
        state: The journey's state as it is now.
    """
    record = answered.result
    messages = [message for message in answered.messages if message.get("role") != "user"]
    last = messages[-1].get("content") if messages else ""
    cost = record.get("cost")
    return RunFinished(
        response=record.get("response", last if isinstance(last, str) else ""),
        reason=record.get("reason", "text_response"),
        messages=messages,
        usage=record.get("usage", {}),
        tool_calls_made=record.get("tool_calls_made", 0),
        state=state,
        cost=None if cost is None else Decimal(cost),
        replayed=True,
    )


def last_words(messages: list[MessageDict]) -> str | None:
    """The assistant's text that a conversation ends with, or None when it ends with something else."""
    last = messages[-1] if messages else {}
    said = last.get("content")
    if last.get("role") == "assistant" and not last.get("tool_calls") and isinstance(said, str):
        return said
    return None
