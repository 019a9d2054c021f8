"""OpenAI's errors in our words: what happened, with which model, and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agent_runtime_core.errors import LLMBadReply, LLMError, LLMTimeout, LLMUnavailable
from agent_runtime_core.llm.vendor_errors import clean_text, is_unreadable, of_status

__all__ = ["raise_told", "translated"]

_ADVICE = {
    401: "Check the API key: api_key=, configure(openai_api_key=...) or the variable OPENAI_API_KEY.",
    404: "Check the model's name and base_url (it usually ends in /v1).",
}


# Inside of an answer the HTTP status is 200, whatever happened; the error's code or kind tells it.
_STATUS_OF = {
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "permission_error": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "insufficient_quota": 429,
    "server_error": 500,
    "internal_server_error": 500,
    "overloaded_error": 500,
}


def raise_told(answer: Any, sdk: Any) -> None:
    """Raise the error that a server tells in an answer of status 200, as gateways do, as the SDK does in a stream.

    Args:
        answer: What the SDK made of the answer; one that holds no error, or a message beside it, passes.
        sdk: The vendor's module; None when it is not installed.
    """
    if sdk is None or getattr(answer, "choices", None):
        return
    told = getattr(answer, "error", None)
    if not isinstance(told, (str, Mapping)) or not told:
        return
    words = told.get("message") if isinstance(told, Mapping) else told
    text = words if isinstance(words, str) and words else "it told no reason"
    raise sdk.APIError(text, None, body=told)


def translated(
    error: Exception, sdk: Any, *, model: str, server: str, provider: str, secret: str, streaming: bool
) -> LLMError | None:
    """One of our errors for one of the SDK's, or None when it is none of those.

    Args:
        error: What the SDK raised.
        sdk: The vendor's module, which is handed in because one module alone imports it.
        model: The model that was asked.
        server: Who was asked, for the text.
        provider: Who was asked, as the client calls it.
        secret: The key, which is taken out of the vendor's words.
        streaming: Whether the answer had begun.
    """
    details: dict[str, Any] = {"provider": provider, "model": model}
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
    if isinstance(error, sdk.APIError):  # an error that is told inside of an answer
        status = _status_in(error)
        if status is not None:
            return _of_status(status, error, what, secret, details)
        return LLMBadReply(f"The server broke the answer off ({what}): {_vendor_text(error, secret)}", **details)
    if is_unreadable(error):
        hint = "" if streaming else " Is base_url the right address?"
        return LLMBadReply(f"The answer is not valid JSON ({what}): {clean_text(str(error), secret)}{hint}", **details)
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
    """The HTTP status that an error inside of an answer gives as its code, or that fits its kind; else None."""
    code = getattr(error, "code", None)
    if isinstance(code, str) and re.fullmatch(r"[45]\d\d", code):
        return int(code)
    kinds = (kind for kind in (code, getattr(error, "type", None)) if isinstance(kind, str))
    return next((_STATUS_OF[kind] for kind in kinds if kind in _STATUS_OF), None)
