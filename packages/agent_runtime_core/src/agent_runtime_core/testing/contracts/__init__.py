"""Contracts as tests: subclass one, give the fixture that it asks for, and pytest runs it."""

from agent_runtime_core.testing.contracts.checkpoint_store import CheckpointStoreContract
from agent_runtime_core.testing.contracts.llm_client import LLMClientContract
from agent_runtime_core.testing.contracts.run_context import RunContextContract
from agent_runtime_core.testing.contracts.run_engine import RunEngineContract

__all__ = ["CheckpointStoreContract", "LLMClientContract", "RunContextContract", "RunEngineContract"]
