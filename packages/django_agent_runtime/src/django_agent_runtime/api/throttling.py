"""How often one owner may ask, where the project says so."""

from __future__ import annotations

from typing import Any

from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle

from django_agent_runtime.api.owner import Owner

__all__ = ["RunThrottle", "StreamThrottle"]


class _OwnerThrottle(SimpleRateThrottle):
    """Counts by owner, and by address where there is none. Without a rate nothing is counted."""

    scope: str = ""

    def get_rate(self) -> str | None:
        """The project's `REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]`, under the scope."""
        rate: Any = api_settings.DEFAULT_THROTTLE_RATES.get(self.scope)
        return None if rate is None else str(rate)

    def get_cache_key(self, request: Any, view: Any) -> str:
        """Whose count it is."""
        return self.cache_format % {"scope": self.scope, "ident": Owner.of(request).key or self.get_ident(request)}


class RunThrottle(_OwnerThrottle):
    """Limits what sets a model to work: new runs, and answers to what waits for a person."""

    scope = "agent_runs"


class StreamThrottle(_OwnerThrottle):
    """Limits how often streams are opened."""

    scope = "agent_streams"
