"""Refuses arguments that no store can mean anything by."""

from __future__ import annotations

__all__ = ["check_texts", "check_window"]


def check_texts(*names: str) -> None:
    """Make sure that conversation ids and agent keys are texts.

    Raises:
        TypeError: One is of another type, such as a UUID.
    """
    for name in names:
        if not isinstance(name, str):
            raise TypeError(
                f"conversation ids and agent keys are texts, not {type(name).__name__}: give str({name!r})."
            )


def check_window(name: str, count: int) -> int:
    """The number of messages, if it is one.

    Raises:
        ValueError: It is negative.
    """
    if count < 0:
        raise ValueError(f"{name} is {count}; give 0 or more.")
    return count
