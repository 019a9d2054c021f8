"""Debug and production mode, the environment, and the log level."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework import config as config_module
from agent_runtime_framework.config import (
    FrameworkConfig,
    configure,
    get_config,
    is_debug,
    set_config,
    should_swallow_exceptions,
)

LOGGER = logging.getLogger("agent_runtime_framework")


@pytest.fixture(autouse=True)
def fresh_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test starts as a new process does: nothing set, nothing in the environment."""
    level = LOGGER.level
    monkeypatch.setattr(config_module, "_current", None)
    monkeypatch.delenv("AGENT_RUNTIME_DEBUG", raising=False)
    monkeypatch.delenv("AGENT_RUNTIME_LOG_LEVEL", raising=False)
    LOGGER.setLevel(logging.NOTSET)
    yield
    LOGGER.setLevel(level)


def test_the_defaults_are_those_of_production() -> None:
    assert FrameworkConfig() == FrameworkConfig(False, True, "INFO")
    assert get_config() == FrameworkConfig(debug=False, swallow_tool_exceptions=True, log_level="INFO")


@pytest.mark.parametrize("value", ["1", "true", "TRUE", "Yes", "on"])
def test_the_environment_turns_debug_mode_on(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AGENT_RUNTIME_DEBUG", value)

    assert FrameworkConfig.from_env() == FrameworkConfig(True, False, "DEBUG")


@pytest.mark.parametrize("value", ["0", "", "no", "off", "debug"])
def test_any_other_value_in_the_environment_leaves_debug_mode_off(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AGENT_RUNTIME_DEBUG", value)

    assert FrameworkConfig.from_env() == FrameworkConfig(False, True, "INFO")


def test_the_log_level_of_the_environment_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_RUNTIME_DEBUG", "1")
    monkeypatch.setenv("AGENT_RUNTIME_LOG_LEVEL", "WARNING")

    assert FrameworkConfig.from_env() == FrameworkConfig(True, False, "WARNING")


def test_the_environment_is_read_at_the_first_use_and_not_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a setting made after the import
    monkeypatch.setenv("AGENT_RUNTIME_DEBUG", "1")

    # When the settings are used, and the environment changes afterwards
    first = get_config()
    monkeypatch.setenv("AGENT_RUNTIME_DEBUG", "0")

    # Then the first use counts
    assert first.debug
    assert get_config() is first


def test_the_log_level_of_the_environment_reaches_the_logger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_RUNTIME_LOG_LEVEL", "error")

    get_config()

    assert LOGGER.level == logging.ERROR


def test_without_a_word_about_logging_the_logger_is_left_alone() -> None:
    LOGGER.setLevel(logging.CRITICAL)  # the application's own choice

    get_config()

    assert LOGGER.level == logging.CRITICAL


def test_a_wrong_log_level_in_the_environment_is_reported_and_ignored(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AGENT_RUNTIME_LOG_LEVEL", "LOUD")

    assert should_swallow_exceptions()

    assert LOGGER.level == logging.NOTSET
    assert "AGENT_RUNTIME_LOG_LEVEL is ignored" in caplog.text
    assert "'LOUD'" in caplog.text


def test_enable_debug_and_enable_production_set_all_three_fields() -> None:
    config = FrameworkConfig()

    config.enable_debug()
    assert config == FrameworkConfig(True, False, "DEBUG")

    config.enable_production()
    assert config == FrameworkConfig(False, True, "INFO")


def test_enable_debug_of_the_settings_in_use_reaches_the_logger() -> None:
    FrameworkConfig().enable_debug()
    assert LOGGER.level == logging.NOTSET  # settings that nobody uses

    get_config().enable_debug()
    assert LOGGER.level == logging.DEBUG


def test_set_config_keeps_the_object_and_derives_nothing() -> None:
    mine = FrameworkConfig(debug=True)

    set_config(mine)

    assert get_config() is mine
    assert is_debug()
    assert should_swallow_exceptions()


def test_set_config_applies_the_log_level() -> None:
    set_config(FrameworkConfig(log_level="WARNING"))

    assert LOGGER.level == logging.WARNING


def test_configure_debug_turns_swallowing_off_and_logging_up() -> None:
    configure(debug=True)

    assert get_config() == FrameworkConfig(True, False, "DEBUG")
    assert LOGGER.level == logging.DEBUG


def test_configure_production_turns_swallowing_on_and_logging_to_info() -> None:
    configure(debug=True)

    configure(debug=False)

    assert get_config() == FrameworkConfig(False, True, "INFO")
    assert LOGGER.level == logging.INFO


def test_what_is_said_explicitly_wins_over_the_mode() -> None:
    configure(debug=True, swallow_tool_exceptions=True, log_level="WARNING")

    assert get_config() == FrameworkConfig(True, True, "WARNING")
    assert LOGGER.level == logging.WARNING


def test_configure_changes_the_object_in_use_and_only_what_is_given() -> None:
    mine = FrameworkConfig(debug=True, swallow_tool_exceptions=False, log_level="ERROR")
    set_config(mine)

    configure(swallow_tool_exceptions=True)

    assert get_config() is mine
    assert mine == FrameworkConfig(True, True, "ERROR")


def test_configure_without_arguments_changes_nothing() -> None:
    set_config(FrameworkConfig(True, True, "ERROR"))

    configure()

    assert get_config() == FrameworkConfig(True, True, "ERROR")


def test_a_wrong_log_level_is_an_error_that_names_the_levels_and_changes_nothing() -> None:
    configure(debug=False)

    with pytest.raises(ConfigError, match=r"'VERBOSE'.*DEBUG.*WARNING"):
        configure(debug=True, log_level="VERBOSE")
    with pytest.raises(ValueError, match="log_level is 10"):
        set_config(FrameworkConfig(log_level=10))  # type: ignore[arg-type]

    assert get_config() == FrameworkConfig(False, True, "INFO")
    assert LOGGER.level == logging.INFO


def test_configuring_installs_no_handler_and_leaves_the_root_logger_alone() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), list(LOGGER.handlers))

    configure(debug=True)
    configure(debug=False, log_level="DEBUG")

    assert (root.level, list(root.handlers), list(LOGGER.handlers)) == before
