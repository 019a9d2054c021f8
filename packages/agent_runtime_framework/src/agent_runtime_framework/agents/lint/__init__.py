"""Lint: what is wrong with a journey, found without a model."""

from agent_runtime_framework.agents.lint.finding import Finding, Severity
from agent_runtime_framework.agents.lint.linting import lint_journey
from agent_runtime_framework.agents.lint.rules import RULES, Rule

__all__ = ["RULES", "Finding", "Rule", "Severity", "lint_journey"]
