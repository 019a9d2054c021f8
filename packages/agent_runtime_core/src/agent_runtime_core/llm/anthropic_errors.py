"""Anthropic's errors in our words: what happened, with which model, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_runtime_core.errors import LLMBadReply, LLMError, LLMRejected, LLMTimeout, LLMUnavailable
from agent_runtime_core.llm.vendor_errors import clean_text, is_unreadable, of_status

__all__ = ["raise_told", "translated"]

_ADVICE = {
    401: "Check the API key: api_key=, configure(anthropic_api_key=...) or the variable ANTHROPIC_API_KEY.",
    404: "Check the model's name and base_url (without /v1 at its end).",
}

# Inside of a stream the HTTP status is 200, whatever happened; the kind of the error tells it.
_STATUS_OF = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def raise_told(answer: Any, sdk: Any) -> None:
    """Raise the error that a server tells in an answer of status 200, as gateways do.

    Args:
        answer: What the SDK made of the answer; one that holds no error, or content beside it, passes.
        sdk: The vendor's module; None when it is not installed.
    """
    if sdk is None or getattr(answer, "content", None):
        return
    told = getattr(answer, "error", None)
    if not isinstance(told, (str, Mapping)) or not told:
        return
    raise sdk.APIError("it told no reason", None, body={"error": told})


def translated(
    error: Exception, sdk: Any, *, model: str, server: str, provider: str, secret: str, streaming: bool
) -> LLMError | None:
    """One of our errors for one of the SDK's (or of the HTTP library below it), or None when it is none of those.

    Args:
        error: What was raised.
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
        return _of_status(error, what, secret, details)
    if isinstance(error, sdk.APITimeoutError) or _is_of_transport(error, "TimeoutException"):
        return LLMTimeout(f"No answer in time ({what}). Give it longer (timeout=, in seconds) or ask less.", **details)
    # The SDK lets the HTTP library's own error out when a stream is cut.
    if isinstance(error, sdk.APIConnectionError) or _is_of_transport(error, "RequestError"):
        reason = clean_text(str(error.__cause__ or error), secret)
        if streaming:
            return LLMBadReply(f"The connection broke in the middle of the answer ({what}): {reason}", **details)
        return LLMUnavailable(f"No connection ({what}): {reason} Check the network and base_url.", **details)
    if is_unreadable(error):
        hint = "" if streaming else " Is base_url the right address?"
        return LLMBadReply(f"The answer is not valid JSON ({what}): {clean_text(str(error), secret)}{hint}", **details)
    if isinstance(error, sdk.APIError):
        if isinstance(error.body, Mapping):  # an error that is told inside of an answer
            return _told(error, what, secret, details)
        return LLMBadReply(f"The answer cannot be read ({what}): {clean_text(str(error), secret)}", **details)
    if isinstance(error, ValueError) and "Streaming is" in str(error):  # the SDK's guard against answers of > 10 min
        return LLMRejected(
            f"max_tokens is so high that a whole answer may take too long ({what}). "
            f"Use stream(), a lower max_tokens, or give the client a timeout= of your own.",
            **details,
        )
    return None


def _of_status(error: Any, what: str, secret: str, details: dict[str, Any]) -> LLMError:
    if error.status_code < 400:
        return _told(error, what, secret, details)
    _, text = _kind_and_text(error, secret)
    return of_status(error.status_code, text, what=what, error=error, advice=_ADVICE, details=details)


def _told(error: Any, what: str, secret: str, details: dict[str, Any]) -> LLMError:
    """An error that was told inside of an answer of status 200."""
    kind, text = _kind_and_text(error, secret)
    status = _STATUS_OF.get(kind) if isinstance(kind, str) else None
    if status is None:
        return LLMBadReply(f"The server broke the answer off ({what}): {text}", **details)
    return of_status(status, text, what=what, error=error, advice=_ADVICE, details=details)


def _kind_and_text(error: Any, secret: str) -> tuple[Any, str]:
    """The kind of an error and the vendor's own words, without secrets."""
    body = error.body if isinstance(error.body, Mapping) else {}
    told = body.get("error")
    kind = told.get("type") if isinstance(told, Mapping) else None
    words = told.get("message") if isinstance(told, Mapping) else told
    return kind, clean_text(words if isinstance(words, str) and words.strip() else str(error), secret)


def _is_of_transport(error: Exception, name: str) -> bool:
    """Whether an error is this one of the HTTP library, which is told by its name and not imported."""
    return any(
        each.__name__ == name and each.__module__.partition(".")[0] in ("httpx2", "httpx")
        for each in type(error).__mro__
    )
