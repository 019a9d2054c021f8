"""What a project can listen to: a run has ended, a journey has moved, a tool call waits for a person.

Each is sent by the runner once the fact is committed, in the thread in which Django's ORM may be used. `sender` is the
class `AgentRun`. What a receiver raises is logged and harms no run.
"""

from __future__ import annotations

from django.dispatch import Signal

__all__ = ["approval_pending", "run_completed", "step_changed"]

run_completed = Signal()
"""A run has succeeded. Keywords: `run` (the `AgentRun`, its `output` filled), `output` (a dict)."""

step_changed = Signal()
"""A journey stands at another step. Keywords: `run`, `agent_key`, `from_step` and `to_step` (texts)."""

approval_pending = Signal()
"""A tool call waits for a person. Keywords: `run`, `approval_id`, `tool_name` (texts) and `arguments` (a dict)."""
