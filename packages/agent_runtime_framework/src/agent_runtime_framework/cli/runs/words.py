"""A run in words and as JSON, without what was said in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agent_runtime_core.engines import RunInfo
from agent_runtime_framework.cli.terminal_text import one_line

__all__ = ["as_json", "as_line", "conversation_of", "shown_time"]


def as_line(info: RunInfo) -> str:
    """One line: id, status, when it was submitted, agent, conversation, and what went wrong."""
    parts = [info.run_id, info.status.value, shown_time(info.submitted_at), info.request.agent_key]
    parts.append(conversation_of(info))
    kind = str(info.request.input.get("kind") or "")
    if kind not in ("", "message"):
        parts.append(kind)
    if info.due_at is not None and info.started_at is None:
        parts.append(f"due {shown_time(info.due_at)}")
    if info.attempts > 1:
        parts.append(f"{info.attempts} attempts")
    if info.is_cancel_requested and not info.status.is_over:
        parts.append("asked to stop")
    if info.error is not None:
        parts.append(str(info.error.get("type")))
    return "  ".join(one_line(part) for part in parts if part)


def as_json(info: RunInfo, *, text: bool) -> dict[str, Any]:
    """The run as JSON data.

    Args:
        info: The run.
        text: Whether what was said is in it: the input, the result, and the words of an error.
    """
    given = info.request.input
    error = info.error
    data: dict[str, Any] = {
        "run_id": info.run_id,
        "status": info.status.value,
        "agent_key": info.request.agent_key,
        "order_key": info.request.order_key,
        "conversation_id": given.get("conversation_id"),
        "owner": given.get("owner"),
        "kind": given.get("kind"),
        "submitted_at": info.submitted_at.isoformat(),
        "due_at": _iso(info.due_at),
        "started_at": _iso(info.started_at),
        "finished_at": _iso(info.finished_at),
        "attempts": info.attempts,
        "max_attempts": info.request.max_attempts,
        "timeout_s": info.request.timeout_s,
        "is_cancel_requested": info.is_cancel_requested,
        "worker": info.worker,
        "error": error if text or error is None else {name: error.get(name) for name in ("type", "retriable")},
    }
    return {**data, "input": given, "result": info.result} if text else data


def conversation_of(info: RunInfo) -> str:
    """The run's conversation with its owner before it, else what orders it."""
    given = info.request.input
    conversation, owner = given.get("conversation_id"), given.get("owner")
    if conversation is None:
        return info.request.order_key
    return f"{owner}/{conversation}" if owner else str(conversation)


def shown_time(moment: datetime | None) -> str:
    """A time for people; nothing for none."""
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%SZ")


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
