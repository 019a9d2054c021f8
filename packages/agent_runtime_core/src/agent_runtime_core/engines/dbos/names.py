"""Under which names DBOS knows us."""

from __future__ import annotations

__all__ = ["APPLICATION", "PROTOCOL", "QUEUE", "WORKFLOW"]

APPLICATION = "agent-runtime"
QUEUE = "runs"
WORKFLOW = "run"

PROTOCOL = "1"
"""What DBOS calls the application's version: a worker takes only runs of its own.

It belongs to this package's tables, not to the work, which finds its steps by name. Raise it only when a worker of
before could not go on with a run of after.
"""
