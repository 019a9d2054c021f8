"""What an engine makes sure of before it takes a run over."""

from __future__ import annotations

from datetime import datetime

from agent_runtime_core.interfaces.runs import RunRequest
from agent_runtime_core.stores.json_data import check_json_object

__all__ = ["check_request"]


def check_request(request: RunRequest, at: datetime | None) -> None:
    """Make sure that a run can be taken over.

    Raises:
        TypeError: The input is not JSON data; the text says where and why.
        ValueError: An id or key is empty or no text for databases, a bound is not above 0, or `at` has no time zone.
    """
    for name in ("run_id", "agent_key", "order_key"):
        value = getattr(request, name)
        if not isinstance(value, str) or not value:
            raise ValueError(f"{name} is {value!r}; give a text that is not empty")
        if not _is_storable(value):
            raise ValueError(f"{name} is {value!r}; it has characters that no database takes as text")
    if request.max_attempts < 1:
        raise ValueError(f"max_attempts is {request.max_attempts}; a run is tried at least once")
    if request.timeout_s is not None and not request.timeout_s > 0:
        raise ValueError(f"timeout_s is {request.timeout_s}; give more than 0 seconds, or None for no limit")
    if at is not None and at.tzinfo is None:
        raise ValueError(f"at is {at.isoformat()}, which has no time zone; give one, such as datetime.now(UTC)")
    check_json_object(request.input, "input")


def _is_storable(text: str) -> bool:
    """Whether it is text without NUL and lone surrogates."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False
