"""The agents of the project."""

from __future__ import annotations

from onboarding import OnboardingAgent

from django_agent_runtime.runtime.registry import register_runtime


def register() -> None:
    """Register the journey; without a store of its own it gets Django's database."""
    register_runtime(OnboardingAgent())
