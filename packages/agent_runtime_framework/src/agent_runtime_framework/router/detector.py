"""Finding the journey that a message is about by its words, without a model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Generic, Self

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework.router.route import JourneyT, RouteResult

__all__ = ["IntentDetector"]

# Scripts that put no spaces between words, or hang endings onto them: there a keyword is found anywhere.
# Thai to Burmese, Hangul letters, Khmer, Japanese and Chinese, Hangul syllables, Chinese compatibility forms.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD_EDGE = re.compile(rf"[^\W{_UNSPACED}]")


class IntentDetector(Generic[JourneyT]):
    """Counts the keywords of each journey in a message; the journey with the most wins.

    Keywords are whole words, in capitals or not ("port" is not in "support"); one may be several words.

    Args:
        default_journey: The answer when no keyword is found, with confidence 0.5; None for no answer.
    """

    def __init__(self, default_journey: JourneyT | None = None) -> None:
        self.default_journey = default_journey
        # A list and not a dict: a journey need not be hashable.
        self._entries: list[tuple[JourneyT, dict[str, re.Pattern[str]]]] = []

    def add_keywords(self, journey: JourneyT, keywords: Iterable[str]) -> Self:
        """Add keywords to those that the journey has, and return the detector.

        Raises:
            ConfigError: A keyword is empty, or the keywords are one text instead of a list.
        """
        if isinstance(keywords, str):
            raise ConfigError(f"keywords is the text {keywords!r}; give a list of texts.")
        patterns = {_normal(keyword): _pattern(keyword) for keyword in keywords}
        for known, its_patterns in self._entries:
            if known == journey:
                its_patterns.update(patterns)
                return self
        self._entries.append((journey, patterns))
        return self

    def detect(self, message: str) -> RouteResult[JourneyT] | None:
        """The journey with the most keywords in the message, the first added on a tie.

        The confidence is the share of the journey's keywords that were found. Without any, the answer is the
        default journey, or None.
        """
        text = message.casefold()
        best: RouteResult[JourneyT] | None = None
        best_score = 0
        for journey, patterns in self._entries:
            score = sum(1 for pattern in patterns.values() if pattern.search(text))
            if score > best_score:
                best_score = score
                best = RouteResult(journey, score / len(patterns))
        if best is None and self.default_journey is not None:
            return RouteResult(self.default_journey, 0.5)
        return best


def _normal(keyword: str) -> str:
    return " ".join(keyword.casefold().split())


def _pattern(keyword: str) -> re.Pattern[str]:
    words = _normal(keyword).split(" ")
    if words == [""]:
        raise ConfigError("a keyword is empty; it would be found in every message.")
    text = r"\s+".join(re.escape(word) for word in words)
    before = r"(?<!\w)" if _WORD_EDGE.match(words[0]) else ""
    after = r"(?!\w)" if _WORD_EDGE.match(words[-1][-1]) else ""
    return re.compile(before + text + after)
