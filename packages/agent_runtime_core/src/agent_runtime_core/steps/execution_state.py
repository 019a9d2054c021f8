"""How far a workflow has come, in the form in which it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from agent_runtime_core.stores.json_data import checked_copy

__all__ = ["ExecutionState"]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class ExecutionState:
    """One execution of a workflow."""

    execution_id: UUID = field(default_factory=uuid4)
    """Names the execution; it stays the same when a later process goes on with it."""
    current_step_index: int = 0
    """The position of the step that was begun last."""
    completed_steps: list[str] = field(default_factory=list)
    """The names of the steps that are done, in the order in which they were."""
    step_results: dict[str, Any] = field(default_factory=dict)
    """What each of them returned, as JSON data."""
    started_at: datetime = field(default_factory=_now)
    """When the execution began, in UTC."""
    custom_state: dict[str, Any] = field(default_factory=dict)
    """The dict that all steps share, JSON data."""

    def to_dict(self) -> dict[str, Any]:
        """A snapshot as JSON data: nothing that happens later changes it.

        Raises:
            TypeError: A result or the custom state is not JSON data; the text says where and why.
        """
        return {
            "execution_id": str(self.execution_id),
            "current_step_index": self.current_step_index,
            "completed_steps": list(self.completed_steps),
            "step_results": checked_copy(self.step_results, "step_results"),
            "started_at": self.started_at.isoformat(),
            "custom_state": checked_copy(self.custom_state, "custom_state"),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ExecutionState:
        """The execution of a snapshot, which shares nothing with it.

        Raises:
            ValueError: It is no snapshot; the text says what is wrong.
        """
        try:
            completed = list(data["completed_steps"])
            results = checked_copy(data["step_results"], "step_results")
            custom = checked_copy(data["custom_state"], "custom_state")
            if not isinstance(results, dict) or not isinstance(custom, dict):
                raise TypeError("step_results and custom_state must be objects")
            missing = [name for name in completed if name not in results]
            if missing:
                raise TypeError(f"no result of the completed steps {missing}")
            return cls(
                execution_id=UUID(data["execution_id"]),
                current_step_index=int(data["current_step_index"]),
                completed_steps=completed,
                step_results=results,
                started_at=datetime.fromisoformat(data["started_at"]),
                custom_state=custom,
            )
        except KeyError as error:
            raise ValueError(f"no execution of a workflow: {error} is missing") from error
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ValueError(f"no execution of a workflow: {error}") from error
