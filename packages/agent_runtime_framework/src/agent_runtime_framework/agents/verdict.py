"""A person's answer to a tool call that waits for them."""

from __future__ import annotations

from dataclasses import dataclass

from agent_runtime_core.errors import JourneyError
from agent_runtime_framework.tools.approval import Approval

__all__ = ["ApprovalNotFound", "Verdict"]


class ApprovalNotFound(JourneyError, LookupError):
    """Nothing waits under this id: it was never asked, or its time has run out."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Yes or no."""

    approval_id: str
    """What it answers."""
    granted: bool
    """Whether the tool may run."""
    by: str
    """Who has said so; stored with the conversation."""

    def message(self, approval: Approval | None) -> str:
        """How the conversation tells it, in words of code."""
        question = "" if approval is None else f": {approval.question}"
        return f"[{'Approved' if self.granted else 'Not approved'} by {self.by}{question}]"
