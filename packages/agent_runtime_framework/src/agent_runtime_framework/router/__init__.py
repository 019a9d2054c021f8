"""Which journey a user is looking for: by a tool call of the model, or by keywords."""

from agent_runtime_framework.router.detector import IntentDetector
from agent_runtime_framework.router.intent import IntentRouter
from agent_runtime_framework.router.route import RouteDefinition, RouteResult

__all__ = ["IntentDetector", "IntentRouter", "RouteDefinition", "RouteResult"]
