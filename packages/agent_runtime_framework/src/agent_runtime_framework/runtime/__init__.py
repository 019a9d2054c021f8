"""Agents on an engine: messages are submitted here or elsewhere, and runs outlive the process that does them."""

from agent_runtime_framework.runtime.reminder import Reminder
from agent_runtime_framework.runtime.results import RunNotSucceeded
from agent_runtime_framework.runtime.runtime import Runtime

__all__ = ["Reminder", "RunNotSucceeded", "Runtime"]
