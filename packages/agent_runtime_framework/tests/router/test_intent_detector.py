"""Finding a journey by the words of a message."""

from __future__ import annotations

from enum import StrEnum

import pytest

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework.router import IntentDetector, RouteResult


class Journey(StrEnum):
    QUOTE = "quote"
    CLAIM = "claim"


def detector(*, default: Journey | None = None) -> IntentDetector[Journey]:
    return (
        IntentDetector[Journey](default)
        .add_keywords(Journey.QUOTE, ["quote", "price", "cost", "insurance"])
        .add_keywords(Journey.CLAIM, ["claim", "accident"])
    )


def test_the_journey_with_the_most_keywords_wins() -> None:
    result = detector().detect("What would insurance for my car cost after an accident?")

    assert result == RouteResult(Journey.QUOTE, 0.5)


def test_three_of_four_keywords_are_more_than_a_guess() -> None:
    result = detector().detect("The PRICE of this insurance quote?")

    assert result is not None
    assert result.confidence == 0.75


def test_on_a_tie_the_journey_that_was_added_first_wins() -> None:
    assert detector().detect("the cost of an accident") == RouteResult(Journey.QUOTE, 0.25)


def test_nothing_found_gives_the_default_or_nothing() -> None:
    assert detector().detect("Good morning") is None
    assert detector(default=Journey.CLAIM).detect("Good morning") == RouteResult(Journey.CLAIM, 0.5)


@pytest.mark.parametrize("message", ["I need support", "a transportation", "my passport", "port_a"])
def test_a_keyword_inside_another_word_does_not_count(message: str) -> None:
    assert IntentDetector[str]().add_keywords("harbour", ["port"]).detect(message) is None


@pytest.mark.parametrize("message", ["Port!", "the port", "port's fees", "(port)", "a PORT."])
def test_a_whole_word_counts_whatever_stands_around_it(message: str) -> None:
    assert IntentDetector[str]().add_keywords("harbour", ["port"]).detect(message) is not None


@pytest.mark.parametrize(
    ("keyword", "message"),
    [
        ("get a quote", "can I GET  a\nquote"),
        ("c++", "a C++ course"),
        ("straße", "die STRASSE"),
        ("報價", "我要報價"),
        ("견적", "견적을 주세요"),
        ("ราคา", "ขอราคาหน่อย"),
    ],
)
def test_keywords_of_several_words_signs_and_scripts_are_found(keyword: str, message: str) -> None:
    assert IntentDetector[str]().add_keywords("it", [keyword]).detect(message) == RouteResult("it")


def test_keywords_can_be_added_bit_by_bit_and_count_once() -> None:
    detector = IntentDetector[str]().add_keywords("it", ["one"]).add_keywords("it", ["two", "ONE"])

    assert detector.detect("one") == RouteResult("it", 0.5)
    assert detector.detect("two one one") == RouteResult("it", 1.0)


def test_a_journey_without_keywords_is_never_found() -> None:
    assert IntentDetector[str]().add_keywords("it", []).detect("it") is None


@pytest.mark.parametrize("keywords", [["quote", " "], [""], "quote"])
def test_keywords_that_would_match_too_much_are_an_error(keywords: list[str]) -> None:
    with pytest.raises(ConfigError, match="keyword"):
        IntentDetector[str]().add_keywords("it", keywords)
