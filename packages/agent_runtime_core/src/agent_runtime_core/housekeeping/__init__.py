"""What becomes of stored conversations in the long run, on any store: export, erasure, retention."""

from agent_runtime_core.housekeeping.damage import key_without_state, missing_messages, readable_states
from agent_runtime_core.housekeeping.erasing import erase_owner
from agent_runtime_core.housekeeping.export import export_conversation, export_owner
from agent_runtime_core.housekeeping.listing import each_conversation, find_conversation
from agent_runtime_core.housekeeping.pruning import older_than_time, prune

__all__ = [
    "each_conversation",
    "erase_owner",
    "export_conversation",
    "export_owner",
    "find_conversation",
    "key_without_state",
    "missing_messages",
    "older_than_time",
    "prune",
    "readable_states",
]
