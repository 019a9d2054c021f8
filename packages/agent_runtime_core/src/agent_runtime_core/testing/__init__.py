"""What users test with: a scripted model, and the contracts that stores and clients of their own have to pass."""

from agent_runtime_core.testing.contracts import CheckpointStoreContract
from agent_runtime_core.testing.llm import ScriptedLLM, tool_call_reply

__all__ = ["CheckpointStoreContract", "ScriptedLLM", "tool_call_reply"]
