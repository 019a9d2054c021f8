"""Run contexts: kept in memory, in files that survive the process, or by an engine."""

from agent_runtime_core.contexts.durable import DurableRunContext
from agent_runtime_core.contexts.file import FileRunContext
from agent_runtime_core.contexts.in_memory import InMemoryRunContext
from agent_runtime_core.contexts.local import LocalRunContext, RunOptions

__all__ = ["DurableRunContext", "FileRunContext", "InMemoryRunContext", "LocalRunContext", "RunOptions"]
