"""The vendor's errors in our words: what happened, with which model, and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from agent_runtime_core.errors import (
    LLMBadReply,
    LLMError,
    LLMRateLimited,
    LLMRejected,
    LLMTimeout,
    LLMUnavailable,
)

__all__ = ["translated"]

_LONGEST_TEXT = 500
_SECRET = re.compile(r"\b(sk-|Bearer )\S+")  # vendors quote a wrong key, some of them whole

_ADVICE = {
    400: "Check the model's name, the messages and the tools.",
    401: "Check the API key: api_key=, configure(openai_api_key=...) or the variable OPENAI_API_KEY.",
    403: "The key may not use this model or this server: check its project and permissions.",
    404: "Check the model's name and base_url (it usually ends in /v1).",
    413: "The request is too large: send fewer or shorter messages.",
    422: "Check the model's name, the messages and the tools.",
}


def translated(error: Exception, sdk: Any, *, model: str, server: str, secret: str, streaming: bool) -> LLMError | None:
    """One of our errors for one of the SDK's, or None when it is none of those.

    Args:
        error: What the SDK raised.
        sdk: The vendor's module, which is handed in because one module alone imports it.
        model: The model that was asked.
        server: Who was asked, for the text.
        secret: The key, which is taken out of the vendor's words.
        streaming: Whether the answer had begun.
    """
    details: dict[str, Any] = {"provider": "openai", "model": model}
    what = f"{server}, model {model!r}"
    if isinstance(error, sdk.APIStatusError):
        details["request_id"] = error.request_id
        return _of_status(error.status_code, error, what, secret, details)
    if isinstance(error, sdk.APITimeoutError):
        return LLMTimeout(f"No answer in time ({what}). Give it longer (timeout=, in seconds) or ask less.", **details)
    if isinstance(error, sdk.APIConnectionError):
        reason = _clean(str(error.__cause__ or error), secret)
        if streaming:
            return LLMBadReply(f"The connection broke in the middle of the answer ({what}): {reason}", **details)
        return LLMUnavailable(f"No connection ({what}): {reason} Check the network and base_url.", **details)
    if isinstance(error, sdk.APIError):  # an error that is told inside of a stream
        status = _status_in(error)
        if status is not None:
            return _of_status(status, error, what, secret, details)
        return LLMBadReply(f"The server broke the answer off ({what}): {_vendor_text(error, secret)}", **details)
    if isinstance(error, (json.JSONDecodeError, UnicodeDecodeError)):
        return LLMBadReply(f"The answer is not valid JSON ({what}): {_clean(str(error), secret)}", **details)
    return None


def _of_status(status: int, error: Any, what: str, secret: str, details: dict[str, Any]) -> LLMError:
    """The error for an HTTP status, or for a status that was told inside of a stream."""
    details["status"] = status
    text = _vendor_text(error, secret)
    if status == 429:
        wait = _retry_after_s(error)
        advice = "Wait and try again" if wait is None else f"Try again in {wait:g} s"
        return LLMRateLimited(
            f"Too many requests, or the quota is used up (429, {what}): {text} {advice}.",
            retry_after_s=wait,
            **details,
        )
    if status in (408, 504):
        return LLMTimeout(f"The server gave up waiting ({status}, {what}): {text} Try again.", **details)
    if status >= 500:
        return LLMUnavailable(f"The server failed ({status}, {what}): {text} Try again later.", **details)
    advice = _ADVICE.get(status, "Check the request.")
    return LLMRejected(f"The request was refused ({status}, {what}): {text} {advice}", **details)


def _vendor_text(error: Any, secret: str) -> str:
    """The vendor's own words, one sentence, without secrets."""
    body = getattr(error, "body", None)
    text = body.get("message") if isinstance(body, Mapping) else body
    return _clean(text if isinstance(text, str) and text.strip() else str(error), secret)


def _clean(text: str, secret: str) -> str:
    """A foreign text as one sentence on one line, without the key, and not too long."""
    if secret:
        text = text.replace(secret, "***")
    text = _SECRET.sub(r"\1***", " ".join(text.split()))
    if len(text) > _LONGEST_TEXT:
        return f"{text[:_LONGEST_TEXT]}..."
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _status_in(error: Any) -> int | None:
    """The HTTP status that an error inside of a stream gives as its code, if it does."""
    code = getattr(error, "code", None)
    if isinstance(code, str) and re.fullmatch(r"[45]\d\d", code):
        return int(code)
    words = {code, getattr(error, "type", None)}
    if words & {"rate_limit_exceeded", "rate_limit_error", "insufficient_quota"}:
        return 429
    return 500 if words & {"server_error", "internal_server_error", "overloaded_error"} else None


def _retry_after_s(error: Any) -> float | None:
    """The seconds that the server asks to wait, from its headers, or None."""
    headers: Mapping[str, str] = getattr(getattr(error, "response", None), "headers", {})
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * unit)
        except (KeyError, ValueError):
            continue
    try:
        until = parsedate_to_datetime(headers["retry-after"])
        return max(0.0, (until - datetime.now(UTC)).total_seconds())
    except (KeyError, ValueError, TypeError):  # TypeError: a date without a time zone
        return None
