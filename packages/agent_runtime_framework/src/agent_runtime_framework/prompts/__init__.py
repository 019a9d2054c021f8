"""Prompts by step: templates, the mapping from step to prompt, and the manager that fills them in."""

from agent_runtime_framework.prompts.manager import PromptManager
from agent_runtime_framework.prompts.mapping import StepPromptMapping
from agent_runtime_framework.prompts.template import PromptTemplate

__all__ = ["PromptManager", "PromptTemplate", "StepPromptMapping"]
