"""A tool call that waits for a person: asked for by the model, granted by nobody but a person."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from agent_runtime_core.errors import ConfigError

__all__ = ["Approval", "ApprovalPending", "check_question", "question_text"]


@dataclass(slots=True)
class Approval:
    """A call that a person has to say yes or no to."""

    approval_id: str
    """Names it; `JourneyAgent.approve` wants it."""
    tool: str
    """The tool that would run."""
    arguments: dict[str, Any]
    """The arguments it would run with, exactly; other arguments need another approval."""
    question: str
    """What the person is asked, made by code from the arguments."""
    asked_at: str
    """When, UTC, ISO 8601."""
    expires_at: str | None = None
    """Until when it can be granted; None for ever."""
    granted_by: str | None = None
    """Who has granted it, while the tool has not run yet."""

    @classmethod
    def asked(cls, tool: str, arguments: dict[str, Any], question: str, lifetime: timedelta | None) -> Approval:
        """A new one, from now on."""
        now = datetime.now(UTC)
        return cls(
            approval_id=uuid4().hex,
            tool=tool,
            arguments=json.loads(json.dumps(arguments)),
            question=question,
            asked_at=now.isoformat(),
            expires_at=None if lifetime is None else (now + lifetime).isoformat(),
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Approval:
        """What `to_dict` gave.

        Raises:
            TypeError: Something is missing.
        """
        return cls(**{name: data[name] for name in cls.__slots__ if name in data})

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON data."""
        return asdict(self)

    def is_for(self, tool: str, arguments: Mapping[str, Any]) -> bool:
        """Whether it is about this very call."""
        return self.tool == tool and self.arguments == arguments

    def is_over(self) -> bool:
        """Whether its time has run out."""
        return self.expires_at is not None and datetime.fromisoformat(self.expires_at) <= datetime.now(UTC)


class ApprovalPending(Exception):
    """A call waits for a person; nothing has run."""

    def __init__(self, approval: Approval) -> None:
        super().__init__(approval.question)
        self.approval = approval


def question_text(confirm: Any, state: Any, arguments: Mapping[str, Any]) -> str:
    """What the person is asked."""
    if isinstance(confirm, str):
        return confirm.format_map(arguments)
    return str(confirm(state, **arguments))


def check_question(confirm: Any, parameters: Mapping[str, Any]) -> None:
    """Make sure that a question can be made of the arguments.

    Raises:
        ConfigError: It names something that is no parameter.
    """
    if not isinstance(confirm, str):
        return
    try:
        named = [name for _, name, _, _ in string.Formatter().parse(confirm) if name is not None]
    except ValueError as error:
        raise ConfigError(f"confirm={confirm!r} is no template: {error}") from error
    for name in named:
        if name.split(".")[0].split("[")[0] not in parameters:
            known = ", ".join(parameters) or "none"
            raise ConfigError(f"confirm={confirm!r} names {{{name}}}, which is no parameter; there is: {known}")
