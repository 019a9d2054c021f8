"""The state of a journey: the base classes to derive from, and the ways into JSON-ready data and into prompts."""

from agent_runtime_framework.state.journey_state import BaseJourneyState, BaseState, StepT
from agent_runtime_framework.state.serializer import StateSerializer
from agent_runtime_framework.state.template_variables import template_variables

__all__ = ["BaseJourneyState", "BaseState", "StateSerializer", "StepT", "template_variables"]
