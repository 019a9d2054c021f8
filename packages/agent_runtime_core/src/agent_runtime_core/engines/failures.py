"""What is kept of a failed attempt, and whether another one may go better."""

from __future__ import annotations

from agent_runtime_core.errors import (
    ConversationBusy,
    LeaseLost,
    LLMRateLimited,
    LLMTimeout,
    LLMUnavailable,
    StoreUnavailable,
)
from agent_runtime_core.interfaces.runs import RunRequest
from agent_runtime_core.interfaces.runtime import ErrorInfo
from agent_runtime_core.redaction import without_secrets

__all__ = ["described_failure"]

_MAY_PASS = (LLMTimeout, LLMRateLimited, LLMUnavailable, StoreUnavailable, ConversationBusy, LeaseLost, ConnectionError)


def described_failure(request: RunRequest, error: Exception) -> ErrorInfo:
    """Type and text of the error, without what looks like a key; retriable when it or its cause may pass by itself."""
    may_pass = isinstance(error, _MAY_PASS) or isinstance(error.__cause__, _MAY_PASS)
    return ErrorInfo(type=type(error).__name__, message=without_secrets(str(error)), retriable=may_pass)
