"""Logs: records that say which run they belong to, without secrets, as lines or as JSON."""

from agent_runtime_core.logs.formats import JsonFormatter, LineFormatter
from agent_runtime_core.logs.run_ids import run_ids_sink
from agent_runtime_core.logs.setup import configure_logging, reset_logging
from agent_runtime_core.redaction.secrets import without_secrets

__all__ = [
    "JsonFormatter",
    "LineFormatter",
    "configure_logging",
    "reset_logging",
    "run_ids_sink",
    "without_secrets",
]
