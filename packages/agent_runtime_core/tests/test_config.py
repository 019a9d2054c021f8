"""Configuration: who wins, what is read when, and what a bad value says."""

import pytest

from agent_runtime_core.config import RuntimeConfig, configure, get_config, reset_config
from agent_runtime_core.errors import ConfigError


@pytest.fixture(autouse=True)
def a_clean_configuration(monkeypatch):
    for name in ("MODEL_PROVIDER", "DEFAULT_MODEL", "MAX_RETRIES", "DEBUG", "MAX_HISTORY_MESSAGES"):
        monkeypatch.delenv(f"AGENT_RUNTIME_{name}", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    reset_config()
    yield
    reset_config()


def test_without_anything_the_defaults_hold():
    config = get_config()

    assert (config.model_provider, config.default_model) == ("openai", "gpt-4o")
    assert (config.queue_backend, config.event_bus_backend, config.state_store_backend) == ("memory",) * 3
    assert (config.run_timeout_seconds, config.heartbeat_interval_seconds, config.lease_ttl_seconds) == (300, 30, 60)
    assert (config.max_retries, config.retry_backoff_base, config.retry_backoff_max) == (3, 2, 300)
    assert (config.include_conversation_history, config.auto_persist_messages, config.debug) == (True, True, False)
    assert (config.max_history_messages, config.max_iterations) == (None, 50)
    assert (config.vector_store_backend, config.vertex_location) == ("none", "us-central1")
    assert config.get_openai_api_key() is None


def test_options_win_over_the_environment_and_the_environment_over_defaults(monkeypatch):
    monkeypatch.setenv("AGENT_RUNTIME_DEFAULT_MODEL", "gpt-4.1")
    monkeypatch.setenv("AGENT_RUNTIME_MAX_RETRIES", "7")
    monkeypatch.setenv("AGENT_RUNTIME_MAX_HISTORY_MESSAGES", "20")

    config = configure(max_retries=9)

    assert (config.default_model, config.max_retries, config.max_history_messages) == ("gpt-4.1", 9, 20)
    assert get_config() is config


def test_each_configure_starts_from_scratch():
    configure(default_model="gpt-4.1", debug=True)

    assert configure(max_retries=1) == RuntimeConfig(max_retries=1)


def test_reset_forgets_what_was_configured():
    configure(default_model="gpt-4.1")

    reset_config()

    assert get_config().default_model == "gpt-4o"


def test_an_unknown_option_is_an_error_and_changes_nothing():
    before = configure(default_model="gpt-4.1")

    with pytest.raises(ValueError, match=r"^Unknown configuration option: modle$"):
        configure(modle="gpt-4o")

    assert get_config() is before


@pytest.mark.parametrize("value", ["true", "1", "YES", "On"])
def test_these_words_switch_on(monkeypatch, value):
    monkeypatch.setenv("AGENT_RUNTIME_DEBUG", value)

    assert RuntimeConfig.from_env().debug is True


@pytest.mark.parametrize("value", ["false", "0", "no", "off", "perhaps"])
def test_any_other_word_switches_off(monkeypatch, value):
    monkeypatch.setenv("AGENT_RUNTIME_AUTO_PERSIST_MESSAGES", value)

    assert RuntimeConfig.from_env().auto_persist_messages is False


@pytest.mark.parametrize(("value", "told"), [("perhaps", True), ("no", False), ("FALSE", False)])
def test_a_word_that_is_neither_is_told(monkeypatch, caplog, value, told):
    monkeypatch.setenv("AGENT_RUNTIME_AUTO_PERSIST_MESSAGES", value)

    RuntimeConfig.from_env()

    assert (f"AGENT_RUNTIME_AUTO_PERSIST_MESSAGES counts as off: it is {value!r}" in caplog.text) is told


@pytest.mark.parametrize(
    ("name", "value", "bounds"),
    [
        ("RUN_TIMEOUT_SECONDS", "-5", "above 0"),
        ("HEARTBEAT_INTERVAL_SECONDS", "0", "above 0"),
        ("LEASE_TTL_SECONDS", "0", "above 0"),
        ("MAX_RETRIES", "-1", "0 or more"),
        ("RETRY_BACKOFF_BASE", "-1", "0 or more"),
        ("MAX_HISTORY_MESSAGES", "-3", "0 or more, or none"),
        ("MAX_ITERATIONS", "0", "1 or more"),
    ],
)
def test_a_number_that_cannot_work_names_its_variable(monkeypatch, name, value, bounds):
    monkeypatch.setenv(f"AGENT_RUNTIME_{name}", value)

    with pytest.raises(ConfigError, match=f"AGENT_RUNTIME_{name} must be a whole number, {bounds}, not '{value}'"):
        RuntimeConfig.from_env()


def test_an_empty_variable_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("AGENT_RUNTIME_AUTO_PERSIST_MESSAGES", "")
    monkeypatch.setenv("AGENT_RUNTIME_MAX_RETRIES", "")
    monkeypatch.setenv("AGENT_RUNTIME_DEFAULT_MODEL", "")

    assert RuntimeConfig.from_env() == RuntimeConfig()


def test_a_bad_number_names_its_variable(monkeypatch):
    monkeypatch.setenv("AGENT_RUNTIME_MAX_RETRIES", "three")

    with pytest.raises(
        ConfigError, match="AGENT_RUNTIME_MAX_RETRIES must be a whole number, 0 or more, not 'three'"
    ) as caught:
        get_config()

    assert isinstance(caught.value, ValueError)


def test_a_key_is_looked_up_when_it_is_needed(monkeypatch):
    # Given a configuration that was made before the key was set
    config = get_config()

    # When the variable is set
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-from-environment")

    # Then it is found, and a configured key wins
    assert config.get_openai_api_key() == "from-environment"
    assert config.get_anthropic_api_key() == "a-from-environment"
    assert configure(openai_api_key="configured").get_openai_api_key() == "configured"


def test_the_runtimes_prefix_does_not_set_the_keys(monkeypatch):
    monkeypatch.setenv("AGENT_RUNTIME_OPENAI_API_KEY", "wrong variable")

    assert RuntimeConfig.from_env().openai_api_key is None


def test_secrets_are_not_shown():
    config = RuntimeConfig(
        openai_api_key="secret-1",
        anthropic_api_key="secret-2",
        langfuse_secret_key="secret-3",
        redis_url="redis://:secret-4@localhost",
    )

    shown = repr(config)

    assert "secret-" not in shown
