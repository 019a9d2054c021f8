"""What the framework remembers of a journey beside its state: stored with it, under a key of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from agent_runtime_framework.tools.approval import Approval
from agent_runtime_framework.tools.travel import Travel

__all__ = ["NOTES_KEY", "JourneyNotes"]

NOTES_KEY = "_journey"
"""Where a stored state holds the notes; the state class never sees it."""

_DECIDED_KEPT = 20
"""So many answers are remembered, for whoever answers twice."""

Memo = tuple[dict[str, str], dict[str, Approval], Travel]
"""What can change in notes while a tool runs."""


@dataclass(slots=True)
class JourneyNotes:
    """What has been done that a state does not tell."""

    once: dict[str, str] = field(default_factory=dict)
    """The results of the tools that run only once, by name."""
    approvals: dict[str, Approval] = field(default_factory=dict)
    """The calls that wait for a person, by id."""
    decided: list[str] = field(default_factory=list)
    """The ids of approvals that a person has answered, the last few."""
    travel: Travel = field(default_factory=Travel)
    """Where the journey has come through."""
    approval_lifetime: timedelta | None = None
    """How long a person has to say yes; None for ever. Not stored."""

    @classmethod
    def taken_from(cls, data: dict[str, Any]) -> JourneyNotes:
        """The notes in a stored state; they are taken out of it. What cannot be read of them is left out."""
        found = data.pop(NOTES_KEY, None)
        notes = cls()
        if not isinstance(found, Mapping):
            return notes
        if isinstance(once := found.get("once"), Mapping):
            notes.once = {str(name): str(result) for name, result in once.items()}
        if isinstance(decided := found.get("decided"), list):
            notes.decided = [str(each) for each in decided]
        notes.travel = Travel.from_dict(found.get("travel"))
        for each in found.get("approvals") or ():
            try:
                approval = Approval.from_dict(each)
            except (TypeError, AttributeError):
                continue
            notes.approvals[approval.approval_id] = approval
        return notes

    @staticmethod
    def drop_from(data: dict[str, Any]) -> None:
        """Take the notes out of a stored state, unread."""
        data.pop(NOTES_KEY, None)

    def put_into(self, data: dict[str, Any]) -> dict[str, Any]:
        """A state to be stored, with the notes when there are any."""
        noted: dict[str, Any] = {}
        travelled = self.travel.to_dict()
        if not (travelled or self.once or self.approvals or self.decided):
            return data
        if self.once:
            noted["once"] = dict(self.once)
        if self.approvals:
            noted["approvals"] = [approval.to_dict() for approval in self.approvals.values()]
        if self.decided:
            noted["decided"] = self.decided[-_DECIDED_KEPT:]
        if travelled:
            noted["travel"] = travelled
        return {**data, NOTES_KEY: noted}

    def take_over(self, later: JourneyNotes) -> None:
        """Hold what was noted later on the same way; what belongs to the run that is on stays."""
        self.once, self.approvals = later.once, later.approvals
        self.decided[:] = later.decided  # several notes may share the one list
        later.travel.heard = heard = self.travel.heard
        heard.began_with = heard.began_with or "tool"  # what is taken over has been left by one
        self.travel = later.travel

    def memo(self) -> Memo:
        """What they hold now, for `restore`."""
        return self.once.copy(), self.approvals.copy(), self.travel.copy()

    def restore(self, memo: Memo) -> None:
        """Hold again what they held, when a tool call is undone."""
        self.once, self.approvals, self.travel = memo

    def decide(self, approval: Approval, granted: bool, by: str) -> None:
        """Write down a person's answer."""
        self.decided.append(approval.approval_id)
        if granted:
            approval.granted_by = by
        else:
            del self.approvals[approval.approval_id]

    def waiting(self, tool: str, arguments: Mapping[str, Any]) -> Approval | None:
        """The approval that this very call waits for, or None."""
        return next((each for each in self.approvals.values() if each.is_for(tool, arguments)), None)

    def granted(self) -> Approval | None:
        """The first call that a person has said yes to and that has not run yet."""
        return next((each for each in self.approvals.values() if each.granted_by is not None), None)
