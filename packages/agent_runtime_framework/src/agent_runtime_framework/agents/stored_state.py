"""What becomes of a stored state under the journey's present code: it fits, is migrated, or stays with an older one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, Literal

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces import Checkpoint
from agent_runtime_framework.agents.agent import BaseAgent
from agent_runtime_framework.agents.conversation import own_copy
from agent_runtime_framework.agents.migration import MigrationFailed
from agent_runtime_framework.tools.notes import JourneyNotes

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

    Journey = JourneyAgent[Any, Any, Any]

__all__ = ["StoredState", "check_pinned", "journey_of", "read_stored_state", "told_version"]

UNTOLD_VERSION = 1
"""What a state counts as that was stored before versions were told (0 in the store)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredState:
    """A stored state, read."""

    outcome: Literal["fits", "migrates", "pinned", "fails"]
    """`fits`: it is read as it is; `migrates`: after its migrations; `pinned`: by the older journey that it stays
    with; `fails`: not at all."""
    version: int
    """The journey's version that it was stored with."""
    step: str | None
    """The step it stands at, if it tells one."""
    state: Any = None
    """The state object; None when it fails."""
    reason: str = ""
    """Why it fails, without a value of it but the step."""
    details: str = ""
    """The same for its author, with the words of what was raised, and what to do."""
    error: Exception | None = None
    """What was raised, if anything."""
    is_newer: bool = False
    """Whether it was written by later code than this: then it must not be given up."""


def told_version(checkpoint: Checkpoint) -> int:
    """The journey's version that the state was stored with."""
    return checkpoint.state_version or UNTOLD_VERSION


def journey_of(agent: Journey, checkpoint: Checkpoint | None) -> Journey:
    """Who goes on with the conversation: the agent, or the older journey that the conversation stays with.

    Raises:
        ConfigError: The older journey cannot be built.
    """
    if checkpoint is None or checkpoint.state is None or not agent.pinned:
        return agent
    version = told_version(checkpoint)
    return agent if version == agent.version else _pinned_journey(agent, version) or agent


def read_stored_state(agent: Journey, checkpoint: Checkpoint) -> StoredState:
    """Read the state of a checkpoint that has one. Nothing is written.

    Raises:
        ConfigError: The older journey cannot be built.
    """
    assert checkpoint.state is not None
    data, version = dict(checkpoint.state), told_version(checkpoint)
    JourneyNotes.drop_from(data)  # they are no part of what the state class wrote
    journey = journey_of(agent, checkpoint)
    if journey is not agent:
        return _decoded(journey, data, version, "pinned")
    if version == agent.version:
        return _decoded(agent, data, version, "fits")
    step = _step_in(data)
    if version > agent.version:
        words = f"it is of version {version}, and {type(agent).__name__} is of version {agent.version}"
        advice = "Run the newer code here; it has already been at work on this store."
        return StoredState(
            outcome="fails", version=version, step=step, reason=words, details=f"{words}. {advice}", is_newer=True
        )
    if agent.config.on_old_state == "error":
        words = f"it is of version {version}, and on_old_state='error' leaves such states alone"
        return StoredState(outcome="fails", version=version, step=step, reason=words, details=f"{words}.")
    return _migrated(agent, data, version)


def check_pinned(agent_name: str, agent_version: int, pinned: Any) -> None:
    """Make sure that each pinned journey is one, and has the version that it is to go on with.

    Raises:
        ConfigError: One is not; the text names it.
    """
    for version, journey in pinned.items():
        kind = journey if isinstance(journey, type) else type(journey)
        if not issubclass(kind, BaseAgent) or not hasattr(kind, "version"):
            raise ConfigError(
                f"{agent_name}.pinned[{version!r}] is {journey!r:.100}; give a JourneyAgent or its class."
            )
        if kind.version != version:
            raise ConfigError(
                f"{agent_name}.pinned[{version!r}] is {kind.__name__}, whose version is {kind.version!r}; "
                f"the two must be equal."
            )
        if version >= agent_version:
            raise ConfigError(
                f"{agent_name}.pinned[{version!r}] is no older journey: {agent_name}.version is {agent_version}."
            )


