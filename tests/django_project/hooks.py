"""Hooks of the tests' project."""

from __future__ import annotations

from typing import Any

__all__ = ["SEEN", "allow_users_with_a", "broken", "no_quota"]

SEEN: list[tuple[str, str, bool]] = []
"""What was asked: action, agent, and whether somebody without a user asked."""


def allow_users_with_a(user: Any, action: str, data: dict[str, Any]) -> bool:
    """Let in whose name begins with a."""
    SEEN.append((action, data["agent_key"], getattr(user, "anonymous_session", None) is not None))
    return bool(user.is_authenticated and user.get_username().startswith("a"))


def no_quota(user: Any, agent_key: str) -> bool:
    """Nobody has anything left."""
    return False


def broken(user: Any, *what: Any) -> bool:
    """Decide nothing."""
    raise RuntimeError("the hook is broken")
