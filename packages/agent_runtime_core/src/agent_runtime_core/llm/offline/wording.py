"""What is said around the questions: openings, results in plain words, and what is left to say at the end."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from agent_runtime_core.llm.offline.conversation import Ran, Situation
from agent_runtime_core.llm.offline.grammar import small
from agent_runtime_core.llm.offline.naming import WAY_OUT
from agent_runtime_core.llm.offline.passage import joined_words
from agent_runtime_core.llm.offline.phrases import is_greeting, is_question, is_thanks
from agent_runtime_core.llm.offline.questions import listed
from agent_runtime_core.llm.offline.schema import OfferedTool
from agent_runtime_core.llm.offline.speech import lines_of

__all__ = ["closing_words", "is_asking", "is_courtesy", "news", "opening", "result_words", "way_out"]

_RULES = "I am the offline client: rules for trying things out, no AI"
_SHOWN = 1_000
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_FAILURE = re.compile(r"error(?: executing [^:\s]+)?\s*[:,.-]*\s*(?P<why>.*)", re.IGNORECASE | re.DOTALL)
_ASKS = re.compile(
    r"\bplease (?:tell|give|enter|send|provide|let|try|check|choose|confirm|say|type|pick)\b"
    r"|\b(?:tell me|give me|try again)\b",
    re.IGNORECASE,
)
_GREETS = re.compile(r"(?:hello|hi|welcome|good (?:morning|afternoon|evening))\b", re.IGNORECASE)


def opening(situation: Situation, *, is_first: bool, understood: bool) -> str:
    """What comes before the question: a greeting, or that the message was not understood.

    Args:
        situation: The conversation.
        is_first: Whether nothing was asked before this message.
        understood: Whether the message was of use.
    """
    said = situation.words.left
    spoken = " ".join(line.text for line in lines_of(situation.prompt) if line.kind == "says") if is_first else ""
    if understood:
        return spoken
    if is_greeting(said):
        return spoken or "Hello!"
    if is_thanks(said):
        return "You are welcome."
    if is_question(said):
        return f"{spoken} I cannot answer questions: {small(_RULES)}.".strip()
    return spoken if is_first or not said.strip() else f"I did not understand that. {_RULES}."


def news(situation: Situation) -> str:
    """What the prompt wants said after a tool has run, as far as it was not said before; no greetings."""
    lines = [line.text for line in lines_of(situation.prompt) if line.kind == "says"]
    return " ".join(text for text in lines if text not in situation.told and not _GREETS.match(text))


def way_out(tools: Sequence[OfferedTool]) -> str:
    """The tools that need no value, as things that the user may say."""
    names = [f'"{" ".join(joined_words(tool.name))}"' for tool in tools if not tool.required][:8]
    return f" {WAY_OUT} {listed(names, ', ', ' or ')}." if names else ""


def result_words(ran: Sequence[Ran]) -> str:
    """What the tools said, for the user; a question that has been answered since is left out."""
    texts = [_plain_words(each) for each in ran]
    for place, text in enumerate(texts[:-1]):
        texts[place] = " ".join(part for part in _SENTENCE_END.split(text) if not part.rstrip().endswith("?"))
    return " ".join(text for text in texts if text).strip() or "Done."


def closing_words(situation: Situation) -> str:
    """What to say when no tool is offered; empty when results have said it all."""
    lines = lines_of(situation.prompt)
    if lines:
        return " ".join(line.text for line in lines)
    if situation.ran:
        return ""
    said = situation.words.left
    if is_thanks(said):
        return "You are welcome."
    if is_question(said):
        return f"I cannot answer questions: {small(_RULES)}."
    return f"{'Hello!' if is_greeting(said) else 'Thank you.'} {_RULES}, and there is nothing to ask for at this point."


def is_courtesy(text: str) -> bool:
    """Whether a message only greets or thanks."""
    return is_greeting(text) or is_thanks(text)


def is_asking(text: str) -> bool:
    """Whether a text ends by asking the user for something."""
    ending = text.strip()[-500:]
    return "?" in ending[-300:] or _ASKS.search(_SENTENCE_END.split(ending)[-1]) is not None


def _plain_words(ran: Ran) -> str:
    """A tool's result without what only a model or a program would want to read."""
    text = ran.result.strip()
    if ran.failed:
        match = _FAILURE.match(text)
        why = (match["why"] if match else text).strip().removesuffix("Call it again.").strip()
        why = re.sub(r"^invalid arguments for '[^']*': ", "", why)
        why = why if why.endswith((".", "!", "?")) or not why else f"{why}."
        return f"That did not work: {why}" if why else "That did not work."
    if text[:1] in ("{", "["):
        try:
            return _data_words(json.loads(text))[:_SHOWN]
        except (ValueError, RecursionError):
            return text
    return text


def _data_words(data: object, depth: int = 0) -> str:
    """JSON data as words."""
    if isinstance(data, dict):
        for name in ("message", "text", "response", "result", "content", "error"):
            if isinstance(data.get(name), str) and data[name].strip():
                return str(data[name]).strip()
    if depth > 3:
        return ""
    if isinstance(data, dict):
        items = list(data.items())[:20]
        return ", ".join(
            f"{' '.join(joined_words(name)) or name}: {_data_words(each, depth + 1)}" for name, each in items
        )
    if isinstance(data, list):
        return "; ".join(_data_words(each, depth + 1) for each in data[:20])
    if isinstance(data, bool):
        return "yes" if data else "no"
    return "none" if data is None else str(data)
