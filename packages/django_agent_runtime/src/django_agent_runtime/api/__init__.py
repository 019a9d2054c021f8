"""REST and streams: conversations and runs over HTTP, for whoever owns them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_agent_runtime.api.views import (
        BaseAgentConversationViewSet,
        BaseAgentRunViewSet,
        BaseModelsViewSet,
        async_event_stream,
        event_stream,
        sync_event_stream,
    )

__all__ = [
    "BaseAgentConversationViewSet",
    "BaseAgentRunViewSet",
    "BaseModelsViewSet",
    "async_event_stream",
    "event_stream",
    "sync_event_stream",
]


def __getattr__(name: str) -> Any:
    # Views can be imported once Django has loaded the apps, this package before.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.views"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
