"""Log records: which run they belong to, as lines or JSON, and what they must not say."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.logs import configure_logging, reset_logging, without_secrets


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    levels = {name: logging.getLogger(name).level for name in ("agent_runtime_core", "agent_runtime_framework")}
    yield
    reset_logging()
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


LOGGER = logging.getLogger("agent_runtime_core.something")


def test_a_record_is_a_line_to_read() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)

    LOGGER.info("Store opened: %s", "memory")

    assert stream.getvalue().endswith(" INFO agent_runtime_core.something: Store opened: memory\n")


def test_a_record_is_an_object_on_a_line() -> None:
    # Given
    stream = io.StringIO()
    configure_logging(json=True, stream=stream)

    # When
    try:
        raise ValueError("no\nsuch thing")
    except ValueError:
        LOGGER.warning("It failed: %s", "ä\n", exc_info=True, extra={"attempt": 2, "seen": {1: (object,)}})

    # Then
    (line,) = stream.getvalue().splitlines()
    data = json.loads(line)
    assert data["time"].endswith("+00:00")
    assert (data["level"], data["logger"], data["message"]) == (
        "WARNING",
        "agent_runtime_core.something",
        "It failed: ä\n",
    )
    assert data["exception"].endswith("ValueError: no\nsuch thing")
    assert (data["attempt"], data["seen"]) == (2, {"1": ["<class 'object'>"]})
    assert "run_id" not in data


def test_the_level_is_that_of_our_loggers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setenv("AGENT_RUNTIME_LOG_LEVEL", "error")

    configure_logging(stream=stream)
    LOGGER.warning("not shown")
    configure_logging(stream=stream, level="debug")
    LOGGER.debug("shown")
    logging.getLogger("theirs").debug("not shown")

    assert [line.rpartition(": ")[2] for line in stream.getvalue().splitlines()] == ["shown"]


def test_a_second_call_replaces_the_first() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure_logging(stream=first)
    configure_logging(stream=second)

    LOGGER.info("once")

    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1


def test_a_level_that_does_not_exist_changes_nothing() -> None:
    before = list(logging.getLogger().handlers)

    with pytest.raises(ConfigError, match="'LOUD' does not exist"):
        configure_logging(level="LOUD")

    assert logging.getLogger().handlers == before


@pytest.mark.parametrize("as_json", [False, True])
def test_secrets_do_not_get_into_the_log(as_json: bool) -> None:
    # Given
    stream = io.StringIO()
    configure_logging(json=as_json, stream=stream)

    # When
    try:
        raise RuntimeError("401 for key sk-ant-api03-verysecret1")
    except RuntimeError:
        LOGGER.exception("Request with %s", {"Authorization": "Bearer verysecret2"}, extra={"api_key": "verysecret3"})

    # Then
    assert "401 for key ***" in stream.getvalue()
    assert "verysecret" not in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("key sk-proj-abcDEF123456_x, then", "key ***, then"),
        ("sk-lf-1234567890abcdef", "***"),
        ("Authorization: Basic cGs6c2s=", "Authorization: ***"),
        ("{'authorization': 'Bearer abc.def-ghi'}", "{'authorization': '***'}"),
        ('{"x-api-key": "abcdef"}', '{"x-api-key": "***"}'),
        ("OPENAI_API_KEY=abcdef and more", "OPENAI_API_KEY=*** and more"),
        ("https://h/?api_key=abc&x=1", "https://h/?api_key=***&x=1"),
        ("redis://user:pass@host:6379/0", "redis://***@host:6379/0"),
        ("password='hunter2'", "password='***'"),
        ("used prompt_tokens=12, total_tokens: 20", "used prompt_tokens=12, total_tokens: 20"),
        ("a task-oriented journey, basic understanding", "a task-oriented journey, basic understanding"),
        ("see https://example.org/a:b@c", "see https://example.org/a:b@c"),
        ("", ""),
    ],
)
def test_secrets_are_known_by_their_forms(text: str, clean: str) -> None:
    assert without_secrets(text) == clean
