"""Checkpointed workflows of `agent_runtime_core.steps` with their progress in Django's database."""

from django_agent_runtime.steps.context import DjangoRunContext
from django_agent_runtime.steps.executor import DjangoStepExecutor

__all__ = ["DjangoRunContext", "DjangoStepExecutor"]
