"""The names that a page uses without saying where they come from, and what the tests put there.

A page that is not listed has to bring everything that it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from agent_runtime_core.testing import ScriptedLLM
from agent_runtime_framework import (
    AgentContext,
    AgentMessage,
    BaseJourneyState,
    Executor,
    ExecutorConfig,
    JourneyAgent,
    LLMExecutorConfig,
    MethodToolExecutor,
    PromptManager,
    ToolSchema,
    ToolSchemaBuilder,
)
from tests.docs.markdown_page import ROOT, Page
from tests.docs.page_run import PLACEHOLDER, PageRun

__all__ = ["free_names_of"]

CONVERSATION = UUID("0c9ff7a6-7d0f-4f6d-9d5d-1f6d3d6f3a52")


class MyStep(str, Enum):
    WELCOME = "welcome"
    COLLECTING = "collecting"


class MyJourney(str, Enum):
    QUOTE = "quote"


@dataclass
class MyState(BaseJourneyState[MyStep]):
    step: MyStep = MyStep.WELCOME
    name: str = "Ada"

    def is_complete(self) -> bool:
        return False

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> MyState:
        return cls(MyStep(data["step"]), data["name"])


class MyAgent(JourneyAgent[MyState, None, MyStep]):
    key = "my-agent"

    def get_initial_state(self) -> MyState:
        return MyState()

    def get_system_prompt(self, state: MyState) -> str:
        return "Be kind."

    def get_tool_schemas(self, state: MyState) -> list[ToolSchema]:
        return []

    def create_tools(self, state: MyState, ctx: AgentContext) -> None:
        return None

    async def execute_tool(self, tools: None, name: str, arguments: dict[str, Any], /) -> str:
        raise LookupError(name)


def _seeds() -> dict[str, Any]:
    return {
        # Quick Start
        "my_llm_client": ScriptedLLM(["Welcome! What is your name?"]),
        "context": AgentContext(UUID(int=1), CONVERSATION, [AgentMessage("user", "Hello")]),
        # Debug mode
        "MyState": MyState,
        # Memory Management
        "conversation_id": CONVERSATION,
        "new_state": {"step": "welcome"},
        "messages": [AgentMessage("user", "Hello"), {"role": "assistant", "content": "Hello!"}],
        # Prompt Management, PromptManager
        "MyStep": MyStep,
        PLACEHOLDER: {MyStep.WELCOME: "Hello!"},
        "state": MyState(),
        # Execution Hooks, Executor
        "my_llm": ScriptedLLM(["Hello!"]),
        "tool_schema": ToolSchemaBuilder("my_tool").description("What the tool does").build(),
        "MethodToolExecutor": MethodToolExecutor,
        # Integration with agent_runtime_core
        "MyAgent": MyAgent,
        # IntentRouter
        "MyJourney": MyJourney,
        # PromptManager
        "PromptManager": PromptManager,
    }


_TABLE: dict[str, Callable[[], Mapping[str, Any]]] = {
    "tests/docs/seeds/readme_0_1_0.md": lambda: {
        **_seeds(),
        "Executor": Executor,
        "ExecutorConfig": ExecutorConfig,
    },
    "tests/docs/seeds/readme_0_3_0.md": lambda: {
        **_seeds(),
        "LLMExecutorConfig": LLMExecutorConfig,
    },
    # These pages say that their examples use the journey of the quick start.
    "docs/concepts/*.md": lambda: journey_of_the_quick_start(),
    "docs/testing.md": lambda: journey_of_the_quick_start(),
    "docs/observability.md": lambda: journey_of_the_quick_start(),
    "docs/costs.md": lambda: journey_of_the_quick_start(),
    "docs/hosting.md": lambda: journey_of_the_quick_start(),
}


def journey_of_the_quick_start() -> dict[str, Any]:
    """What the section "Write a journey" defines: `Onboarding`, its state, tools and steps."""
    page = Page.read(ROOT / "docs" / "quickstart.md")
    run = PageRun(page, ROOT, {})
    for block in page.section("Write a journey"):
        run.run(block)
    run.close()
    return {name: value for name, value in run.names.items() if not name.startswith("__")}


def free_names_of(page: Page) -> Mapping[str, Any]:
    """The names for a page, made anew at each call."""
    for pattern, names in _TABLE.items():
        if PurePosixPath(page.name).match(pattern):
            return names()
    return {}
