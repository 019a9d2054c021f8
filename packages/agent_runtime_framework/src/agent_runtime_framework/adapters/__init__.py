"""Adapters: journeys that are written for a host."""

from agent_runtime_framework.adapters.django import DjangoRuntimeAdapter, DjangoStateStore, create_django_runtime

__all__ = ["DjangoRuntimeAdapter", "DjangoStateStore", "create_django_runtime"]
