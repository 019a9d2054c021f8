"""Whom a client asks, as far as it says so itself."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["AskedModel", "asked_model", "text_in"]


class AskedModel(NamedTuple):
    """A model and who serves it."""

    model: str
    """The model; empty when it is not known."""
    provider: str
    """Who serves it, as in `get_llm_client(provider=...)`; empty when it is not known."""


def asked_model(client: Any) -> AskedModel:
    """What a client says by its attributes `default_model` and `provider`; one that has none is fine."""
    return AskedModel(text_in(client, "default_model"), text_in(client, "provider"))


def text_in(source: Any, name: str) -> str:
    """An attribute that is a text, else the empty text: clients, replies and test doubles are what users bring."""
    value = getattr(source, name, None)
    return value if isinstance(value, str) else ""
