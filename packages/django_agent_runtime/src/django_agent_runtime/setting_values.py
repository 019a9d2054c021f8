"""What may stand in `DJANGO_AGENT_RUNTIME`: the kinds of values, and the keys that would do nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from agent_runtime_core.errors import ConfigError

__all__ = ["check_engine", "check_value", "instead_of"]

_ENGINE = "runs wait in Django's database, and their events are rows there"
_LEFT_OUT = {
    "ENABLE_CHANNELS": "streams are served by Django itself (ENABLE_SSE)",
    "EVENT_TTL_SECONDS": "events stay as long as their run; `manage.py agent_prune` removes old ones",
    "LANGFUSE_ENABLED": "Langfuse reads OpenTelemetry: give TRACING_BACKEND 'otel' and send the spans there",
    "LANGFUSE_HOST": "Langfuse reads OpenTelemetry: give TRACING_BACKEND 'otel' and send the spans there",
    "LANGFUSE_PUBLIC_KEY": "Langfuse reads OpenTelemetry: give TRACING_BACKEND 'otel' and send the spans there",
    "LANGFUSE_SECRET_KEY": "Langfuse reads OpenTelemetry: give TRACING_BACKEND 'otel' and send the spans there",
    "MESSAGE_STORAGE_MODE": "messages are always rows of their conversation",
    "PERSIST_TOKEN_DELTAS": _ENGINE,
    "REDIS_URL": _ENGINE,
    "RUN_MODEL": "runs are django_agent_runtime.AgentRun",
    "CONVERSATION_MODEL": "conversations are django_agent_runtime.AgentConversation",
    "STEP_TIMEOUT_SECONDS": "a step of a workflow has a timeout of its own, a run RUN_TIMEOUT_SECONDS",
}
"""Keys that other versions know and that would do nothing here, with what there is instead."""


def instead_of(key: str) -> str | None:
    """What there is instead of a key that would do nothing; None for any other."""
    return "uploads are not part of this package" if key.startswith("FILE_") else _LEFT_OUT.get(key)


_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "bool": ("True or False", lambda value: isinstance(value, bool)),
    "int": ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "float": ("a number", lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)),
    "str": ("a text", lambda value: isinstance(value, str) and bool(value)),
    "list[str]": (
        "a list of texts",
        lambda value: isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value),
    ),
    "dict[str, str]": (
        "a dict of texts",
        lambda value: isinstance(value, dict) and all(isinstance(item, str) for pair in value.items() for item in pair),
    ),
}


def check_value(name: str, value: Any, kind: str, metadata: Mapping[str, Any]) -> None:
    """Make sure that a setting has a value that can work.

    Args:
        name: The key.
        value: What it was given.
        kind: Its annotation.
        metadata: May hold `fits`, what else must be true of it, and `bounds`, the same in words.

    Raises:
        ConfigError: It has not; the text names the key, and never shows a secret.
    """
    kind, _, none = kind.partition(" | ")
    if value is None and none:
        return
    or_none = " or None" if none else ""
    if kind.startswith("Literal"):
        choices = [choice.strip("' \"") for choice in kind[len("Literal[") : -1].split(",")]
        if value not in choices:
            raise ConfigError(f"{name} is {value!r}; give {' or '.join(map(repr, choices))}{or_none}.")
        return
    words, is_kind = _KINDS[kind]
    if not is_kind(value):
        shown = f"of type {type(value).__name__}" if name.endswith("_KEY") else repr(value)
        raise ConfigError(f"{name} is {shown}; give {words}{or_none}.")
    fits = metadata.get("fits")
    if fits is not None and not (math.isfinite(value) and fits(value)):
        raise ConfigError(f"{name} is {value!r}; give {words}, {metadata['bounds']}{or_none}.")


def check_engine(value: str) -> None:
    """Make sure that `ENGINE` names one.

    Raises:
        ConfigError: It does not; the text never shows a password.
    """
    scheme, separator, _ = value.partition("://")
    if value in ("in-process", "durable") or (separator and scheme in ("postgresql", "postgres", "sqlite")):
        return
    shown = f"{scheme}://..." if separator else value
    raise ConfigError(
        f"ENGINE is {shown!r}; give 'in-process', 'durable', or a URL such as 'postgresql://user@host/database' or "
        f"'sqlite:///runs.db'."
    )
