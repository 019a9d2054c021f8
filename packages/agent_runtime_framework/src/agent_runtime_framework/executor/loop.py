"""`LLMExecutor`: the engine for callers who bring their own messages, tools and prompt."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

from agent_runtime_core.errors import LLMError
from agent_runtime_core.events import RunEvent, RunFinished, ToolOutcome
from agent_runtime_core.interfaces.tracing import TraceSink
from agent_runtime_core.messages import AgentMessage, MessageDict, ToolCall
from agent_runtime_core.tools import DescribesTool
from agent_runtime_framework.config import get_config
from agent_runtime_framework.executor.costs import Pricing
from agent_runtime_framework.executor.delegate import TurnSetup
from agent_runtime_framework.executor.engine import Engine
from agent_runtime_framework.executor.hooks import ExecutorHooks, observed
from agent_runtime_framework.executor.limits import RunLimits
from agent_runtime_framework.executor.llm_call import LLMClient, checked_client
from agent_runtime_framework.executor.tool_executors import (
    CallableToolExecutor,
    MethodToolExecutor,
    ToolExecutor,
)
from agent_runtime_framework.executor.tracing import Tracing, traced
from agent_runtime_framework.tools.execution import Offer, call_tool

__all__ = [
    "CallableToolExecutor",
    "ExecutionResult",
    "Executor",
    "ExecutorConfig",
    "ExecutorHooks",
    "LLMExecutor",
    "LLMExecutorConfig",
    "MethodToolExecutor",
    "ToolExecutor",
]


@dataclass
class LLMExecutorConfig:
    """How an `LLMExecutor` runs."""

    max_iterations: int = 10
    """LLM calls of a run."""
    terminal_tools: set[str] = field(default_factory=set)
    """Tools that end the run."""
    require_tool_call: bool = False
    """Whether the model must call a tool first; from its first tool call on it is free to answer."""
    stop_on_text: bool = True
    """Whether a text ends the run. If not, the model is asked to go on; a second text in a row ends the run."""
    limits: RunLimits = field(default_factory=RunLimits)
    """Further bounds."""
    pricing: Pricing | None = None
    """What a call costs, such as `agent_runtime_core.prices.call_price`; None counts no costs, unless there is a
    `limits.max_cost`."""


ExecutorConfig = LLMExecutorConfig


@dataclass
class ExecutionResult:
    """What a run of an `LLMExecutor` came to."""

    response: str
    """The model's text, or the last tool's after a terminal tool or at a limit."""
    messages: list[AgentMessage] = field(default_factory=list)
    """The assistant and tool messages of this run, in order."""
    tool_calls_made: int = 0
    """Tool calls taken up."""
    stopped_reason: str = "text_response"
    """`text_response`, `terminal_tool:NAME`, `max_iterations` or `limit:NAME`."""
    usage: dict[str, int] = field(default_factory=dict)
    """Token counts, summed over the run."""
    cost: Decimal | None = None
    """What the run has cost in US dollars; None when costs are not counted, or one of its calls has no known price."""


class LLMExecutor:
    """Asks a model, runs the tools it calls, and asks again until it answers in text.

    Args:
        llm_client: The model.
        tool_executor: Runs the tools; without one, every call gets an error text.
        config: How to run; the defaults when None.
        hooks: Listeners.
        trace: Where runs are traced; that of `AGENT_RUNTIME_TRACING_BACKEND` when None.
    """

    def __init__(
        self,
        llm_client: LLMClient,
        tool_executor: ToolExecutor | None = None,
        config: LLMExecutorConfig | None = None,
        hooks: ExecutorHooks | None = None,
        *,
        trace: TraceSink | None = None,
    ) -> None:
        get_config()  # the log level of the environment holds from the first executor on
        self.llm_client = checked_client(llm_client)
        """The model."""
        self.tool_executor = tool_executor
        """Runs the tools."""
        self.config = config if config is not None else LLMExecutorConfig()
        """How to run."""
        self.hooks = hooks
        """Listeners, or None."""
        self._tracing = Tracing(trace)

    async def run(
        self,
        messages: list[MessageDict],
        tools: Sequence[DescribesTool] | None = None,
        system_prompt: str | None = None,
    ) -> ExecutionResult:
        """Run to the end.

        Args:
            messages: The conversation so far; the list is not changed.
            tools: What the model may call. When given, nothing else runs and arguments are checked against the
                schemas; when None, every call goes to the tool executor as it is.
            system_prompt: Put in front of the messages.

        Raises:
            Exception: What the client raised; in debug mode also what a tool or a hook raised.
        """
        finished: RunFinished | None = None
        async with aclosing(self.stream(messages, tools, system_prompt, streaming=False)) as events:
            async for event in events:
                if isinstance(event, RunFinished):
                    finished = event
        assert finished is not None  # the engine's last event, or it raised
        return ExecutionResult(
            response=finished.response,
            messages=[AgentMessage.from_dict(message) for message in finished.messages],
            tool_calls_made=finished.tool_calls_made,
            stopped_reason=finished.reason,
            usage=finished.usage,
            cost=finished.cost,
        )

    def stream(
        self,
        messages: list[MessageDict],
        tools: Sequence[DescribesTool] | None = None,
        system_prompt: str | None = None,
        *,
        streaming: bool = True,
    ) -> AsyncGenerator[RunEvent, None]:
        """The same run as events.

        Args:
            messages: See `run`.
            tools: See `run`.
            system_prompt: See `run`.
            streaming: Whether to use the client's `stream`, where it has one, so that text comes as it is written.
        """
        config = self.config
        sinks = self._tracing.sinks()
        delegate = _GivenTools(
            self.llm_client, list(messages), tools, system_prompt, self.tool_executor, config.require_tool_call
        )
        engine = Engine(delegate, config.max_iterations, config.limits)
        engine.terminal_tools = config.terminal_tools
        engine.listened = streaming or self.hooks is not None or bool(sinks)
        engine.streaming = streaming
        engine.stop_on_text = config.stop_on_text
        engine.pricing = config.pricing
        events = observed(engine.run(), self.hooks)
        return traced(events, sinks, uuid4()) if sinks else events


class _GivenTools:
    """The delegate of an executor's run: the prompt and the tools are the caller's, and stay the same."""

    def __init__(
        self,
        client: LLMClient,
        messages: list[MessageDict],
        tools: Sequence[DescribesTool] | None,
        system_prompt: str | None,
        tool_executor: ToolExecutor | None,
        require_tool_call: bool,
    ) -> None:
        self.client = client
        self.messages = messages
        self._prompt = system_prompt
        self._executor = tool_executor
        self._offered = [schema.to_openai_format() for schema in tools or ()] or None
        self._offer: Offer | None = None
        if tools is not None:
            self._offer = {each["function"]["name"]: each["function"] for each in self._offered or ()}
        self._must_call = require_tool_call and self._offered is not None

    async def begin(self) -> tuple[Sequence[RunEvent], str | None]:
        return (), None

    def cancelled(self) -> bool:
        return False

    def prepare_turn(self) -> TurnSetup:
        return TurnSetup(self._prompt, self._offered, {"tool_choice": "required"} if self._must_call else None)

    def note_cost(self, cost: Decimal | None, model: str) -> None:
        return None  # the sum is in the result; nothing is stored here

    async def call_tool(self, call: ToolCall, timeout_s: float | None) -> ToolOutcome:
        self._must_call = False
        return await call_tool(call, self._invoke, offer=self._offer, timeout_s=timeout_s)

    def news(self) -> Sequence[RunEvent]:
        return ()

    async def finish_turn(self, finished: RunFinished | None) -> Sequence[RunEvent]:
        return ()

    def reply_instead(self, error: LLMError) -> None:
        return None

    async def finish_run(self, finished: RunFinished) -> None:
        return None

    async def leave(self) -> None:
        return None

    async def _invoke(self, name: str, arguments: dict[str, Any]) -> str:
        if self._executor is None:
            return f"Error: No tool executor configured for '{name}'"
        return await self._executor.execute(name, arguments)


Executor = LLMExecutor
