"""What the framework remembers of a journey beside its state: stored with it, under a key of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from agent_runtime_framework.tools.approval import Approval
from agent_runtime_framework.tools.travel import Travel

__all__ = ["JourneyNotes"]

_KEY = "_journey"
"""Where a stored state holds the notes; the state class never sees it."""

_DECIDED_KEPT = 20
"""So many answers are remembered, for whoever answers twice."""


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
        found = data.pop(_KEY, None)
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
        return {**data, _KEY: noted}

    def take_over(self, later: JourneyNotes) -> None:
        """Hold what was noted later on the same way; what belongs to the run that is on stays."""
        self.once, self.approvals = later.once, later.approvals
        self.decided[:] = later.decided  # several notes may share the one list
        later.travel.message_id, later.travel.may_cancel = self.travel.message_id, self.travel.may_cancel
        self.travel = later.travel

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
        if not self.approvals:  # asked at every turn, and nearly always so
            return None
        return next((each for each in self.approvals.values() if each.granted_by is not None), None)
