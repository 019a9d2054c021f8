"""`agent-runtime store`: look after stored conversations, one file per group of commands."""

from agent_runtime_framework.cli.store.app import store

__all__ = ["store"]
