"""When calls are kept away from a vendor that fails, and when they come back."""

from __future__ import annotations

from typing import Any

import pytest

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.llm.circuit_breaker import CircuitBreaker, LetThrough


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(failures=3, reset_s=30.0, clock=clock)


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        begin(breaker).failed()


def begin(breaker: CircuitBreaker) -> LetThrough:
    call = breaker.let_through()
    assert call is not None
    return call


def test_it_opens_after_so_many_failures_in_a_row(breaker: CircuitBreaker):
    fail(breaker, 2)
    assert not breaker.is_open
    assert breaker.wait_s == 0.0

    fail(breaker, 1)
    assert breaker.is_open
    assert not breaker.let_through()
    assert breaker.wait_s == 30.0


def test_a_success_in_between_begins_the_count_anew(breaker: CircuitBreaker):
    fail(breaker, 2)
    begin(breaker).succeeded()
    fail(breaker, 2)

    assert breaker.let_through()


def test_after_a_while_one_probe_is_let_through(breaker: CircuitBreaker, clock: Clock):
    fail(breaker, 3)
    clock.now += 29.0
    assert not breaker.let_through()

    clock.now += 1.0
    assert breaker.let_through()
    assert not breaker.let_through()


def test_a_good_probe_closes_it(breaker: CircuitBreaker, clock: Clock):
    fail(breaker, 3)
    clock.now += 30.0

    begin(breaker).succeeded()

    assert not breaker.is_open
    fail(breaker, 2)
    assert breaker.let_through()


def test_a_bad_probe_opens_it_for_the_whole_time_again(breaker: CircuitBreaker, clock: Clock):
    fail(breaker, 3)
    clock.now += 45.0
    fail(breaker, 1)

    assert breaker.wait_s == 30.0
    clock.now += 30.0
    assert breaker.let_through()


def test_a_cancelled_probe_may_be_made_again(breaker: CircuitBreaker, clock: Clock):
    fail(breaker, 3)
    clock.now += 30.0

    begin(breaker).given_up()

    assert breaker.let_through()


@pytest.mark.parametrize("end", [LetThrough.succeeded, LetThrough.failed, LetThrough.given_up])
def test_calls_that_began_before_it_opened_decide_nothing(breaker: CircuitBreaker, clock: Clock, end: Any):
    # Given
    early, late = begin(breaker), begin(breaker)
    fail(breaker, 3)
    clock.now += 10.0

    # When one of them ends while it is open, Then it stays open, and no longer than it would have
    end(early)
    assert breaker.wait_s == 20.0

    # When the other one ends while a probe is under way, Then there is no second probe
    clock.now += 20.0
    probe = begin(breaker)
    end(late)
    assert not breaker.let_through()

    # And the probe decides
    probe.succeeded()
    assert not breaker.is_open


@pytest.mark.parametrize("values", [{"failures": 0}, {"failures": "5"}, {"reset_s": 0.0}, {"reset_s": None}])
def test_a_value_that_cannot_work_is_named(values: dict):
    (name,) = values
    with pytest.raises(ConfigError, match=f"{name} must be"):
        CircuitBreaker(**values)
