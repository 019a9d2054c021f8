"""Engines: what executes runs. One in this process by default; a durable one behind the extra `durable`."""

from agent_runtime_core.engines.failures import described_failure
from agent_runtime_core.engines.in_process import InProcessRunEngine
from agent_runtime_core.engines.metrics import EngineMetrics, engine_metrics
from agent_runtime_core.engines.registry import open_engine
from agent_runtime_core.interfaces.run_engine import DescribeError, DurableContext, RunEngine, RunWork
from agent_runtime_core.interfaces.runs import EngineHealth, RunEnd, RunInfo, RunRequest, RunStatus

__all__ = [
    "DescribeError",
    "DurableContext",
    "EngineHealth",
    "EngineMetrics",
    "InProcessRunEngine",
    "RunEnd",
    "RunEngine",
    "RunInfo",
    "RunRequest",
    "RunStatus",
    "RunWork",
    "described_failure",
    "engine_metrics",
    "open_engine",
]
