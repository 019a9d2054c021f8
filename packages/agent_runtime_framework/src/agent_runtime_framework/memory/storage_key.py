"""The keys under which states and messages stand in a key/value store."""

from __future__ import annotations

__all__ = ["messages_key", "read_messages_key", "read_state_key", "state_key"]

_STATE = "state:"
_MESSAGES = "conversation:"


def state_key(conversation_id: str, agent_key: str) -> str:
    """The key of an agent's state: `state:<conversation_id>:<agent_key>`."""
    return f"{_STATE}{conversation_id}:{agent_key}"


def messages_key(conversation_id: str) -> str:
    """The key of a conversation's messages: `conversation:<conversation_id>`."""
    return f"{_MESSAGES}{conversation_id}"


def read_state_key(key: str) -> tuple[str, str] | None:
    """Conversation and agent of a state's key, parted at the last colon; None for any other key."""
    if not key.startswith(_STATE):
        return None
    conversation_id, colon, agent_key = key[len(_STATE) :].rpartition(":")
    return (conversation_id, agent_key) if colon and conversation_id else None


def read_messages_key(key: str) -> str | None:
    """Conversation of a key of messages; None for any other key."""
    return (key[len(_MESSAGES) :] or None) if key.startswith(_MESSAGES) else None
