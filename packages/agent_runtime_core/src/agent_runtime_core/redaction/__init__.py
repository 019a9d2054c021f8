"""Redaction: texts and data without the secrets in them, for logs, traces and whatever else is written down."""

from agent_runtime_core.redaction.plain_data import plain_data
from agent_runtime_core.redaction.secrets import without_secrets

__all__ = ["plain_data", "without_secrets"]
