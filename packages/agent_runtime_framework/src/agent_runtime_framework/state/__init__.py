"""The state of a journey: the base classes to derive from, and the way into JSON-ready data."""

from agent_runtime_framework.state.journey_state import BaseJourneyState, BaseState, StepT
from agent_runtime_framework.state.serializer import StateSerializer

__all__ = ["BaseJourneyState", "BaseState", "StateSerializer", "StepT"]
