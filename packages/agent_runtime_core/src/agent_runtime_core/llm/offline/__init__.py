"""The offline client: conversations by rules, without network, key or AI."""

from agent_runtime_core.llm.offline.client import OfflineClient

__all__ = ["OfflineClient"]
