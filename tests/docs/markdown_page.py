"""A Markdown page as the tests read it: its fenced blocks, and the comments that stand directly above them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

__all__ = ["NOT_RUN", "OUTPUT", "ROOT", "Block", "Page", "documentation", "seed_texts"]

ROOT = Path(__file__).resolve().parents[2]
SEEDS = Path(__file__).parent / "seeds"

OUTPUT = "output"
"""`<!-- output -->` above a text block: exactly this is what the Python block before it prints."""
NOT_RUN = "not run:"
"""`<!-- not run: reason -->` above a Python block: it does not run, for the reason given."""

_FENCE = re.compile(r"(?P<indent> *)(?P<marks>`{3,}|~{3,})\s*(?P<language>[^\s`]*)[^`]*$")
_COMMENT = re.compile(r"\s*<!--\s*(?P<text>.*?)\s*-->\s*$")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block."""

    page: Path
    """The file that it stands in."""
    line: int
    """The number of the line that opens it."""
    language: str
    """What stands behind the fence; empty when nothing does."""
    text: str
    """Its lines, without the indentation of a list that it may stand in."""
    comment: str | None
    """The text of the HTML comment in the line above."""

    @property
    def name(self) -> str:
        """Where the block is: `README.md:42`."""
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"

    @property
    def reason_not_to_run(self) -> str | None:
        """The reason that its marker gives, or None."""
        if self.comment is None or not self.comment.startswith(NOT_RUN):
            return None
        return self.comment.removeprefix(NOT_RUN).strip()


@dataclass(frozen=True)
class Page:
    """A Markdown file."""

    path: Path
    """The file."""
    text: str = field(repr=False)
    """What is in it."""

    @classmethod
    def read(cls, path: Path) -> Page:
        """The page in a file."""
        return cls(path, path.read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        """The file's path in the checkout."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def blocks(self) -> list[Block]:
        """All fenced blocks, in their order.

        Raises:
            ValueError: A block is not closed, and would hide those that follow.
        """
        found: list[Block] = []
        lines = iter(enumerate(self.text.splitlines(), start=1))
        above = ""
        for number, line in lines:
            opening = _FENCE.match(line)
            if opening is None:
                above = line or above  # an empty line may stand between a comment and its block
                continue
            comment = _COMMENT.match(above)
            above = ""
            found.append(
                Block(
                    page=self.path,
                    line=number,
                    language=opening["language"],
                    text="".join(f"{each}\n" for each in self._inside(opening, number, lines)),
                    comment=comment["text"] if comment else None,
                )
            )
        return found

    def _inside(self, opening: re.Match[str], start: int, lines: Iterator[tuple[int, str]]) -> Iterator[str]:
        """The lines up to the one that closes a block."""
        indent, marks = len(opening["indent"]), opening["marks"]
        for _, line in lines:
            words = line.strip()
            if words.startswith(marks):
                if words.strip(marks[0]):
                    break
                return
            yield line[indent:] if not line[:indent].strip() else line
        raise ValueError(f"{self.name}:{start}: this block is not closed")

    @cached_property
    def headings(self) -> list[tuple[int, str]]:
        """The headings, each with the number of its line."""
        in_blocks = {n for block in self.blocks for n in range(block.line, block.line + block.text.count("\n") + 1)}
        lines = enumerate(self.text.splitlines(), start=1)
        return [(n, line.lstrip("# ")) for n, line in lines if line.startswith("#") and n not in in_blocks]

    @property
    def python(self) -> list[Block]:
        """The Python blocks, in their order."""
        return [block for block in self.blocks if block.language == "python"]

    @property
    def runnable(self) -> list[Block]:
        """The Python blocks that run, in their order."""
        return [block for block in self.python if block.reason_not_to_run is None]

    def output_of(self, block: Block) -> str | None:
        """What the page says that a block prints; None when it says nothing."""
        following = self.blocks[self.blocks.index(block) + 1 :][:1]
        return next((each.text for each in following if each.comment == OUTPUT), None)

    def section(self, heading: str, language: str = "python") -> list[Block]:
        """The blocks of a language below a heading, up to the next one."""
        start = next(number for number, text in self.headings if text == heading)
        end = next((number for number, _ in self.headings if number > start), float("inf"))
        return [block for block in self.blocks if block.language == language and start < block.line < end]


def documentation() -> list[Page]:
    """The README of the workspace, those of its packages, and everything in `docs/`."""
    paths = [
        *[path for path in [ROOT / "README.md"] if path.exists()],
        *sorted((ROOT / "packages").glob("*/README.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
    ]
    return [Page.read(path) for path in paths]


def seed_texts() -> list[Page]:
    """The examples of the two READMEs whose users' code keeps working."""
    return [Page.read(path) for path in sorted(SEEDS.glob("*.md"))]
