"""What the borders of all vendors share: an HTTP status as our error, and foreign words without secrets."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from agent_runtime_core.errors import LLMError, LLMRateLimited, LLMRejected, LLMTimeout, LLMUnavailable
from agent_runtime_core.redaction.secrets import names_secret, without_secrets

__all__ = ["clean_text", "is_unreadable", "of_status", "retry_after_s"]

_LONGEST_TEXT = 500
_LONGEST_LOOK = 10_000  # so much of a text is searched for secrets
_SHORTEST_SECRET = 8
_SECRET = re.compile(r"\b(sk-|Bearer )\S+")  # vendors quote a wrong key, some of them whole

_ADVICE = {
    400: "Check the model's name, the messages and the tools.",
    402: "The account has no credit left, or its bill is not paid: see the vendor's billing page.",
    403: "The key may not use this model or this server: check its project and permissions.",
    404: "Check the model's name and base_url.",
    413: "The request is too large: send fewer or shorter messages.",
    422: "Check the model's name, the messages and the tools.",
}


def of_status(
    status: int, text: str, *, what: str, error: Any, advice: Mapping[int, str], details: dict[str, Any]
) -> LLMError:
    """The error for an HTTP status, or for a status that was told inside of a stream.

    Args:
        status: The status.
        text: The vendor's words, cleaned.
        what: The server and the model, for the text.
        error: The SDK's error, for the headers of its response.
        advice: What to do for a status, where this vendor differs from the others.
        details: Keywords of `LLMError`; the status is added to them.
    """
    details["status"] = status
    if status == 429:
        wait = retry_after_s(error)
        hint = "Wait and try again" if wait is None else f"Try again in {wait:g} s"
        return LLMRateLimited(
            f"Too many requests, or the quota is used up (429, {what}): {text} {hint}.",
            retry_after_s=wait,
            **details,
        )
    if status in (408, 504):
        return LLMTimeout(f"The server gave up waiting ({status}, {what}): {text} Try again.", **details)
    if status >= 500:
        return LLMUnavailable(f"The server failed ({status}, {what}): {text} Try again later.", **details)
    hint = advice.get(status) or _ADVICE.get(status, "Check the request.")
    return LLMRejected(f"The request was refused ({status}, {what}): {text} {hint}", **details)


def clean_text(text: str, *secrets: str) -> str:
    """A foreign text as one sentence on one line, without secrets, and not too long.

    Taken out are these, what the environment keeps under a name such as `GROQ_API_KEY`, and what looks like a key.
    """
    text = " ".join(text[:_LONGEST_LOOK].split())
    known = {value for value in secrets if len(value) > 5}  # a shorter one is no key: its letters are in every word
    known |= {value.strip() for name, value in os.environ.items() if names_secret(name)}
    for value in sorted(known, key=len, reverse=True):  # one may be the beginning of another
        if value in secrets or len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, "***")
    text = without_secrets(_SECRET.sub(r"\1***", text))
    if len(text) > _LONGEST_TEXT:
        return f"{text[:_LONGEST_TEXT]}..."
    return text if text.endswith((".", "!", "?")) else f"{text}."


def is_unreadable(error: Exception) -> bool:
    """Whether an answer was no JSON: other words, bytes that are no text, or so many brackets that no reader counts."""
    if isinstance(error, RecursionError):
        return "decoding" in str(error)  # or it is a request that cannot be written, which is its author's
    return isinstance(error, (json.JSONDecodeError, UnicodeDecodeError))


def retry_after_s(error: Any) -> float | None:
    """The seconds that the server asks to wait, from the headers of the error's response, or None."""
    headers: Mapping[str, str] = getattr(getattr(error, "response", None), "headers", None) or {}
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
