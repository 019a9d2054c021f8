"""Keeping states and messages between runs: typed faces over any backend."""

from agent_runtime_framework.memory.context import MemoryContext, MemoryManager, build_memory_context
from agent_runtime_framework.memory.key_value import InMemoryStore, MemoryStore
from agent_runtime_framework.memory.message import StoredMessage
from agent_runtime_framework.memory.store import ConversationStore, StateStore

__all__ = [
    "ConversationStore",
    "InMemoryStore",
    "MemoryContext",
    "MemoryManager",
    "MemoryStore",
    "StateStore",
    "StoredMessage",
    "build_memory_context",
]
