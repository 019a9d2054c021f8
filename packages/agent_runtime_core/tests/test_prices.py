"""What a call costs."""

from __future__ import annotations

import builtins
import sys
from decimal import Decimal
from typing import Any

import pytest

from agent_runtime_core.errors import MissingDependency
from agent_runtime_core.prices import call_price
from agent_runtime_core.tokens import TokenCounts, read_tokens

MILLION = 1_000_000


def test_input_and_output_have_their_own_prices() -> None:
    sent = call_price("gpt-4o", {"prompt_tokens": MILLION, "completion_tokens": 0}, "openai")
    written = call_price("gpt-4o", {"prompt_tokens": 0, "completion_tokens": MILLION}, "openai")

    assert sent is not None
    assert written is not None
    assert written > sent > 0
    both = call_price("gpt-4o", {"prompt_tokens": MILLION, "completion_tokens": MILLION}, "openai")
    assert both == sent + written


def test_tokens_from_the_cache_are_cheaper() -> None:
    fresh = call_price("gpt-4o", {"prompt_tokens": 1000, "completion_tokens": 1}, "openai")
    cached = call_price("gpt-4o", {"prompt_tokens": 1000, "completion_tokens": 1, "cached_tokens": 900}, "openai")

    assert fresh is not None
    assert cached is not None
    assert cached < fresh


def test_both_vendors_ways_of_counting_come_to_the_same() -> None:
    ours = {"prompt_tokens": 1000, "completion_tokens": 50, "cached_tokens": 600, "cache_write_tokens": 300}
    theirs = {
        "input_tokens": 100,
        "output_tokens": 50,
        "cache_read_input_tokens": 600,
        "cache_creation_input_tokens": 300,
    }

    price = call_price("claude-sonnet-4-6", ours, "anthropic")

    assert price is not None
    assert price == call_price("claude-sonnet-4-6", theirs, "anthropic")


@pytest.mark.parametrize(
    ("model", "host", "provider"),
    [("deepseek-chat", "api.deepseek.com", "deepseek"), ("llama-3.3-70b-versatile", "api.groq.com", "groq")],
)
def test_a_server_is_known_by_its_host(model: str, host: str, provider: str) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 10}

    assert call_price(model, usage, host) == call_price(model, usage, provider) is not None


@pytest.mark.parametrize(
    ("model", "usage", "provider"),
    [
        ("a-model-of-mine", {"prompt_tokens": 1}, None),
        ("gpt-4o", {"prompt_tokens": 1}, "localhost:11434"),
        ("gpt-4o", {"prompt_tokens": 1}, "models.example.org"),
        ("", {"prompt_tokens": 1}, "openai"),
        ("gpt-4o", {}, "openai"),
        ("gpt-4o", {"prompt_tokens": "many"}, "openai"),
    ],
)
def test_what_is_not_known_has_no_price(model: str, usage: dict[str, Any], provider: str | None) -> None:
    assert call_price(model, usage, provider) is None


def test_counts_that_cannot_be_are_priced_as_far_as_they_make_sense() -> None:
    price = call_price("gpt-4o", {"prompt_tokens": 10, "completion_tokens": -3, "cached_tokens": 500}, "openai")

    assert price == call_price("gpt-4o", {"prompt_tokens": 10, "cached_tokens": 10}, "openai")
    assert isinstance(price, Decimal)


@pytest.mark.parametrize("usage", [None, 3, {"prompt_tokens": True}, {"prompt_tokens": None}])
def test_a_usage_without_counts_says_nothing(usage: Any) -> None:
    assert read_tokens(usage) == TokenCounts(None, None)


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without_prices(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "genai_prices":
            raise ImportError(f"No module named {name!r}")
        return real_import(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "agent_runtime_core.prices")
    monkeypatch.setattr(builtins, "__import__", without_prices)

    with pytest.raises(MissingDependency, match=r"agent_runtime_core\[prices\]"):
        import agent_runtime_core.prices  # noqa: F401
