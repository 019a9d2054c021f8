"""What a tool's docstring tells the model: the tool's purpose and its parameters."""

from __future__ import annotations

import inspect
import re

__all__ = ["read_docstring"]

_SECTION = re.compile(
    r"(Args|Arguments|Parameters|Returns|Return|Yields|Raises|Note|Notes|Example|Examples|Attributes):\s*$"
)
_PARAMETERS = frozenset({"Args", "Arguments", "Parameters"})
_ENTRY = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.*)$")


def read_docstring(docstring: str | None) -> tuple[str, dict[str, str]]:
    """The purpose, and the parameters' descriptions by name, of a Google-style docstring.

    The purpose is what stands before the first section; sections other than the parameters' are for people.
    """
    if not docstring:
        return "", {}
    lines = inspect.cleandoc(docstring).splitlines()
    purpose: list[str] = []
    described: dict[str, list[str]] = {}
    section: str | None = None
    current: list[str] = []
    depth = 0  # how far the entries are indented
    for line in lines:
        heading = _SECTION.match(line)
        if heading:
            section = heading.group(1)
            depth = 0
        elif section is None:
            purpose.append(line)
        elif section in _PARAMETERS and line.strip():
            indent = len(line) - len(line.lstrip())
            depth = depth or indent
            entry = _ENTRY.match(line.strip()) if indent <= depth else None
            if entry:
                current = described.setdefault(entry.group(1), [])
            current.append(entry.group(2) if entry else line.strip())
    return "\n".join(purpose).strip(), {name: " ".join(filter(None, words)) for name, words in described.items()}
