"""Runs that this process hosts itself: kept in memory, or in files that survive it."""

from agent_runtime_core.contexts.file import FileRunContext
from agent_runtime_core.contexts.in_memory import InMemoryRunContext
from agent_runtime_core.contexts.local import LocalRunContext, RunOptions

__all__ = ["FileRunContext", "InMemoryRunContext", "LocalRunContext", "RunOptions"]
