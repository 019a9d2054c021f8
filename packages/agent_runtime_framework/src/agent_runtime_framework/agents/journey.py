"""What the class of a journey says about it: its prompts and tools, its steps, its beginning and its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.tools import DescribesTool
from agent_runtime_framework.agents.agent import BaseAgent
from agent_runtime_framework.agents.closing import is_closing
from agent_runtime_framework.agents.config import JourneyConfig
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.agents.contradictions import check_moves
from agent_runtime_framework.agents.declaration import Declaration, declaration_of
from agent_runtime_framework.agents.defaults import (
    default_when_declared,
    is_default,
    offered_tools,
    step_prompt,
    take_defaults,
)
from agent_runtime_framework.agents.fixed_text import check_fixed_texts
from agent_runtime_framework.agents.migration import Migration, migrations_of
from agent_runtime_framework.agents.step_hooks import StepHook, declared_hooks
from agent_runtime_framework.agents.stored_state import check_pinned
from agent_runtime_framework.prompts import PromptManager, PromptTemplate, StepPromptMapping
from agent_runtime_framework.state import BaseJourneyState
from agent_runtime_framework.tools.dispatch import run_tool

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["Journey"]

StateT = TypeVar("StateT", bound=BaseJourneyState[Any])
ToolsT = TypeVar("ToolsT")
StepT = TypeVar("StepT")


class Journey(BaseAgent, Generic[StateT, ToolsT, StepT]):
    """What a `JourneyAgent` says, and may say otherwise, about its journey; how it runs is not in here."""

    config: JourneyConfig
    """Settings."""

    version: ClassVar[int] = 1
    """Raise it when the states of an earlier version need a `@migrate`, or when conversations under way are to stay
    with the earlier journey (`pinned`). Stored with each state; one from before versions were told counts as 1."""
    pinned: Mapping[int, JourneyAgent[Any, Any, Any] | type[JourneyAgent[Any, Any, Any]]] = MappingProxyType({})
    """Older journeys by their version: a conversation whose state is of that version stays with that journey's steps,
    prompts and tools. A class is built without arguments; model, config, hooks and store are this agent's."""
    _migrations: ClassVar[Mapping[int, Migration]] = MappingProxyType({})
    _ending_tools: ClassVar[frozenset[str]] = frozenset()
    """Tools whose success ends a run, by their declaration."""
    _offers_what_is_declared: ClassVar[bool] = False
    """Whether `get_tool_schemas` is the default."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Read what the class says, and check its tools, its version, its migrations and its older journeys.

        Raises:
            ConfigError: A tool names a step that the journey does not have; the migrations leave a gap, come twice,
                or lead elsewhere than to the version; or a pinned
                journey is not of the version that it stands for.
        """
        super().__init_subclass__(**options)
        cls.declared = declaration_of(cls, Journey)
        take_defaults(cls)
        cls._offers_what_is_declared = is_default(cls.get_tool_schemas)
        if cls.tools not in {"step", "stable"}:
            raise ConfigError(f"{cls.__name__}.tools is {cls.tools!r}; give 'step' or 'stable'.")
        if cls.corrections not in {None, True, False}:
            raise ConfigError(f"{cls.__name__}.corrections is {cls.corrections!r}; give True, False or None.")
        cls._ending_tools = frozenset(name for name, spec in cls.declared.tools.items() if spec.ends_run)
        cls.step_hooks = declared_hooks(cls, cls.declared.step_class)
        if cls.says is not None:
            check_fixed_texts(cls, cls.says, cls.declared.step_class)
        check_moves(cls)
        cls._migrations = migrations_of(cls, cls.version)
        check_pinned(cls.__name__, cls.version, cls.pinned)

    prompts: ClassVar[StepPromptMapping[Any] | PromptManager[Any] | Mapping[Any, str | PromptTemplate] | None] = None
    """The prompt of each step; templates are filled in with the fields of the state."""
    instructions: ClassVar[str | PromptTemplate | None] = None
    """Persona and rules, the same at every step. With them a request is: instructions, history, and last the step's
    prompt; without them it is the step's prompt, and the history."""
    tools: ClassVar[Literal["step", "stable"]] = "step"
    """What the model is told of the tools: `step`: those it may call now; `stable`: all of the journey, which keeps
    requests alike for a prompt cache, and lets code alone refuse what is not offered at the step."""
    says: ClassVar[Mapping[Any, str | PromptTemplate] | None] = None
    """Fixed text by step, said in place of asking the model: at a talking step, and at any step that a tool of the run
    has just led to. Templates are filled in with the fields of the state."""
    corrections: ClassVar[bool | None] = None
    """Whether the model gets tools of the framework's to correct what was said: `go_back`, `change_answer`,
    `start_again` and `cancel`, where they make sense. None: where the offer is made of tools declared with `@tool`."""
    declared: ClassVar[Declaration]
    """What the class says by its type arguments."""
    step_hooks: ClassVar[tuple[StepHook, ...]] = ()
    """The methods declared with `@on_enter` and `@on_exit`."""

    @default_when_declared
    def get_initial_state(self) -> StateT:
        """The state at the beginning of a journey; by default one of the state class, made without arguments."""
        assert self.declared.state_class is not None  # or the class would be abstract
        state: StateT = self.declared.state_class()
        return state

    @default_when_declared
    def get_system_prompt(self, state: StateT) -> str:
        """The prompt for the step that the state stands at; by default from `prompts`."""
        return step_prompt(self.prompts, state)

    @default_when_declared
    def get_tool_schemas(self, state: StateT) -> Sequence[DescribesTool]:
        """The tools offered at the step that the state stands at; no other runs.

        By default those declared with `@tool` for this step whose requirements hold.
        """
        return offered_tools(self.declared, state, over=self.is_terminal_state(state))

    @default_when_declared
    def create_tools(self, state: StateT, ctx: Any, *args: Any, **kwargs: Any) -> ToolsT:
        """The tools object, working on this very state; asked for at every turn. By default one of the tools class.

        It is called with the state and an `AgentContext`, and nothing else: the signature is open because an adapter's
        gets a host's context, and more.
        """
        assert self.declared.tools_class is not None  # or the class would be abstract
        tools: ToolsT = self.declared.tools_class(state)
        return tools

    def _make_tools(self, state: StateT, ctx: AgentContext) -> ToolsT:
        return self.create_tools(state, ctx)

    @default_when_declared
    async def execute_tool(self, tools: ToolsT, name: str, arguments: dict[str, Any], /) -> Any:
        """Run an offered tool with checked arguments and return its result, usually a text."""
        spec = getattr(tools, "tool_specs", {}).get(name)
        if spec is None:
            raise ConfigError(f"{type(tools).__name__} declares no tool {name!r}; override execute_tool() to run it.")
        return await run_tool(spec, tools, arguments, getattr(tools, "_notes", None))

    # What a journey may say otherwise.

    def is_terminal_state(self, state: StateT) -> bool:
        """Whether the journey has arrived."""
        return state.is_terminal()

    def is_closing_message(self, message: str) -> bool:
        """Whether a user's message only says goodbye, by the configured phrases."""
        return is_closing(message, self.config.closing_phrases)

    def next_step(self, state: StateT) -> StepT | None:
        """Where a talking step leads, one that offers no tools and is not terminal, once the agent has spoken in it.

        By default the following member of the step enum; None stays.
        """
        step: Any = getattr(state, "step", None)
        if not isinstance(step, Enum):
            return None
        steps: list[Any] = list(type(step))
        place = steps.index(step) + 1
        return steps[place] if place < len(steps) else None

    # What a journey says to others that run in the same conversation, under a `JourneyRouter`.

    def result(self, state: StateT) -> Any:
        """What the finished journey hands over: to the profile, and to the journey that it had interrupted.

        By default the state. It may be asked for more than once, so it should only read.
        """
        return state

    def take_result(self, state: StateT, journey: str, result: Any) -> None:
        """Take what a journey came to that has interrupted this one; `state` may be changed. By default nothing."""

    def _talks_at(self, state: StateT, offered: Sequence[object]) -> bool:
        """Whether the state's step is a talking step: one without tools of its own."""
        if not offered:
            return True
        return self._offers_what_is_declared and not self.declared.tools_at(state.get_step(), over=True)
