"""What a prompt's template may name of a state."""

from __future__ import annotations

from enum import Enum
from typing import Any

__all__ = ["template_variables"]


def template_variables(state: Any) -> dict[str, Any]:
    """The public fields of a state by name; members of enums as their values."""
    return {
        name: value.value if isinstance(value, Enum) else value
        for name, value in vars(state).items()
        if not name.startswith("_")
    }
