"""`DjangoRuntimeAdapter`: a journey written for a host's runs, such as those of `django_agent_runtime`.

Nothing here imports Django: an adapter speaks the run contexts of `agent_runtime_core`, so that any host can run it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Generic, TypeVar

from agent_runtime_core.interfaces import CheckpointStore
from agent_runtime_core.interfaces.tracing import TraceSink
from agent_runtime_framework.adapters.adapter_run import AdapterRun, host_of
from agent_runtime_framework.adapters.django_context import (
    DjangoRunContext,
    DjangoRunResult,
    DjangoStateStore,
    RunResultImpl,
)
from agent_runtime_framework.agents.config import JourneyConfig
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.agents.conversation import own_copy
from agent_runtime_framework.agents.defaults import default_when_declared
from agent_runtime_framework.agents.journey_agent import JourneyAgent
from agent_runtime_framework.agents.turn import Incoming
from agent_runtime_framework.agents.verdict import Verdict
from agent_runtime_framework.executor.hooks import ExecutorHooks
from agent_runtime_framework.executor.llm_call import LLMClient
from agent_runtime_framework.state import BaseJourneyState
from agent_runtime_framework.tools.notes import JourneyNotes

__all__ = [
    "DjangoRunContext",
    "DjangoRunResult",
    "DjangoRuntimeAdapter",
    "DjangoStateStore",
    "RunResultImpl",
    "create_django_runtime",
]

StateT = TypeVar("StateT", bound=BaseJourneyState[Any])
ToolsT = TypeVar("ToolsT")
StepT = TypeVar("StepT")
AdapterT = TypeVar("AdapterT", bound="DjangoRuntimeAdapter[Any, Any, Any]")


class DjangoRuntimeAdapter(JourneyAgent[StateT, ToolsT, StepT], Generic[StateT, ToolsT, StepT]):
    """A journey whose tools get the host's context and a backend client.

    Register it with a host and the host calls `run(ctx)`: the conversation is its `input_messages`, the state its
    checkpoints, and what happens its events. It is a `JourneyAgent` in all else: what the class declares it need not
    write, and with a `store` it keeps its conversations itself.

    Args:
        llm_client: The model; see `get_llm_client`.
        backend_client: What the tools call to do their work; any object.
        max_tool_iterations: LLM calls with tools in one run.
        terminal_tools: Tools whose success ends the run.
        store: Where conversations are kept, when not by the host.
        hooks: Listeners.
        trace: Where runs are traced.
    """

    def __init__(
        self,
        llm_client: LLMClient | None = None,
        backend_client: Any = None,
        max_tool_iterations: int = 10,
        terminal_tools: Iterable[str] | None = None,
        *,
        store: CheckpointStore | str | None = None,
        hooks: ExecutorHooks | None = None,
        trace: TraceSink | None = None,
    ) -> None:
        config = JourneyConfig(max_tool_iterations=max_tool_iterations, terminal_tools=set(terminal_tools or ()))
        super().__init__(llm_client, config, store=store, hooks=hooks, trace=trace)
        self._backend_client = backend_client

    # The names that user code knows for what a journey calls otherwise.

    @property
    def _llm_client(self) -> LLMClient | None:
        return self.llm_client

    @_llm_client.setter
    def _llm_client(self, client: LLMClient | None) -> None:
        self.llm_client = client

    @property
    def _max_tool_iterations(self) -> int:
        return self.config.max_tool_iterations

    @_max_tool_iterations.setter
    def _max_tool_iterations(self, number: int) -> None:
        self.config.max_tool_iterations = number

    @property
    def _terminal_tools(self) -> set[str]:
        return self.config.terminal_tools

    @_terminal_tools.setter
    def _terminal_tools(self, names: Iterable[str] | None) -> None:
        self.config.terminal_tools = set(names or ())

    # What an adapter says about itself; the rest is as in `JourneyAgent`.

    @default_when_declared
    def create_tools(self, state: StateT, ctx: Any, backend_client: Any) -> ToolsT:
        """The tools object, working on this very state; asked for at every turn. By default one of the tools class.

        Args:
            state: The live state.
            ctx: The host's context; the `AgentContext` of a run that no host has made (`send`, `stream`).
            backend_client: What `get_backend_client` gives.
        """
        assert self.declared.tools_class is not None  # or the class would be abstract
        tools: ToolsT = self.declared.tools_class(state, backend_client)
        return tools

    def _make_tools(self, state: StateT, ctx: AgentContext) -> ToolsT:
        host = host_of(ctx)
        return self.create_tools(state, host, self.get_backend_client(host))

    def get_llm_client(self, ctx: Any) -> LLMClient:
        """The model of a run: the one given, else that of `agent_runtime_core.llm.get_llm_client()`.

        Raises:
            ValueError: There is none.
        """
        if self.llm_client is not None:
            return self.llm_client
        try:
            import agent_runtime_core.llm  # noqa: F401  # it is used by what is asked next
        except ImportError as error:
            raise ValueError("No LLM client configured: pass llm_client=, or install agent_runtime_core") from error
        client: LLMClient = self._default_client.get()
        return client

    def get_backend_client(self, ctx: Any) -> Any:
        """What the tools call to do their work; by default what the adapter was given."""
        return self._backend_client

    async def on_state_change(self, ctx: Any, state: StateT) -> None:
        """Called at each `_notify_state_change()` of a tool, with the host's context: by default a checkpoint."""
        await ctx.checkpoint(state.to_dict())

    def _make_state_callback(self, ctx: Any) -> Callable[[StateT], Awaitable[None]]:
        """A callback for `on_state_change=` of a tools object; a run of a host sets it by itself."""

        async def changed(state: StateT) -> None:
            await self.on_state_change(ctx, state)

        return changed

    def _state_from_dict(self, data: dict[str, Any]) -> StateT:
        """The state in stored data, by the class of the initial state."""
        state: StateT = type(self.get_initial_state()).from_dict(data)
        return state

    async def load_state(self, ctx: AgentContext) -> StateT | None:
        """The host's state, or the stored one; see `JourneyAgent.load_state`."""
        if type(self)._state_from_dict is DjangoRuntimeAdapter._state_from_dict or ctx.conversation_id is None:
            return await super().load_state(ctx)
        checkpoint = await self._conversation_log().open(ctx, max_messages=0)
        if not checkpoint.state:
            return None
        data = own_copy(checkpoint.state)
        JourneyNotes.taken_from(data)  # they are no part of what the state class wrote
        return self._state_from_dict(data)

    # How it runs.

    @property
    def _reads_with_from_dict(self) -> bool:
        adapter = type(self)
        return (
            adapter.load_state is DjangoRuntimeAdapter.load_state
            and adapter._state_from_dict is DjangoRuntimeAdapter._state_from_dict
        )

    def _model(self, ctx: AgentContext) -> LLMClient:
        return self.get_llm_client(host_of(ctx))

    def _run_of(
        self, ctx: AgentContext, incoming: Incoming | None = None, verdict: Verdict | None = None
    ) -> AdapterRun:
        return AdapterRun(self, ctx, incoming, verdict)


def create_django_runtime(
    agent_class: Callable[..., AdapterT], llm_client: LLMClient | None = None, backend_client: Any = None, **kwargs: Any
) -> AdapterT:
    """An adapter of this class, ready to be registered.

    Args:
        agent_class: The class.
        llm_client: The model.
        backend_client: What its tools call.
        **kwargs: Whatever else its constructor takes.
    """
    return agent_class(llm_client=llm_client, backend_client=backend_client, **kwargs)
