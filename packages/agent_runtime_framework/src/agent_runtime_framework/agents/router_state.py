"""What a router remembers of a conversation: which journeys are under way, each with its state, and the profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any, ClassVar

from agent_runtime_core.interfaces import Checkpoint
from agent_runtime_framework.agents.conversation import own_copy, state_data
from agent_runtime_framework.agents.stored_state import read_stored_state
from agent_runtime_framework.state import BaseJourneyState, StateSerializer
from agent_runtime_framework.tools.notes import JourneyNotes

__all__ = ["DESK", "RouterState", "UnderWay"]


DESK = "desk"
"""The step at which no journey talks: the user is asked what they want."""


@dataclass(slots=True, eq=False)
class UnderWay:
    """A journey that was begun and is not over."""

    journey: str
    """Which one: its agent's key."""
    state: Any
    """Its state."""
    version: int = 1
    """The journey's version that the state is of."""
    handed_over: bool = False
    """Whether it has arrived, and its result is where it belongs."""
    notes: JourneyNotes = field(default_factory=JourneyNotes, repr=False)
    """What the framework remembers of it."""

    def to_dict(self, *, with_notes: bool = True) -> dict[str, Any]:
        """All of it as JSON data.

        Args:
            with_notes: Whether the notes belong to it; those of the journey that talks are stored with the whole.
        """
        state = state_data(self.state)
        if with_notes:
            state = replace(self.notes, decided=[]).put_into(state)
        data: dict[str, Any] = {"journey": self.journey, "version": self.version, "state": state}
        return {**data, "handed_over": True} if self.handed_over else data


@dataclass
class RouterState(BaseJourneyState[Any]):
    """Which journeys of a conversation are under way, and what they share.

    All of it is stored as one piece, so that there is no moment at which one part is newer than another.
    """

    agents: ClassVar[Mapping[str, Any]] = {}
    """The journeys' agents by key; each router has a class of its own that knows its own."""
    make_profile: ClassVar[Any] = dict
    """Makes an empty profile."""

    stack: list[UnderWay] = field(default_factory=list)
    """The journeys under way; the last one is the present one, those before it are interrupted."""
    at_desk: bool = False
    """Whether the user has turned away from the present journey, and is being asked what they want."""
    arrived: bool = False
    """Whether the last journey has arrived and said its closing words."""
    news: str = ""
    """What the model of whoever talks is told until it has answered, such as what the user has come back from."""
    profile: Any = field(default_factory=dict)
    """What the journeys share."""

    @property
    def present(self) -> UnderWay | None:
        """The journey that talks now; None when the router does."""
        return self.stack[-1] if self.stack and not self.at_desk else None

    @property
    def journey(self) -> str | None:
        """The key of the journey that talks now; None when the router does."""
        return None if self.present is None else self.present.journey

    def find(self, journey: str) -> UnderWay | None:
        """The journey of this key, if it is under way."""
        return next((each for each in self.stack if each.journey == journey), None)

    @property
    def step(self) -> Any:
        """The step of the journey that talks now; `DESK` when the router does."""
        return DESK if self.present is None else self.present.state.get_step()

    def get_step(self) -> Any:
        """The same as `step`."""
        return self.step

    def set_step(self, step: Any) -> None:
        """Move the journey that talks now."""
        if self.present is not None:
            self.present.state.set_step(step)

    def is_complete(self) -> bool:
        """False: journeys arrive, and another one can always begin."""
        return False

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON data."""
        return {
            "stack": [each.to_dict(with_notes=each is not self.present) for each in self.stack],
            "at_desk": self.at_desk,
            "arrived": self.arrived,
            "news": self.news,
            "profile": StateSerializer.serialize(self.profile),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RouterState:
        """What `to_dict` gave, with the states as objects of their classes.

        Raises:
            ValueError: A stored journey is not one of the router's.
        """
        return cls(
            stack=[cls._read(each) for each in data["stack"]],
            at_desk=data["at_desk"],
            arrived=data["arrived"],
            news=data["news"],
            profile=cls._read_profile(data["profile"]),
        )

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> UnderWay:
        journey = data["journey"]
        agent = cls.agents.get(journey)
        if agent is None:
            known = ", ".join(cls.agents) or "none"
            raise ValueError(f"journey {journey!r} is under way and the router does not have it (it has: {known})")
        found = read_stored_state(agent, Checkpoint(state=data["state"], state_version=data["version"]))
        if found.outcome == "fails":
            raise ValueError(f"journey {journey!r}, step {found.step!r}: {found.details}") from found.error
        notes = JourneyNotes.taken_from(own_copy(data["state"]))
        return UnderWay(
            journey=journey,
            state=found.state,
            version=found.version if found.outcome == "pinned" else agent.version,
            handed_over=data.get("handed_over", False),
            notes=notes,
        )

    @classmethod
    def _read_profile(cls, data: dict[str, Any]) -> Any:
        empty = cls.make_profile()
        if isinstance(empty, dict):
            return {**empty, **data}
        profile_class = type(empty)
        if hasattr(profile_class, "from_dict"):
            return profile_class.from_dict(data)
        return replace(empty, **data) if is_dataclass(empty) and not isinstance(empty, type) else data
