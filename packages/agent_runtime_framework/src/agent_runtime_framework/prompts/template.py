"""A prompt with places to fill in."""

from __future__ import annotations

from dataclasses import dataclass, field
from string import Template
from typing import Any

__all__ = ["PromptTemplate"]


@dataclass
class PromptTemplate:
    """A prompt with variables: `$name` or `${name}`, and `$$` for a dollar sign."""

    template: str
    """The text with its variables."""
    defaults: dict[str, Any] = field(default_factory=dict)
    """Values of variables that a call of `render` does not give."""

    def render(self, /, **variables: Any) -> str:
        """The text with each variable replaced by `str()` of its value; what has no value stays as it is.

        Values are inserted, never read again: a `$` in a value is a dollar sign.
        """
        return Template(self.template).safe_substitute(self.defaults, **variables)
