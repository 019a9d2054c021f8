"""How long a client waits before another attempt."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runtime_core.errors import ConfigError, LLMRateLimited, LLMUnavailable
from agent_runtime_core.llm.retries import Retries

DOWN = LLMUnavailable("down")
SECONDS = st.floats(0, 1e6)
PART = st.floats(0, 1)


def test_pauses_double_up_to_the_longest_one():
    retries = Retries(max_attempts=9, base_s=1.0, max_s=10.0, jitter=0.0)

    assert [retries.pause_s(attempt, DOWN, 0.5) for attempt in range(1, 7)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_chance_shortens_a_pause_by_the_jitter_at_most():
    retries = Retries(base_s=8.0, jitter=0.25)

    assert [retries.pause_s(1, DOWN, chance) for chance in (0.0, 0.5, 1.0)] == [8.0, 7.0, 6.0]


def test_chance_lengthens_what_the_vendor_asks_for():
    retries = Retries(base_s=1.0, jitter=0.5)

    assert [retries.pause_s(1, LLMRateLimited("x", retry_after_s=4.0), chance) for chance in (0.0, 1.0)] == [4.0, 4.5]


@given(attempt=st.integers(1, 10_000), base_s=SECONDS, max_s=SECONDS, jitter=PART, chance=PART, asked=SECONDS)
def test_no_pause_is_negative_or_longer_than_the_longest(attempt, base_s, max_s, jitter, chance, asked):
    retries = Retries(max_attempts=attempt + 1, base_s=base_s, max_s=max_s, jitter=jitter)

    for error in (DOWN, LLMRateLimited("x", retry_after_s=asked)):
        pause = retries.pause_s(attempt, error, chance)
        if pause is None:
            assert error is not DOWN
            assert asked > max_s
        else:
            assert 0 <= pause <= max_s


def test_the_last_attempt_is_the_last():
    assert Retries(max_attempts=2).pause_s(1, DOWN, 0.0) is not None
    assert Retries(max_attempts=2).pause_s(2, DOWN, 0.0) is None


@pytest.mark.parametrize(
    ("name", "value"), [("max_attempts", 0), ("base_s", -1.0), ("max_s", float("nan")), ("jitter", 1.5)]
)
def test_a_value_that_cannot_work_is_named(name: str, value: Any):
    with pytest.raises(ConfigError, match=f"Retries.{name} must .*, not {value}"):
        Retries(**{name: value})


def test_a_vendor_that_asks_for_no_pause_gets_the_usual_one():
    assert Retries(base_s=1.0).pause_s(2, LLMRateLimited("x", retry_after_s=0.0), 0.0) == 2.0


def test_without_pauses_a_vendors_wish_for_one_is_not_heard():
    error = LLMRateLimited("slow down", retry_after_s=60)

    assert Retries(max_s=0).pause_s(1, error, 0.5) == 0
    assert Retries(max_s=30).pause_s(1, error, 0.5) is None
