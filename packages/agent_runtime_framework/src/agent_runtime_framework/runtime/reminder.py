"""What is to happen in a conversation later, if its user stays silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Reminder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A word to a silent user, or the end of a conversation's time.

    Exactly one of `says` and `prompt` is given; `to` may come with `says`, or alone.
    """

    says: str | None = None
    """What the user reads, in these words; no model is asked."""
    prompt: str | None = None
    """What the model is told: it then writes to the user, with the tools of the step."""
    to: str | None = None
    """The value of the step that the journey moves to, such as one at which an offer has expired."""
    until_reply: bool = True
    """Whether a message of the user's that comes before takes it back."""

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: There is nothing to do, or too much.
        """
        if self.prompt is not None and (self.says is not None or self.to is not None):
            raise ValueError("a reminder has either a prompt for the model, or words and a step of code: give one")
        if not (self.prompt or self.says or self.to):
            raise ValueError("a reminder does nothing: give says='...', prompt='...' or to=step")

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON data."""
        return {name: getattr(self, name) for name in self.__slots__}
