"""Conversations in Django's database, as the core's `CheckpointStore`."""

from django_agent_runtime.stores.store import DjangoCheckpointStore

__all__ = ["DjangoCheckpointStore"]
