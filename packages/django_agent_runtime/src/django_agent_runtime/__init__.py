"""The Django host: conversations, runs and journey states in Django's database, in its admin and its commands."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_agent_runtime.models import StepCheckpoint, StepEvent
    from django_agent_runtime.steps import DjangoRunContext, DjangoStepExecutor

__all__ = ["DjangoRunContext", "DjangoStepExecutor", "StepCheckpoint", "StepEvent", "__version__"]

__version__ = "0.3.0"

# Models can be imported once Django has loaded the apps, this package before; so they come when they are asked for.
_ROOMS = {
    "DjangoRunContext": "steps",
    "DjangoStepExecutor": "steps",
    "StepCheckpoint": "models",
    "StepEvent": "models",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS})
