"""Where a journey has come through, and where it returns to after a correction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Heard", "Passed", "Travel"]


@dataclass(slots=True)
class Heard:
    """What a run answers, and how far it has got with it. Not stored.

    A correction is what a user's message begins with. Once the model has read what a tool of the journey has said, it
    may be that which speaks, so nothing is corrected any more until the user writes again.
    """

    is_message: bool = False
    """Whether the user has written it; a verdict on an approval is no answer to another question."""
    confirms: str | None = None
    """The correction that the user was asked about by the answer to the message right before."""
    asks: str | None = None
    """The correction that the model was told in this run to ask about."""
    began_with: Literal["", "correction", "tool"] = ""
    """What has run on it first: a correction, or a tool of the journey."""
    may_correct: bool = False
    """Whether a correction may run in this turn."""

    def begin_turn(self) -> None:
        """The model is about to read what has come of its calls so far."""
        self.may_correct = self.is_message and self.began_with != "tool"


@dataclass(frozen=True, slots=True)
class Passed:
    """A step that a tool has led on from."""

    step: str
    """Its name."""
    tool: str
    """The tool that led on."""
    to: str
    """The name of the step it led to."""
    fields: tuple[str, ...] = ()
    """What the step's tools had set when a correction led back behind it."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Passed:
        """What was stored.

        Raises:
            KeyError: Something is missing.
        """
        fields = tuple(str(each) for each in data.get("fields") or ())
        return cls(str(data["step"]), str(data["tool"]), str(data["to"]), fields)

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON data."""
        data: dict[str, Any] = {"step": self.step, "tool": self.tool, "to": self.to}
        return {**data, "fields": list(self.fields)} if self.fields else data


@dataclass(slots=True)
class Travel:
    """A journey's way; part of its notes, and like them stored beside the state."""

    path: list[Passed] = field(default_factory=list)
    """The steps that tools have led on from, first to last, each once: a loop is cut when it closes."""
    ahead: list[Passed] = field(default_factory=list)
    """The steps that were passed before a correction led back behind them."""
    resume: str | None = None
    """The name of the step where the journey stood before the correction."""
    answered: list[str] = field(default_factory=list)
    """Fields that a tool has set though they look untouched: an answer may be what the field began with."""
    asked: str | None = None
    """The correction that the user was asked about by the last answer."""
    cancelled: bool = False
    """Whether the user has cancelled the journey."""
    heard: Heard = field(default_factory=Heard)
    """What the run answers."""

    @classmethod
    def from_dict(cls, data: Any) -> Travel:
        """What was stored; what cannot be read of it is left out."""
        travel = cls()
        if not isinstance(data, Mapping):
            return travel
        for name in ("path", "ahead"):
            try:
                setattr(travel, name, [Passed.from_dict(each) for each in data.get(name) or ()])
            except (KeyError, TypeError, AttributeError):
                continue
        if isinstance(answered := data.get("answered"), list):
            travel.answered = [str(each) for each in answered]
        for name in ("resume", "asked"):
            if isinstance(found := data.get(name), str):
                setattr(travel, name, found)
        travel.cancelled = data.get("cancelled") is True
        return travel

    def to_dict(self) -> dict[str, Any]:
        """What there is to store; empty when there is nothing."""
        if not (self.path or self.ahead or self.answered or self.cancelled or self.asked or self.resume):
            return {}
        data = {
            "path": [each.to_dict() for each in self.path],
            "ahead": [each.to_dict() for each in self.ahead],
            "resume": self.resume,
            "answered": self.answered,
            "asked": self.asked,
            "cancelled": self.cancelled,
        }
        return {name: value for name, value in data.items() if value}

    def copy(self) -> Travel:
        """One of its own, with the same content, in the same run."""
        path, ahead, answered = self.path.copy(), self.ahead.copy(), self.answered.copy()
        return Travel(path, ahead, self.resume, answered, self.asked, self.cancelled, self.heard)

    def begin_run(self, *, is_message: bool) -> Heard:
        """Note what a run answers. Leave to lose all answers is good for the user's next message and no other.

        Args:
            is_message: Whether it is what the user has written.
        """
        self.heard = Heard(is_message, self.asked if is_message else None)
        if is_message:
            self.asked = None
        return self.heard

    def end_run(self, *, in_words: bool) -> None:
        """Note what the user was asked: only in words has it reached them."""
        if self.heard.asks is not None:
            self.asked, self.heard.asks = self.heard.asks if in_words else None, None

    def is_confirmed(self, name: str) -> bool:
        """Whether the user has answered the question about this correction; if not, the model is to ask it."""
        if self.heard.confirms == name:
            self.heard.confirms = None
            return True
        self.heard.asks = name
        return False

    def passed(self, step: str, tool: str, to: str) -> None:
        """Note that a tool has led from one step to another."""
        if self.ahead:
            self.ahead = [each for each in self.ahead if each.step != step]
        path = [each for each in self.path if each.step != step]
        path.append(Passed(step, tool, to))
        for place, each in enumerate(path):
            if each.step == to:
                del path[place:]
                break
        self.path = path

    def back_to(self, place: int, here: str, fields_of: Callable[[Passed], tuple[str, ...]]) -> None:
        """Go back to the step at a place of the path; what lies between it and here is to be passed again."""
        again = [
            Passed(each.step, each.tool, each.to, fields_of(each)) for each in self.path[place:] if each.step != here
        ]
        known = {each.step for each in again}
        self.ahead = [*again, *(each for each in self.ahead if each.step not in known)]
        self.path = self.path[:place]
        self.resume = self.resume or here

    def forward(self, here: str, is_done: Callable[[Passed], bool]) -> str:
        """The step to stand at after a tool has led here: past steps that were passed before and are done."""
        while here != self.resume:
            entry = next((each for each in self.ahead if each.step == here), None)
            if entry is None or not is_done(entry):
                return here
            self.passed(entry.step, entry.tool, entry.to)
            here = entry.to
        self.ahead, self.resume = [], None
        return here
