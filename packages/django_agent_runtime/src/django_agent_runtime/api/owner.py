"""Whose request it is, and what of the database is theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from django_agent_runtime.models import AgentConversation, AgentRun

__all__ = ["IDENTITY", "Owner"]

IDENTITY = ("user_id", "anonymous_token", "conversation_id")
"""Keys of a run's metadata that the server alone writes."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A user, or a session without one; or neither, who owns nothing."""

    user: Any = None
    session: Any = None

    @classmethod
    def of(cls, request: Any) -> Self:
        """Whoever was recognised; a user before a session."""
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            return cls(user=user)
        return cls(session=getattr(request, "anonymous_session", None))

    @property
    def is_known(self) -> bool:
        """Whether there is somebody."""
        return self.user is not None or self.session is not None

    @property
    def key(self) -> str:
        """Who it is, as text, different for everybody; empty for nobody."""
        if self.user is not None:
            return f"user:{self.user.pk}"
        return "" if self.session is None else f"session:{self.session.pk}"

    @property
    def name(self) -> str:
        """Who it is, for people: a user's natural name."""
        return "anonymous session" if self.user is None else str(self.user.get_username())

    @property
    def user_for_hooks(self) -> Any:
        """The user as hooks get it: for a session an `AnonymousUser` with the attribute `anonymous_session`."""
        if self.user is not None:
            return self.user
        user = AnonymousUser()
        user.anonymous_session = self.session  # type: ignore[attr-defined]  # for hooks that count by session
        return user

    @property
    def identity(self) -> dict[str, Any]:
        """What runs of theirs say of them in their metadata."""
        if self.user is not None:
            return {"user_id": str(self.user.pk)}
        return {} if self.session is None else {"anonymous_token": str(self.session.token)}

    @property
    def columns(self) -> dict[str, Any]:
        """What a new conversation of theirs says of them."""
        if self.user is not None:
            return {"user": self.user}
        return {} if self.session is None else {"anonymous_session_id": self.session.pk}

    def conversations(self) -> QuerySet[AgentConversation]:
        """Their conversations."""
        if not self.is_known:
            return AgentConversation.objects.none()
        return AgentConversation.objects.filter(self._conversations(""))

    def runs(self) -> QuerySet[AgentRun]:
        """The runs of their conversations, and those without a conversation that are theirs."""
        if not self.is_known:
            return AgentRun.objects.none()
        (name, value) = next(iter(self.identity.items()))
        theirs = Q(owner_key=self.key) | Q(owner_key="", **{f"metadata__{name}": value})
        return AgentRun.objects.filter(self._conversations("conversation__") | (Q(conversation=None) & theirs))

    def _conversations(self, prefix: str) -> Q:
        if self.user is not None:
            return Q(**{f"{prefix}user": self.user.pk})
        return Q(**{f"{prefix}user": None, f"{prefix}anonymous_session_id": self.session.pk})