def _pinned_journey(agent: Journey, version: int) -> Journey | None:
    if version not in agent.pinned:
        return None
    journey = agent.pinned[version]
    if not isinstance(journey, type):
        check_pinned(type(agent).__name__, agent.version, {version: journey})
        return journey
    built: dict[type, Journey] = agent._pinned_built
    if journey not in built:
        check_pinned(type(agent).__name__, agent.version, {version: journey})
        try:
            built[journey] = journey()
        except TypeError as error:
            raise ConfigError(
                f"{type(agent).__name__}.pinned[{version}] is the class {journey.__name__}, which cannot be built "
                f"without arguments ({error}); give an instance."
            ) from error
    return built[journey]


def _migrated(agent: Journey, data: dict[str, Any], version: int) -> StoredState:
    """The state after its migrations."""
    new, reached = data, version
    while reached != agent.version:
        migration = agent._migrations.get(reached)
        if migration is None:
            name = type(agent).__name__
            words = f"no migration of {name} begins at version {reached}, and {name} is of version {agent.version}"
            advice = (
                f"Add a function marked @migrate({reached}, {agent.version}), or name the older journey in `pinned`."
            )
            return StoredState(
                outcome="fails", version=version, step=_step_in(data), reason=words, details=f"{words}. {advice}"
            )
        try:
            new = migration(new)
        except MigrationFailed as error:
            cause = error.__cause__
            where = f"the migration {migration.name}() from {migration.source} to {migration.target}"
            return StoredState(
                outcome="fails",
                version=version,
                step=_step_in(data),
                reason=f"{where}: {'gave no state' if cause is None else _spot(cause)}",
                details=f"{where}: {error}. Mend it and send the message again.",
                error=error,
            )
        reached = migration.target
    return _decoded(agent, new, version, "migrates", stored=data)


def _decoded(
    journey: Journey,
    data: dict[str, Any],
    version: int,
    outcome: Literal["fits", "migrates", "pinned"],
    stored: dict[str, Any] | None = None,
) -> StoredState:
    """The state object, by the class of the journey's initial state."""
    step = _step_in(data if stored is None else stored)
    initial = journey.get_initial_state()
    state_class: Any = type(initial)
    try:
        state = state_class.from_dict(own_copy(data))
    except Exception as error:  # the author's from_dict() may raise anything on data it does not know
        advice = "let from_dict() accept older forms, and to_dict() give all that it needs"
        if outcome == "migrates":
            advice = "let the migrations give all that from_dict() needs"
        return StoredState(
            outcome="fails",
            version=version,
            step=step,
            reason=_misfit(initial, data, error),
            details=f"it is not one that {state_class.__name__}.from_dict() reads: {type(error).__name__}: {error}. "
            f"Nothing was changed; {advice}.",
            error=error,
        )
    return StoredState(outcome=outcome, version=version, step=step, state=state)


def _misfit(initial: Any, data: dict[str, Any], error: Exception) -> str:
    """Why data are not read, by what can be told without telling their values."""
    step, present = data.get("step"), _step_of(initial)
    if isinstance(present, Enum) and "step" in data and all(step != each.value for each in type(present)):
        return f"there is no step {str(step)[:60]!r} in {type(present).__name__}"
    try:
        missing = [name for name in initial.to_dict() if name not in data]
    except Exception:  # as from_dict() above
        missing = []
    if missing:
        return f"{', '.join(map(repr, missing))} is missing"
    return _spot(error)


def _spot(error: BaseException) -> str:
    """The error's type and the line that raised it; its text may hold what a user has said."""
    frames = extract_tb(error.__traceback__)
    where = f" in {frames[-1].name}(), line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def _step_of(state: Any) -> Any:
    return getattr(state, "step", None)


def _step_in(data: dict[str, Any]) -> str | None:
    """The step as it is stored, if there is one that looks like one."""
    step = data.get("step")
    return step if isinstance(step, str) else None
