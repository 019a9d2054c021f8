"""How a tool asks the model to mend its call."""

from __future__ import annotations

__all__ = ["InvalidArguments", "ToolRetry"]


class ToolRetry(Exception):
    """Raised by a tool whose call the model should mend: it reads the text and calls again. The user does not see it.

    What the tool has changed in the state is undone. It is no failure of the tool, and not logged as one.

    Args:
        advice: What is wrong with the call, and how to mend it.
    """

    def __init__(self, advice: str) -> None:
        super().__init__(advice)
        self.advice = advice


class InvalidArguments(Exception):
    """Arguments that fit the tool's schema and still are not what its signature wants; the text is for the model."""
