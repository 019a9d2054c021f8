"""Why a stream ended without an answer, in words that say where to look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["is_made_up", "why_unfinished"]

_MEDIA_TYPE = re.compile(r"[a-z]+/[\w.+-]{1,60}", re.IGNORECASE)


def why_unfinished(stream: Any, *, begun: bool, setting: str = "base_url") -> str:
    """What to say of a stream in which the model has not said why it stopped.

    Args:
        stream: The SDK's stream; its `response` tells what the server has sent.
        begun: Whether anything of an answer has come.
        setting: What the address is called, for the text.
    """
    if begun:
        return "The stream ended before the answer did; what came of it is not complete."
    headers = getattr(getattr(stream, "response", None), "headers", None)
    told = headers.get("content-type") if isinstance(headers, Mapping) else None
    kind = _MEDIA_TYPE.match(told) if isinstance(told, str) else None
    if kind and kind[0].lower() != "text/event-stream":
        return f"The server does not stream an answer, it sent {kind[0]}: is {setting} the right address?"
    return f"The stream holds nothing of an answer: is {setting} the right address?"


def is_made_up(stream: Any) -> bool:
    """Whether a stream of LiteLLM has ended with a "stop" that no model has said: it adds one to what broke off."""
    names = ("received_finish_reason", "intermittent_finish_reason")
    return all(getattr(stream, name, "told") is None for name in names)
