"""OpenAI's errors in our words: what happened, with which model, and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from agent_runtime_core.errors import LLMBadReply, LLMError, LLMTimeout, LLMUnavailable
from agent_runtime_core.llm.vendor_errors import clean_text, of_status

__all__ = ["translated"]

_ADVICE = {
    401: "Check the API key: api_key=, configure(openai_api_key=...) or the variable OPENAI_API_KEY.",
    404: "Check the model's name and base_url (it usually ends in /v1).",
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
        reason = clean_text(str(error.__cause__ or error), secret)
        if streaming:
            return LLMBadReply(f"The connection broke in the middle of the answer ({what}): {reason}", **details)
        return LLMUnavailable(f"No connection ({what}): {reason} Check the network and base_url.", **details)
    if isinstance(error, sdk.APIError):  # an error that is told inside of a stream
        status = _status_in(error)
        if status is not None:
            return _of_status(status, error, what, secret, details)
        return LLMBadReply(f"The server broke the answer off ({what}): {_vendor_text(error, secret)}", **details)
    if isinstance(error, (json.JSONDecodeError, UnicodeDecodeError)):
        return LLMBadReply(f"The answer is not valid JSON ({what}): {clean_text(str(error), secret)}", **details)
    return None


def _of_status(status: int, error: Any, what: str, secret: str, details: dict[str, Any]) -> LLMError:
    text = _vendor_text(error, secret)
    return of_status(status, text, what=what, error=error, advice=_ADVICE, details=details)


def _vendor_text(error: Any, secret: str) -> str:
    """The vendor's own words, one sentence, without secrets."""
    body = getattr(error, "body", None)
    text = body.get("message") if isinstance(body, Mapping) else body
    return clean_text(text if isinstance(text, str) and text.strip() else str(error), secret)


def _status_in(error: Any) -> int | None:
    """The HTTP status that an error inside of a stream gives as its code, if it does."""
    code = getattr(error, "code", None)
    if isinstance(code, str) and re.fullmatch(r"[45]\d\d", code):
        return int(code)
    words = {code, getattr(error, "type", None)}
    if words & {"rate_limit_exceeded", "rate_limit_error", "insufficient_quota"}:
        return 429
    return 500 if words & {"server_error", "internal_server_error", "overloaded_error"} else None
