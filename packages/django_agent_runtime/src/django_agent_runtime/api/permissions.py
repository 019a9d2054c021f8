"""Who may come in: users, and sessions without one."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission

from django_agent_runtime.api.owner import Owner
from django_agent_runtime.conf import runtime_settings

__all__ = [
    "AnonymousSessionAuthentication",
    "IsAuthenticatedOrAnonymousSession",
    "KnownOrListing",
    "get_anonymous_session",
]

HEADER = "X-Anonymous-Token"
PARAMETER = "anonymous_token"


def get_anonymous_session(request: Any) -> Any:
    """The session whose token a request brings, in the header or the query; None for a wrong or an expired one."""
    model_name = runtime_settings().ANONYMOUS_SESSION_MODEL
    token = request.headers.get(HEADER) or request.GET.get(PARAMETER)
    if model_name is None or not token or "\0" in token:
        return None
    model = apps.get_model(model_name)
    try:
        session = model._default_manager.filter(token=token).first()
    except (ValueError, ValidationError):  # the token's column takes no such text
        return None
    if session is None:
        return None
    is_expired = getattr(session, "is_expired", False)
    return None if (is_expired() if callable(is_expired) else is_expired) else session


class AnonymousSessionAuthentication(BaseAuthentication):
    """Recognises a session of the model `ANONYMOUS_SESSION_MODEL` by its token; `request.anonymous_session` is it."""

    def authenticate(self, request: Any) -> tuple[None, Any] | None:
        """`(None, session)`, or None."""
        session = get_anonymous_session(request)
        request.anonymous_session = session
        return None if session is None else (None, session)

    def authenticate_header(self, request: Any) -> str:
        """What a response with 401 asks for."""
        return HEADER


class IsAuthenticatedOrAnonymousSession(BasePermission):
    """Lets users and sessions in."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Whether somebody was recognised."""
        return Owner.of(request).is_known


class KnownOrListing(IsAuthenticatedOrAnonymousSession):
    """As the parent; a list is empty for others."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Whether somebody was recognised, or there will be nothing to see."""
        return getattr(view, "action", None) == "list" or super().has_permission(request, view)
