"""Agents that keep their conversations in a store; this one is theirs, unless they have another."""

from __future__ import annotations

from typing import Any

from django_agent_runtime.stores import DjangoCheckpointStore

__all__ = ["keeps_conversations"]


def keeps_conversations(runtime: Any) -> bool:
    """Whether an agent keeps messages and states itself; one without a place for them gets Django's database.

    Agents are known by what they can do: `use_store(store)`, and `keeps_in_its_memory`, which says that they have no
    store of their own.
    """
    if not callable(getattr(runtime, "use_store", None)):
        return False
    if getattr(runtime, "keeps_in_its_memory", False) is True:
        runtime.use_store(DjangoCheckpointStore())
    return True
