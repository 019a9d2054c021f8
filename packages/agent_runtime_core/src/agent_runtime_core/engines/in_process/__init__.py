"""Runs in this process: ordered, cancellable and followed like any others, and gone with the process."""

from agent_runtime_core.engines.in_process.engine import InProcessRunEngine

__all__ = ["InProcessRunEngine"]
