"""What a store answers to a message that wants a run: it may begin, it waits, or it was answered before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from agent_runtime_core.interfaces.checkpoint import Checkpoint
from agent_runtime_core.messages import MessageDict

__all__ = ["Answered", "Begun", "OnBusy", "TurnAnswer", "Waiting"]

OnBusy = Literal["queue", "reject", "merge"]
"""What becomes of a message that comes while a run is on: `queue` waits its turn, `reject` is refused and not kept,
`merge` waits, and joins the messages before it in one run if they are waiting, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The conversation belongs to the caller until the lease ends: no other run begins in it meanwhile."""

    lease: int
    """The fencing token: every commit of the run names it, and is refused once another run has taken over."""
    checkpoint: Checkpoint
    """The conversation as it is now, this message stored and among its last ones."""
    placed: int
    """How many messages of users this call has put at the end of the history: the caller's own, those in front of it
    whose senders are gone, and those that merge with it. 0 when an earlier run had stored the message and was
    broken off: what it has committed since is in the history, and the run goes on from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Another run is on, or others were first. The message is kept in line, unless it came with `reject`."""

    ahead: int
    """How many messages are in line before this one; 0 when only the run that is on has to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A run has answered this message before; nothing was written."""

    version: int
    """The version of the conversation now."""
    messages: list[MessageDict] = field(default_factory=list)
    """What is stored behind the message, up to the end of the run that answered it. Empty when it was removed."""
    result: dict[str, Any] = field(default_factory=dict)
    """What that run's last commit was given as `finish`."""


TurnAnswer = Begun | Waiting | Answered
