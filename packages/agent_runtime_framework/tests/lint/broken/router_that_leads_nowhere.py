# J501
"""A router to which no journey was added."""

from __future__ import annotations

from typing import Any

from agent_runtime_framework import JourneyRouter


class Agent(JourneyRouter):
    key = "broken"

    def __init__(self, *args: Any, **options: Any) -> None:  # <-
        super().__init__(*args, **options)
