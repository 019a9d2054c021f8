"""LiteLLM's errors in our words; it gives those of all vendors the names that OpenAI's SDK uses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from agent_runtime_core.errors import LLMBadReply, LLMError, LLMRejected, LLMTimeout, LLMUnavailable
from agent_runtime_core.llm.vendor_errors import clean_text, is_unreadable, of_status

__all__ = ["translated"]

_ADVICE = {
    400: "Check the model's name (vendor/model, as LiteLLM lists them), the messages and the tools.",
    401: "Check the key of this vendor: LiteLLM reads it from the vendor's own variable, or pass api_key=.",
}

_QUOTED = re.compile(r"\s*\b(Traceback \(most recent|Received(:| Chunk=)|Original exception:).*", re.DOTALL)
_NO_ANSWER = re.compile(r"invalid response|provider returned", re.IGNORECASE)
_OF_TRANSPORT = frozenset(
    {"APIConnectionError", "ClientError", "ConnectionError", "RequestError", "TimeoutError", "gaierror"}
)
_NOT_CONNECTED = re.compile(r"cannot connect|connect call failed|connection (refused|attempts failed)", re.IGNORECASE)
_BAD_KEY = re.compile(r"illegal header value|forbidden control character|header injection", re.IGNORECASE)
_NO_KEY = re.compile(r"missing (credentials|\S+ api[ _]key)", re.IGNORECASE)


def translated(error: Exception, *, model: str, secrets: Iterable[str], streaming: bool) -> LLMError | None:
    """One of our errors for one of LiteLLM's, or None when it is none of those.

    Args:
        error: What LiteLLM raised.
        model: The model that was asked.
        secrets: The keys of the request, which are taken out of the vendor's words.
        streaming: Whether the answer had begun.
    """
    vendor = getattr(error, "llm_provider", None)
    what = f"LiteLLM{f' for {vendor}' if vendor else ''}, model {model!r}"
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    details: dict[str, Any] = {"provider": "litellm", "model": model, "request_id": headers.get("x-request-id")}
    text = clean_text(_QUOTED.sub("", str(error)), *secrets)
    names = {each.__name__ for each in type(error).__mro__}
    status = getattr(error, "status_code", None)
    may_be_made_up = status == 500 or _NOT_CONNECTED.search(text)  # LiteLLM takes the 403 of port 54031 for a status
    inside = _what_is_inside(error) if may_be_made_up and not streaming else ""
    if "OpenAIError" in names and _NO_KEY.search(text):  # LiteLLM calls it a failing connection or server
        return LLMRejected(f"There is no key ({what}): {text} {_ADVICE[401]}", **details)
    if _BAD_KEY.search(text):
        return LLMRejected(f"The key cannot be sent ({what}): {text} Copy it anew. {_ADVICE[401]}", **details)
    if inside == "no request" and "APIConnectionError" in names:  # its name for everything that it does not expect
        return LLMRejected(f"LiteLLM cannot make this request ({what}): {text} {_ADVICE[400]}", **details)
    if inside == "no answer":  # its words quote what came instead, which may be a conversation
        return LLMBadReply(f"The answer cannot be read ({what}). Is api_base the right address?", **details)
    if inside == "no connection":
        return LLMUnavailable(f"No connection ({what}): {text} Check the network and api_base.", **details)
    if "APITimeoutError" in names:
        return LLMTimeout(f"No answer in time ({what}): {text} Give it longer (timeout=, in seconds).", **details)
    if "MidStreamFallbackError" in names or ("APIConnectionError" in names and streaming):
        return LLMBadReply(f"The connection broke in the middle of the answer ({what}): {text}", **details)
    if "APIConnectionError" in names:
        return LLMUnavailable(f"No connection ({what}): {text} Check the network and api_base.", **details)
    if "APIResponseValidationError" in names:
        return LLMBadReply(f"The answer cannot be read ({what}): {text}", **details)
    if "APIError" in names and isinstance(status, int) and status >= 400:
        return of_status(status, text, what=what, error=error, advice=_ADVICE, details=details)
    if "OpenAIError" in names:
        return LLMBadReply(f"The server broke the answer off ({what}): {text}", **details)
    if is_unreadable(error):
        return LLMBadReply(f"The answer is not valid JSON ({what}): {text}", **details)
    return None


def _what_is_inside(error: BaseException) -> str:
    """What a failing server (500) really was: `no answer`, `no connection`, `no request`, or empty for a server's word.

    LiteLLM calls everything so that it does not know, the answer of a wrong server among it.
    """
    inner: BaseException | None = error
    for depth in range(9):
        inner = inner.__cause__ or inner.__context__ if inner is not None else None
        names = {each.__name__ for each in type(inner).__mro__}
        if inner is None:
            return "no request" if depth else ""  # an error of LiteLLM's own, and nobody was reached for
        if names & {"HTTPStatusError", "APIStatusError"}:
            return ""
        if names & _OF_TRANSPORT:
            return "no connection"
        if (isinstance(inner, Exception) and is_unreadable(inner)) or _NO_ANSWER.search(str(inner)):
            return "no answer"
    return ""
