"""What a run is about, as it is stored by an engine; and the ids that make one task one run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from agent_runtime_core.interfaces.runs import RunRequest
from agent_runtime_framework.agents.verdict import Verdict
from agent_runtime_framework.runtime.reminder import Reminder

__all__ = ["Task", "order_key", "run_id_of"]

_RUNS = UUID("b1c9a2a4-54d4-4a0c-8a5e-0d3f0a9e6c55")
"""The namespace of run ids."""


def order_key(owner: str, conversation_id: str) -> str:
    """What runs of one conversation have in common: they go one at a time."""
    return json.dumps([owner, conversation_id], ensure_ascii=False)


def run_id_of(kind: str, agent_key: str, owner: str, conversation_id: str, name: str) -> str:
    """The id of a run: the same task of the same conversation is the same run, whoever submits it."""
    return str(uuid5(_RUNS, json.dumps([kind, agent_key, owner, conversation_id, name])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a run does in a conversation. Exactly one of the last three is given."""

    conversation_id: str
    """The conversation."""
    owner: str
    """Whose it is."""
    text: str | None = None
    """A user's message."""
    message_id: str = ""
    """Names the message."""
    verdict: Verdict | None = None
    """A person's answer to a tool call that waits for them."""
    reminder: Reminder | None = None
    """What is to happen if the user stays silent."""
    since: int = 0
    """For a reminder: how many messages the conversation had when it was asked for."""
    name: str = ""
    """For a reminder: what it is called."""

    def to_dict(self) -> dict[str, Any]:
        """The task as JSON data."""
        data: dict[str, Any] = {"conversation_id": self.conversation_id, "owner": self.owner}
        if self.text is not None:
            return {**data, "kind": "message", "text": self.text, "message_id": self.message_id}
        if self.verdict is not None:
            verdict = self.verdict
            asked = {"approval_id": verdict.approval_id, "granted": verdict.granted, "by": verdict.by}
            return {**data, "kind": "approval", **asked}
        assert self.reminder is not None
        reminder = self.reminder.to_dict()
        return {**data, "kind": "reminder", "reminder": reminder, "since": self.since, "name": self.name}

    @classmethod
    def of(cls, request: RunRequest) -> Task:
        """The task of a run.

        Raises:
            ValueError: It is of a kind that this version does not know.
        """
        data = request.input
        who = {"conversation_id": data["conversation_id"], "owner": data["owner"]}
        match data.get("kind"):
            case "message":
                return cls(**who, text=data["text"], message_id=data["message_id"])
            case "approval":
                return cls(**who, verdict=Verdict(data["approval_id"], data["granted"], data["by"]))
            case "reminder":
                reminder = Reminder(**data["reminder"])
                return cls(**who, reminder=reminder, since=data["since"], name=data["name"])
            case kind:
                raise ValueError(
                    f"run {request.run_id!r} is of kind {kind!r}, which this version does not know; a newer one has "
                    f"submitted it, and can do it."
                )
