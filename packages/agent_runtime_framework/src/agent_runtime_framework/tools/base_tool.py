"""The mark of a tool that keeps no state."""

from __future__ import annotations

from abc import ABC

__all__ = ["BaseTool"]


class BaseTool(ABC):  # noqa: B024  # a mark: what a stateless tool can do is up to its author
    """Base class of tools that work on no journey state; it asks nothing of them."""
