"""Conversations in the memory of this process."""

from agent_runtime_core.stores.memory.store import InMemoryCheckpointStore

__all__ = ["InMemoryCheckpointStore"]
