"""What a tool may return when a text alone does not say enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["ToolResult"]


@dataclass
class ToolResult:
    """The outcome of a tool. The model reads `content`; the rest is for code."""

    content: str
    """The text for the model."""
    success: bool = True
    """Whether the tool did its work."""
    error: str | None = None
    """What went wrong, when it did not."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Notes of the tool's author; the model does not see them."""

    @classmethod
    def ok(cls, content: str, **metadata: Any) -> ToolResult:
        """A success, with its text for the model."""
        return cls(content, metadata=metadata)

    @classmethod
    def fail(cls, error: str, **metadata: Any) -> ToolResult:
        """A failure; the model reads the error."""
        return cls(error, success=False, error=error, metadata=metadata)
