"""What lint has found, at which place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Finding", "Place", "Severity"]

Severity = Literal["error", "warning", "note"]
"""`error`: the journey will fail or cannot arrive; `warning`: it probably does not do what was meant; `note`: have a
look whether it is meant so."""

Place = tuple[str, int]
"""A file and a line in it, counted from 1; an empty file name and 0 where there is no source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that `lint_journey` has to say of a journey."""

    code: str
    """Names the rule, such as `J101`; codes never change their meaning."""
    severity: Severity
    """How bad it is."""
    file: str
    """The file; empty when the class has no source."""
    line: int
    """The line, counted from 1; 0 when the class has no source."""
    message: str
    """Why: one sentence."""
    mend: str
    """How to mend it: one sentence."""
    journey: str
    """The name of the agent's class."""

    def to_dict(self) -> dict[str, Any]:
        """The finding as JSON-ready data."""
        return {
            "code": self.code,
            "severity": self.severity,
            "file": self.file,
            "line": self.line,
            "message": self.message,
            "mend": self.mend,
            "journey": self.journey,
        }
