"""Runs of agents in this process: with a time limit, retries, cancellation and events."""

from agent_runtime_core.runner.config import RunnerConfig
from agent_runtime_core.runner.outcome import RunOutcome, RunStatus
from agent_runtime_core.runner.runner import AgentRunner

__all__ = ["AgentRunner", "RunOutcome", "RunStatus", "RunnerConfig"]
