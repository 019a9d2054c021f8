"""What users test with: models that are scripted, faulty or recorded, run contexts, a guard, and contracts as tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_runtime_core.llm.real_calls import RealLLMCallForbidden
from agent_runtime_core.testing.agent_run import run_agent_test
from agent_runtime_core.testing.evaluation import LLMEvaluator
from agent_runtime_core.testing.faults import Fault, FaultyLLM
from agent_runtime_core.testing.function_llm import FunctionLLM
from agent_runtime_core.testing.llm import ScriptedLLM, tool_call_reply
from agent_runtime_core.testing.mock_llm import MockLLMClient, MockLLMResponse
from agent_runtime_core.testing.network_guard import forbid_real_llm_calls
from agent_runtime_core.testing.recording import RecordingLLM
from agent_runtime_core.testing.run_context import MockRunContext, create_test_context

if TYPE_CHECKING:
    from agent_runtime_core.testing.contracts import CheckpointStoreContract

__all__ = [
    "CheckpointStoreContract",
    "Fault",
    "FaultyLLM",
    "FunctionLLM",
    "LLMEvaluator",
    "MockLLMClient",
    "MockLLMResponse",
    "MockRunContext",
    "RealLLMCallForbidden",
    "RecordingLLM",
    "ScriptedLLM",
    "create_test_context",
    "forbid_real_llm_calls",
    "run_agent_test",
    "tool_call_reply",
]


def __getattr__(name: str) -> Any:
    if name != "CheckpointStoreContract":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from agent_runtime_core.testing.contracts import CheckpointStoreContract  # here: it needs pytest, the rest does not

    return CheckpointStoreContract
