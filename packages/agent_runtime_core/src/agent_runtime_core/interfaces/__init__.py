"""The protocols and base classes that hosts, clients and stores implement."""

from agent_runtime_core.interfaces.checkpoints import Checkpoint, CheckpointStore
from agent_runtime_core.interfaces.llm import LLMClient, LLMResponse, LLMStreamChunk

__all__ = ["Checkpoint", "CheckpointStore", "LLMClient", "LLMResponse", "LLMStreamChunk"]
