"""What may reach a terminal of a text that a model, a tool or a store wrote."""

from __future__ import annotations

__all__ = ["one_line", "plain", "question_line"]

# ESC and its kin can move the cursor, rename the window or answer in the user's name: C0 without newline and
# tab, DEL, and C1, which some terminals obey as well.
_CONTROLS = dict.fromkeys([*range(0x00, 0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0)])

# What makes a terminal show characters in another order than they stand in: fine in a text, not in a question that
# somebody says yes to.
_REORDERING = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def plain(text: str) -> str:
    """The text without the characters that command a terminal; newlines and tabs stay."""
    return text.translate(_CONTROLS)


def one_line(text: str, limit: int | None = None) -> str:
    """The text on one line without control characters, cut with `...` when it is longer than `limit`."""
    if limit is not None and len(text) > 4 * limit + 1000:  # a megabyte is not cleaned to show 40 characters
        text = text[: 4 * limit + 1000]
    line = " ".join(plain(text.replace("\r", " ")).split())
    return line if limit is None or len(line) <= limit else line[: max(limit - 3, 0)] + "..."


def question_line(text: str) -> str:
    """The whole of a question on one line, its characters in the order in which they stand."""
    return one_line(text.translate(_REORDERING))
