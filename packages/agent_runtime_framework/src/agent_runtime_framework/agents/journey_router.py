"""`JourneyRouter`: several journeys in one conversation, and the way from one to another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, is_dataclass
from typing import Any, Self
from uuid import UUID

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces import Checkpoint, CheckpointStore
from agent_runtime_core.interfaces.tracing import TraceSink
from agent_runtime_framework.agents.config import JourneyConfig
from agent_runtime_framework.agents.context import AgentContext, checked_owner
from agent_runtime_framework.agents.journey_agent import JourneyAgent
from agent_runtime_framework.agents.router_run import RouterRun
from agent_runtime_framework.agents.router_state import RouterState, UnderWay
from agent_runtime_framework.agents.routing_tools import REROUTE
from agent_runtime_framework.agents.stored_state import journey_of
from agent_runtime_framework.agents.turn import Incoming
from agent_runtime_framework.agents.verdict import Verdict
from agent_runtime_framework.executor.hooks import ExecutorHooks
from agent_runtime_framework.executor.llm_call import LLMClient
from agent_runtime_framework.router import IntentDetector, IntentRouter, RouteDefinition
from agent_runtime_framework.tools import ToolSchema
from agent_runtime_framework.tools.correction_tools import NAMES
from agent_runtime_framework.tools.notes import JourneyNotes
from agent_runtime_framework.tools.spec import Requirement

__all__ = ["JourneyRouter", "Registered"]


@dataclass(frozen=True, slots=True)
class Registered:
    """A journey that a router leads to."""

    agent: JourneyAgent[Any, Any, Any]
    """The journey."""
    route: RouteDefinition[str]
    """The way to it."""
    requires: tuple[Requirement, ...]
    """What must hold for the profile."""
    start: Callable[[Any], Any] | None
    """Makes its first state of the profile."""
    on_result: Callable[[Any, Any], Any] | None
    """Puts its result into the profile."""

    def missing(self, profile: Any) -> list[str]:
        """What it requires and does not hold, in words."""
        return [_in_words(each) for each in self.requires if not _holds(each, profile)]


class JourneyRouter(JourneyAgent[RouterState, Any, Any]):
    """Several journeys in one conversation: the model finds the one that the user wants, with the call that answers.

    The user can leave a journey, do another, and come back to the same question; each keeps its state. The router is
    used as a journey is: `send`, `stream`, `approve`, `get_state` (a `RouterState`), `get_history`. It has one model,
    one configuration and one store for all of its journeys, and stores their states together with its own, in the
    commit of each turn.

    A subclass may set `key` and `instructions`, what the router itself is told while no journey talks.

    Args:
        llm_client: The model of the router and of all its journeys; see `JourneyAgent`.
        config: Settings of all runs; see `JourneyAgent`.
        key: Names the router in the store.
        profile: Makes the empty profile, what the journeys share: `dict`, or a dataclass whose fields are JSON data,
            or which has `to_dict` and `from_dict`.
        fallback_detector: Finds a journey by a message's words, where the model has not; without it the keywords of
            the journeys do.
        store: Where conversations are kept; see `JourneyAgent`.
        hooks: Listeners.
        trace: Where runs are traced.

    Raises:
        ConfigError: What `profile` makes can be no profile, or the configuration has `on_old_state="restart"`.
    """

    key = "router"

    def __init__(
        self,
        llm_client: LLMClient | None = None,
        config: JourneyConfig | None = None,
        *,
        key: str | None = None,
        profile: Callable[[], Any] = dict,
        fallback_detector: IntentDetector[str] | None = None,
        store: CheckpointStore | str | None = None,
        hooks: ExecutorHooks | None = None,
        trace: TraceSink | None = None,
    ) -> None:
        super().__init__(llm_client, config, store=store, hooks=hooks, trace=trace)
        if key is not None:
            self.key = key
        if self.config.on_old_state == "restart":
            raise ConfigError(
                "on_old_state='restart' would give up all journeys of a conversation because of one; let the journeys "
                "migrate their states, or name the older ones in `pinned`."
            )
        empty = profile()
        if not (isinstance(empty, dict) or is_dataclass(empty) or hasattr(empty, "from_dict")):
            raise ConfigError(f"profile makes {empty!r:.80}; give dict, a dataclass, or a class with from_dict().")
        self.journeys: dict[str, Registered] = {}
        """The journeys, by their agents' keys."""
        self.routes: IntentRouter[str] = IntentRouter(fallback_detector)
        """The ways to them."""
        agents: dict[str, JourneyAgent[Any, Any, Any]] = {}
        self._agents = agents
        known = {"agents": agents, "make_profile": staticmethod(profile)}
        self._state_class: type[RouterState] = type("RouterState", (RouterState,), known)

    def add(
        self,
        journey: type[JourneyAgent[Any, Any, Any]] | JourneyAgent[Any, Any, Any],
        *,
        when: str,
        requires: Requirement | Iterable[Requirement] = (),
        keywords: Iterable[str] = (),
        start: Callable[[Any], Any] | None = None,
        on_result: Callable[[Any, Any], Any] | None = None,
    ) -> Self:
        """Add a journey, and return the router.

        Args:
            journey: The agent's class, or an agent; its key names it. Of an agent's own client, store, hooks and
                limits nothing is used: those of the router are.
            when: What the model is told of when to go there: "The user wants to sign up".
            requires: Names of profile entries that must hold something, or functions of the profile. While they do
                not hold, the way is not offered, and the model is told what is missing; for a function, the first
                line of its docstring.
            keywords: Words that lead there where the model has not routed.
            start: Makes the first state from the profile; by default `get_initial_state()`.
            on_result: Gets the profile and what the journey's `result()` gives when it has arrived; changes the
                profile in place, or returns another.

        Raises:
            ConfigError: The journey cannot be one of several; the text says why.
        """
        kind: type[Any] = journey if isinstance(journey, type) else type(journey)
        name = kind.__name__
        if not issubclass(kind, JourneyAgent) or issubclass(kind, JourneyRouter):
            raise ConfigError(f"{name} is no JourneyAgent, or a router itself; a router leads to journeys.")
        agent = journey(self.llm_client, store=self.store) if isinstance(journey, type) else journey
        key = agent.key
        if not key or key in self.journeys:
            raise ConfigError(f"the key of {name} is {key!r}; each journey needs one of its own.")
        if not (agent._saves_with_turns and agent._reads_with_from_dict):
            raise ConfigError(
                f"{name} writes load_state() or save_state(), which a router does not call: it keeps the states of "
                f"its journeys with its own. Leave them out, or let to_dict() and from_dict() do their work."
            )
        if not when.strip():
            raise ConfigError(f"when={when!r} says nothing of when the user wants {name}.")
        if isinstance(keywords, str):
            raise ConfigError(f"keywords is the text {keywords!r}; give a list of texts.")
        tool_name = "start_" + re.sub(r"\W", "_", key, flags=re.ASCII)[:58]
        if tool_name in NAMES:
            raise ConfigError(
                f"the key of {name} is {key!r}, and the way to it would be {tool_name!r}, which is the name of a "
                f"correction; give it another key."
            )
        route = RouteDefinition(key, tool_name, when, list(keywords))
        if clash := sorted({REROUTE.name, tool_name, *self.routes.route_names} & set(agent.declared.tools)):
            raise ConfigError(f"{name} has a tool {clash[0]!r}, which is a name of the router's; give it another.")
        for other in self.journeys.values():
            if tool_name in other.agent.declared.tools:
                raise ConfigError(f"{type(other.agent).__name__} has a tool {tool_name!r}, the name of the way here.")
        self.routes.add_route(route)
        wanted = (requires,) if isinstance(requires, str) or callable(requires) else tuple(requires)
        self.journeys[key] = Registered(agent, route, wanted, start, on_result)
        self._agents[key] = agent
        return self

    def talker(self, under_way: UnderWay) -> JourneyAgent[Any, Any, Any]:
        """Who goes on with a journey that is under way: its agent, or the older one that it stays with."""
        agent = self.journeys[under_way.journey].agent
        return journey_of(agent, Checkpoint(state={}, state_version=under_way.version))

    def is_routing_tool(self, name: str) -> bool:
        """Whether a tool of this name leads from one journey to another."""
        return self.routes.is_routing_tool(name) or name == REROUTE.name

    # The router as a journey: what it says while none of the others talks.

    def get_initial_state(self) -> RouterState:
        """Nothing under way, and the empty profile."""
        return self._state_class(profile=self._state_class.make_profile())

    def get_system_prompt(self, state: RouterState) -> str:
        """What the model is told while no journey talks."""
        return (
            "Find out what the user wants and call the tool that leads there; call it at once, without announcing it, "
            "when it is clear. Otherwise answer in one or two sentences and ask."
        )

    def get_tool_schemas(self, state: RouterState) -> list[ToolSchema]:
        """None of its own: the ways to the journeys are offered at every turn."""
        return []

    def create_tools(self, state: RouterState, ctx: AgentContext) -> None:
        """None."""

    async def execute_tool(self, tools: None, name: str, arguments: dict[str, Any], /) -> Any:
        """Nothing: a router offers no tools but the ways to its journeys, and its run takes those.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(f"{type(self).__name__} has no tool {name!r}.")

    def next_step(self, state: RouterState) -> None:
        """Nowhere: a router has no steps."""

    def _run_of(self, ctx: AgentContext, incoming: Incoming | None = None, verdict: Verdict | None = None) -> RouterRun:
        return RouterRun(self, ctx, incoming, verdict)

    async def _stored_notes(self, conversation_id: UUID | str, owner: UUID | str) -> JourneyNotes:
        """The notes of all journeys of the conversation: a person may also answer for one that is interrupted."""
        checkpoint = await self.store.load(str(conversation_id), self.key, max_messages=0, owner=checked_owner(owner))
        data = dict(checkpoint.state or {})
        notes = JourneyNotes.taken_from(data)
        for each in data.get("stack", ()):
            notes.approvals.update(JourneyNotes.taken_from(dict(each["state"])).approvals)
        return notes


def _holds(requirement: Requirement, profile: Any) -> bool:
    if not isinstance(requirement, str):
        return bool(requirement(profile))
    held = profile.get(requirement) if isinstance(profile, dict) else getattr(profile, requirement, None)
    return bool(held) or (held == 0 and held is not False)


def _in_words(requirement: Requirement) -> str:
    if isinstance(requirement, str):
        return requirement
    purpose = (requirement.__doc__ or "").strip()
    return purpose.splitlines()[0] if purpose else str(getattr(requirement, "__name__", "a condition"))
