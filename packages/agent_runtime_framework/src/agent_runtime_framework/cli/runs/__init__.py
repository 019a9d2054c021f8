"""`agent-runtime runs`: looking after what an engine runs."""

from agent_runtime_framework.cli.runs.app import runs

__all__ = ["runs"]
