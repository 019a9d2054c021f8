"""Taking things out again: the words for it, the tools that do it, and those that do the opposite."""

from __future__ import annotations

import re

from agent_runtime_core.llm.offline.passage import stem
from agent_runtime_core.llm.offline.schema import OfferedTool

__all__ = ["REMOVING", "TAKING_OUT", "adds", "says_remove", "takes_back", "with_remove"]

REMOVING = frozenset(
    stem(word) for word in "remove delete drop discard clear cancel undo revoke withdraw erase reset empty".split()
)
"""The stems that name a tool which undoes something."""
_ADDING = frozenset(map(stem, ("add", "put", "buy")))
TAKING_OUT = re.compile(
    r"\b(?:(?<!\ba )take (?P<taken>(?:(?!in\b|up\b)[^\s,;.]+ ){0,4}?)(?:out|off|away)"
    r"|put (?P<put>(?:[^\s,;.]+ ){0,4}?)back|get rid of)\b",
    re.IGNORECASE,
)
"""`take out`, `take the milk out`, `get rid of`: to remove, in two words or more; a thing in between is a group."""
_SAYS_REMOVE = re.compile(
    r"\s*(?:(?:please|no|ok(?:ay)?|and|then|now|actually|sorry|oh|well|can you|could you|let's"
    r"|i(?:'d| would) like to|i want to)[\s,.!]+)*(?:remove|delete|drop|discard)\s",
    re.IGNORECASE,
)


def takes_back(tool: OfferedTool) -> bool:
    """Whether a tool undoes something: such a tool is called only when the user's words say so."""
    return bool(set(tool.name_stems[:1]) & REMOVING)


def adds(tool: OfferedTool) -> bool:
    """Whether a tool puts something in: such a tool is never called on words that say to remove."""
    return bool(set(tool.name_stems[:1]) & _ADDING)


def with_remove(text: str) -> str:
    """The text with `remove` for `take out` and the like, so that these words name nothing else."""
    return TAKING_OUT.sub(lambda match: f"remove {match['taken'] or match['put'] or ''}".rstrip(), text)


def says_remove(text: str) -> bool:
    """Whether a message is a request to take something out."""
    return _SAYS_REMOVE.match(with_remove(text)) is not None
