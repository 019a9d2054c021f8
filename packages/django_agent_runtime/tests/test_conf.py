"""The settings: defaults, keys and values that are checked, debug mode, visibility, hooks."""

from __future__ import annotations

import pytest
from django.test import override_settings

from agent_runtime_core import config as core_config
from agent_runtime_core.errors import ConfigError
from django_agent_runtime import conf
from django_agent_runtime.conf import AgentRuntimeSettings, get_settings, runtime_settings


def given(**settings):
    return override_settings(DJANGO_AGENT_RUNTIME=settings)


def test_without_the_setting_the_defaults_hold():
    settings = get_settings()

    assert settings == AgentRuntimeSettings()
    assert (settings.LEASE_TTL_SECONDS, settings.RUN_TIMEOUT_SECONDS, settings.DEFAULT_MODEL) == (30, 900, "gpt-4o")


def test_what_is_given_wins_over_the_defaults():
    with given(MAX_HISTORY_MESSAGES=10, ENABLE_SSE=False, RUNTIME_REGISTRY=["a.b:c"]):
        settings = get_settings()

    assert (settings.MAX_HISTORY_MESSAGES, settings.ENABLE_SSE, settings.RUNTIME_REGISTRY) == (10, False, ["a.b:c"])


def test_an_unknown_key_says_which_are_known():
    with given(LEASE_TTL=3), pytest.raises(TypeError, match=r"no key 'LEASE_TTL'; known are .*LEASE_TTL_SECONDS"):
        get_settings()


@pytest.mark.parametrize(
    ("key", "value", "instead"),
    [
        ("MESSAGE_STORAGE_MODE", "json", "messages are always rows"),
        ("LANGFUSE_ENABLED", True, "OpenTelemetry"),
        ("REDIS_URL", "redis://localhost", "Django's database"),
        ("FILE_MAX_SIZE_MB", 1, "uploads are not part"),
    ],
)
def test_a_key_that_would_do_nothing_says_what_there_is_instead(key, value, instead):
    with given(**{key: value}), pytest.raises(ConfigError, match=f"'{key}'.*would do nothing: .*{instead}"):
        get_settings()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("QUEUE_BACKEND", "redis_streams", "give 'postgres'"),
        ("EVENT_BUS_BACKEND", "kafka", "give 'db'"),
        ("TRACING_BACKEND", "langfuse", "give 'noop' or 'otel' or None"),
        ("LEASE_TTL_SECONDS", "30", "a whole number"),
        ("LEASE_TTL_SECONDS", True, "a whole number"),
        ("RUN_TIMEOUT_SECONDS", 0, "above 0"),
        ("RETRY_BACKOFF_BASE", float("nan"), "a number, 0 or more"),
        ("KEEP_VERSIONS", 0, "1 or more or None"),
        ("ENABLE_SSE", "yes", "True or False"),
        ("DEFAULT_MODEL", "", "a text"),
        ("RUNTIME_REGISTRY", "app.agents:register", "a list of texts"),
        ("EVENT_VISIBILITY", {"tool.call": "secret"}, "internal, debug, user"),
        ("HEARTBEAT_INTERVAL_SECONDS", 60, "LEASE_TTL_SECONDS 30"),
    ],
)
def test_a_value_that_cannot_work_is_refused_with_its_key(key, value, words):
    with given(**{key: value}), pytest.raises(ValueError, match=words) as refusal:
        get_settings()
    assert key in str(refusal.value)


def test_a_key_of_a_vendor_is_never_shown():
    with given(OPENAI_API_KEY=12345), pytest.raises(ConfigError) as refusal:
        get_settings()
    assert "12345" not in str(refusal.value)
    assert "sk-secret" not in repr(AgentRuntimeSettings(OPENAI_API_KEY="sk-secret"))


def test_the_setting_is_a_dict():
    with override_settings(DJANGO_AGENT_RUNTIME=["MODEL_PROVIDER"]), pytest.raises(ConfigError, match="give a dict"):
        get_settings()


def test_litellm_is_used_when_it_is_enabled():
    with given(MODEL_PROVIDER="litellm"), pytest.raises(ValueError, match="LITELLM_ENABLED"):
        get_settings()
    with given(MODEL_PROVIDER="litellm", LITELLM_ENABLED=True):
        assert get_settings().MODEL_PROVIDER == "litellm"


def test_keys_come_from_the_setting_and_then_from_the_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "of the environment")
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)

    assert AgentRuntimeSettings(OPENAI_API_KEY="of the setting").get_openai_api_key() == "of the setting"
    assert AgentRuntimeSettings().get_openai_api_key() == "of the environment"
    assert AgentRuntimeSettings().get_anthropic_api_key() is None


def test_settings_are_read_once_until_they_change():
    with given(DEFAULT_CONCURRENCY=3):
        assert runtime_settings() is runtime_settings()
        assert runtime_settings().DEFAULT_CONCURRENCY == 3
    assert runtime_settings().DEFAULT_CONCURRENCY == 10


def test_debug_mode_is_the_contrary_of_swallowing(monkeypatch):
    assert (conf.is_debug(), conf.should_swallow_exceptions()) == (False, True)

    conf.configure(debug=True)
    assert (runtime_settings().DEBUG_MODE, conf.is_debug()) == (True, True)
    conf.configure(swallow_exceptions=True)
    assert (runtime_settings().DEBUG_MODE, conf.is_debug()) == (True, False)
    conf.configure(debug=False, swallow_exceptions=False)
    assert (runtime_settings().DEBUG_MODE, conf.is_debug()) == (False, True)
    conf.configure(debug=False)
    assert conf.is_debug() is False

    for word, switches in (("TRUE", True), ("on", True), ("0", False), ("maybe", False)):
        monkeypatch.setenv("DJANGO_AGENT_RUNTIME_DEBUG", word)
        assert conf.is_debug() is switches


def test_who_sees_an_event_is_told_by_its_type():
    assert conf.get_event_visibility("run.started") == ("internal", False)
    assert conf.get_event_visibility("tool.call") == ("debug", False)
    assert conf.get_event_visibility("assistant.message") == ("user", True)
    assert conf.get_event_visibility("of.my.own") == ("user", True)

    with given(EVENT_VISIBILITY={"tool.call": "user", "of.my.own": "internal"}, DEBUG_MODE=True):
        assert conf.get_event_visibility("tool.call") == ("user", True)
        assert conf.get_event_visibility("tool.result") == ("debug", True)
        assert conf.get_event_visibility("of.my.own") == ("internal", False)
        assert conf.get_event_visibility("run.heartbeat") == ("internal", False)


def test_a_hook_is_found_by_its_path_or_refused():
    assert conf.get_hook(None) is None
    assert conf.get_hook("django_agent_runtime.conf.get_hook") is conf.get_hook
    for path in ("django_agent_runtime.conf.nothing", "no.such.module", "django_agent_runtime.conf.SETTING"):
        with pytest.raises(ConfigError, match="the hook"):
            conf.get_hook(path)


def test_the_core_gets_what_django_says_and_keeps_the_rest(monkeypatch):
    monkeypatch.setenv("AGENT_RUNTIME_DEFAULT_MODEL", "of-the-environment")

    with given(MODEL_PROVIDER="anthropic", MAX_ITERATIONS=7, ANTHROPIC_API_KEY="sk", TRACING_BACKEND="noop"):
        core = core_config.get_config()

        assert (core.model_provider, core.max_iterations, core.tracing_backend) == ("anthropic", 7, "noop")
        assert core.get_anthropic_api_key() == "sk"
        assert core.default_model == "of-the-environment"
