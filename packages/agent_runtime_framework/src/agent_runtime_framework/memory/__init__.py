"""Keeping states and messages between runs: typed faces over any backend."""

from agent_runtime_framework.memory.context import MemoryContext, MemoryManager, build_memory_context
from agent_runtime_framework.memory.history_policy import HistoryPolicy, LastMessages, LastTokens, StoredHistory
from agent_runtime_framework.memory.key_value import InMemoryStore, MemoryStore
from agent_runtime_framework.memory.message import StoredMessage
from agent_runtime_framework.memory.store import ConversationStore, StateStore
from agent_runtime_framework.memory.summarise import SummariseOlder

__all__ = [
    "ConversationStore",
    "HistoryPolicy",
    "InMemoryStore",
    "LastMessages",
    "LastTokens",
    "MemoryContext",
    "MemoryManager",
    "MemoryStore",
    "StateStore",
    "StoredHistory",
    "StoredMessage",
    "SummariseOlder",
    "build_memory_context",
]
