"""Names that user code imports today are where it imports them from, and are the same object everywhere."""

from __future__ import annotations

import importlib

import pytest

FRAMEWORK = "agent_runtime_framework"
PROMISED = {
    "": """
        FrameworkConfig get_config set_config configure is_debug should_swallow_exceptions
        BaseJourneyState StateSerializer
        BaseJourneyTools ToolSchema ToolSchemaBuilder ToolParameter ToolResult
        JourneyAgent JourneyConfig AgentContext AgentMessage AgentResult
        LLMExecutor LLMExecutorConfig Executor ExecutorConfig ExecutorHooks CompositeHooks LoggingHooks
        ToolExecutor CallableToolExecutor MethodToolExecutor
        MemoryStore InMemoryStore StateStore ConversationStore
        MemoryContext MemoryManager build_memory_context
        PromptTemplate StepPromptMapping PromptManager
        IntentRouter IntentDetector RouteDefinition
        __version__
    """,
    ".config": "FrameworkConfig get_config set_config configure is_debug should_swallow_exceptions",
    ".state": "BaseState BaseJourneyState StateSerializer",
    ".tools": "BaseTool BaseJourneyTools ToolResult ToolSchema ToolSchemaBuilder ToolParameter",
    ".agents": "BaseAgent AgentContext AgentResult AgentMessage JourneyAgent JourneyConfig",
    ".executor": """
        LLMExecutor LLMExecutorConfig Executor ExecutorConfig ExecutionResult
        ToolExecutor CallableToolExecutor MethodToolExecutor ExecutorHooks LoggingHooks CompositeHooks
    """,
    ".executor.loop": """
        LLMExecutor LLMExecutorConfig Executor ExecutorConfig ExecutionResult
        ToolExecutor CallableToolExecutor MethodToolExecutor ExecutorHooks
    """,
    ".executor.hooks": "ExecutorHooks LoggingHooks CompositeHooks",
    ".memory": """
        MemoryStore InMemoryStore StateStore ConversationStore StoredMessage
        MemoryContext MemoryManager build_memory_context
    """,
    ".memory.store": "MemoryStore InMemoryStore StateStore ConversationStore StoredMessage",
    ".memory.context": "MemoryContext MemoryManager build_memory_context",
    ".prompts": "PromptManager StepPromptMapping PromptTemplate",
    ".prompts.manager": "PromptManager StepPromptMapping PromptTemplate preference_enricher",
    ".router": "IntentRouter RouteDefinition RouteResult IntentDetector",
    ".router.intent": "IntentRouter RouteDefinition RouteResult IntentDetector create_reroute_tool",
    ".adapters": "DjangoRuntimeAdapter DjangoStateStore create_django_runtime",
    ".adapters.django": """
        DjangoRuntimeAdapter DjangoStateStore create_django_runtime DjangoRunContext DjangoRunResult RunResultImpl
    """,
}


@pytest.mark.parametrize("place", PROMISED)
def test_promised_names_can_be_imported(place: str) -> None:
    imported = importlib.import_module(FRAMEWORK + place)

    missing = [name for name in PROMISED[place].split() if not hasattr(imported, name)]
    assert missing == []


def test_a_name_is_the_same_object_wherever_it_is_imported_from() -> None:
    places: dict[str, dict[str, object]] = {}
    for place, names in PROMISED.items():
        imported = importlib.import_module(FRAMEWORK + place)
        for name in names.split():
            places.setdefault(name, {})[FRAMEWORK + place] = getattr(imported, name)

    copies = {name: list(found) for name, found in places.items() if len(set(map(id, found.values()))) > 1}
    assert copies == {}


def test_the_old_names_of_the_executor_are_aliases() -> None:
    executor = importlib.import_module(f"{FRAMEWORK}.executor")

    assert executor.Executor is executor.LLMExecutor
    assert executor.ExecutorConfig is executor.LLMExecutorConfig
