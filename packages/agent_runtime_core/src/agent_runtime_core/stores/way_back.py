"""The way back from a state that cannot be read, as a command that can be pasted."""

from __future__ import annotations

from shlex import quote

__all__ = ["way_back"]


def way_back(conversation_id: str, owner: str, readable_version: int) -> str:
    """Which version can be read, and the command that goes back to it.

    Args:
        conversation_id: The conversation.
        owner: Whose it is.
        readable_version: The last version whose state can be read.
    """
    whose = f" --owner {quote(owner)}" if owner else ""
    return (
        f"Its last readable version is {readable_version}: go back to it with `agent-runtime store rewind "
        f"{quote(conversation_id)} {readable_version}{whose} --store URL`"
    )
