"""A person's answer to a tool call that waits for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from agent_runtime_core.errors import ConfigError, JourneyError
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

    @classmethod
    def of_host(cls, given: Any) -> Self:
        """What a host says of a person's answer. Nothing is read into it: what is no clear answer is none.

        Raises:
            ConfigError: It is not what a host gives.
        """
        if isinstance(given, Mapping):
            approval_id, granted, by = (given.get(name) for name in ("approval_id", "granted", "by"))
            if isinstance(approval_id, str) and isinstance(granted, bool) and isinstance(by, str):
                return cls(approval_id, granted, by)
        raise ConfigError(
            "the approval in the context of a host's run is no answer of a person; give a mapping with approval_id "
            "(a text), granted (True or False) and by (a text), or None"
        )

    def message(self, approval: Approval | None) -> str:
        """How the conversation tells it, in words of code."""
        question = "" if approval is None else f": {approval.question}"
        return f"[{'Approved' if self.granted else 'Not approved'} by {self.by}{question}]"
