"""What an agent came to, as its run's row keeps it: output, new messages, or an error."""

from __future__ import annotations

import traceback
from typing import Any

from agent_runtime_core.interfaces import ErrorInfo, RunResult
from agent_runtime_core.redaction import without_secrets
from django_agent_runtime.models.documents import to_document
from django_agent_runtime.runtime.plain_json import plain_json

__all__ = ["added_messages", "error_of", "output_of", "plain_info"]


def output_of(result: Any, agent_key: str) -> dict[str, Any]:
    """What an agent returned, as the row keeps it.

    Raises:
        TypeError: It is no `RunResult` or the like of one, or holds what is no JSON data.
    """
    names = [*RunResult.__dataclass_fields__]
    if not all(hasattr(result, name) for name in names):
        raise TypeError(f"{agent_key!r} returned a {type(result).__name__}; an agent's run returns a RunResult")
    output = {name: plain_json(getattr(result, name), name) for name in names}
    if not isinstance(output["final_messages"], list):
        raise TypeError(f"final_messages is a {type(result.final_messages).__name__}; give a list of messages")
    return output


def added_messages(output: dict[str, Any], given: list[Any], own: int) -> list[str]:
    """What a run adds to its conversation's history, as JSON texts: what came in, and what the agent says it has added.

    Args:
        output: As `output_of` gave it.
        given: The messages that the agent got.
        own: How many of them, at the end, are the run's.

    Raises:
        TypeError: They are no JSON data.
    """
    given, final = plain_json(given, "the input"), output["final_messages"]
    if final[: len(given)] == given:  # some agents hand back the whole conversation
        final = final[len(given) :]
    new = [*given[len(given) - own :], *final]
    kept = [message for message in new if isinstance(message, dict) and message.get("role") != "system"]
    return [to_document(message, "message") for message in kept]


def plain_info(error: Exception) -> ErrorInfo:
    """What can be seen of an error from outside of the agent."""
    stack = "".join(traceback.format_exception(error))
    return ErrorInfo(type=type(error).__name__, message=str(error), stack=stack)


def error_of(info: ErrorInfo) -> dict[str, Any]:
    """An error as the row keeps it, without what looks like a key."""
    info.message = without_secrets(str(info.message))
    try:
        details = plain_json(info.details, "details")
    except TypeError:
        details = {}
    return {
        "type": str(info.type),
        "message": info.message,
        "stack": without_secrets(str(info.stack or "")),
        "retriable": info.retriable,
        "details": details,
    }
