"""What of a call still stands when its result turned some of it down: `Error: ...`, or plainly `..., not 1890`."""

from __future__ import annotations

import re
from typing import Any

from agent_runtime_core.llm.offline.conversation import Ran
from agent_runtime_core.llm.offline.passage import Found, Sure
from agent_runtime_core.llm.offline.schema import OfferedTool, Path
from agent_runtime_core.llm.offline.validity import fits

__all__ = ["argument_at", "kept_from"]

_REFUSES = re.compile(
    r"\b(?:not|cannot|must|only|invalid|unknown|outside|no such|sorry|unfortunately)\b|n't\b|n\u2019t\b"
    r"|\btoo (?:old|new|young|long|short|high|low|many|few|much|little|big|large|small|early|late)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


def kept_from(tool: OfferedTool, ran: Ran) -> dict[Path, Found]:
    """The arguments of a call that its result did not turn down, for when the user says only the others again.

    The result turns down the value that it names behind a `not`, failing that each that it names beside words such
    as `must` or `sorry`. A failure that names none, or all, leaves everything; a result that is no failure, nothing.
    """
    if ran.name != tool.name:
        return {}
    values = {
        each.path: Found(value, 0, 0, Sure.LIKELY)
        for each in tool.parameters
        if (value := argument_at(ran.arguments, each.path)) is not None and fits(value, each.schema)
    }
    refused = _refused(values, ran.result)
    if ran.failed and len(refused) in (0, len(values)):
        return values
    return {path: found for path, found in values.items() if path not in refused} if refused else {}


def argument_at(arguments: Any, path: Path) -> Any:
    """The argument at a path; None when there is none."""
    for name in path:
        arguments = arguments.get(name) if isinstance(arguments, dict) else None
    return arguments


def _refused(values: dict[Path, Found], result: str) -> set[Path]:
    """Which values the sentences that turn something down speak of."""
    sentences = [each for each in _SENTENCE_END.split(result[:2_000]) if _REFUSES.search(each)]
    for before in (r"\bnot (?:an? |the )?", ""):
        named = {
            path
            for path, found in values.items()
            if isinstance(found.value, (str, int, float)) and not isinstance(found.value, bool) and str(found.value)
            if any(_names(before, found.value, each) for each in sentences)
        }
        if named:
            return named
    return set()


def _names(before: str, value: object, text: str) -> bool:
    return re.search(rf"{before}(?<![\w.]){re.escape(str(value))}(?![\w]|[.,]\d)", text, re.IGNORECASE) is not None
