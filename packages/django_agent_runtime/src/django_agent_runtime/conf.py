"""The settings: the dict `DJANGO_AGENT_RUNTIME`, its keys and values checked."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from django.conf import settings as django_settings
from django.utils.module_loading import import_string

from agent_runtime_core import config as core_config
from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces import EventType, EventVisibility
from django_agent_runtime.setting_values import check_engine, check_value, instead_of

__all__ = [
    "AgentRuntimeSettings",
    "UnknownSetting",
    "configure",
    "configure_core",
    "get_event_visibility",
    "get_hook",
    "get_settings",
    "is_debug",
    "on_setting_changed",
    "reset_settings",
    "runtime_settings",
    "should_swallow_exceptions",
]

SETTING = "DJANGO_AGENT_RUNTIME"
DEBUG_VARIABLE = "DJANGO_AGENT_RUNTIME_DEBUG"

_TRUE = frozenset({"1", "true", "yes", "on"})
_ABOVE_ZERO = {"bounds": "above 0", "fits": lambda number: number > 0}
_FROM_ZERO = {"bounds": "0 or more", "fits": lambda number: number >= 0}
_FROM_ONE = {"bounds": "1 or more", "fits": lambda number: number >= 1}


class UnknownSetting(ConfigError, TypeError):
    """A key of `DJANGO_AGENT_RUNTIME` that means nothing; the text lists the keys that do."""


def _default_visibility() -> dict[str, str]:
    levels = {
        "internal": (EventType.RUN_STARTED, EventType.RUN_HEARTBEAT, EventType.STATE_CHECKPOINT),
        "debug": (EventType.TOOL_CALL, EventType.TOOL_RESULT),
        "user": (
            EventType.RUN_SUCCEEDED,
            EventType.RUN_FAILED,
            EventType.RUN_CANCELLED,
            EventType.RUN_TIMED_OUT,
            EventType.ASSISTANT_DELTA,
            EventType.ASSISTANT_MESSAGE,
            EventType.ERROR,
        ),
    }
    return {event.value: level for level, events in levels.items() for event in events}


@dataclass(kw_only=True)
class AgentRuntimeSettings:
    """All settings with their defaults.

    Raises:
        ConfigError: A value is of the wrong kind, or cannot work; the text names the key.
    """

    RUNTIME_REGISTRY: list[str] = field(default_factory=list)
    """Functions without arguments that register agents: `"pkg.module:func"` or `"pkg.module.func"`."""
    MODEL_PROVIDER: str = "openai"
    """The provider of models when none is named: `openai`, `anthropic`, `litellm` or `offline`."""
    DEFAULT_MODEL: str = "gpt-4o"
    """The model when none is named."""
    OPENAI_API_KEY: str | None = field(default=None, repr=False)
    """The key for OpenAI; when None, the environment's `OPENAI_API_KEY`."""
    ANTHROPIC_API_KEY: str | None = field(default=None, repr=False)
    """The key for Anthropic; when None, the environment's `ANTHROPIC_API_KEY`."""
    LITELLM_ENABLED: bool = False
    """Whether models may be reached by LiteLLM."""
    MAX_ITERATIONS: int = field(default=50, metadata=_FROM_ONE)
    """How many turns a tool-calling run may take."""
    TRACING_BACKEND: Literal["noop", "otel"] | None = None
    """Where runs are traced; None leaves it to the environment's `AGENT_RUNTIME_TRACING_BACKEND`."""
    KEEP_VERSIONS: int | None = field(default=200, metadata=_FROM_ONE)
    """How many versions of each conversation can be gone back to; None keeps all."""
    ENGINE: str = "in-process"
    """What executes runs: `in-process`, in the process that serves the request; `durable`, in workers (`manage.py
    runagent`) on Django's database; or the URL of a durable engine, `postgresql://...` or `sqlite:///...`."""
    QUEUE_BACKEND: Literal["postgres"] = "postgres"
    """Where runs wait: in Django's database, whichever it is."""
    EVENT_BUS_BACKEND: Literal["db"] = "db"
    """Where events are: in Django's database."""
    LEASE_TTL_SECONDS: int = field(default=30, metadata=_ABOVE_ZERO)
    """How long after its last sign of life a worker is taken to be alive."""
    HEARTBEAT_INTERVAL_SECONDS: int = field(default=10, metadata=_ABOVE_ZERO)
    """How often a worker gives one; less than `LEASE_TTL_SECONDS`."""
    RUN_TIMEOUT_SECONDS: int = field(default=900, metadata=_ABOVE_ZERO)
    """How long a run may take."""
    DEFAULT_MAX_ATTEMPTS: int = field(default=3, metadata=_FROM_ONE)
    """How often a run is attempted in all."""
    RETRY_BACKOFF_BASE: float = field(default=2.0, metadata=_FROM_ZERO)
    """The pause before the next attempt is this to the power of the attempt, in seconds."""
    RETRY_BACKOFF_MAX: int = field(default=300, metadata=_FROM_ZERO)
    """The longest such pause."""
    DEFAULT_PROCESSES: int = field(default=1, metadata=_FROM_ONE)
    """How many processes `manage.py runagent` starts."""
    DEFAULT_CONCURRENCY: int = field(default=10, metadata=_FROM_ONE)
    """How many runs each of them works at."""
    ENABLE_SSE: bool = True
    """Whether events can be streamed."""
    SSE_KEEPALIVE_SECONDS: int = field(default=15, metadata=_ABOVE_ZERO)
    """How often a silent stream says that it is alive."""
    INCLUDE_CONVERSATION_HISTORY: bool = True
    """Whether a run gets the earlier messages of its conversation."""
    MAX_HISTORY_MESSAGES: int | None = field(default=None, metadata=_FROM_ZERO)
    """How many of them at most; None gives all."""
    AUTO_GENERATE_CONVERSATION_TITLE: bool = True
    """Whether a conversation is given a title after its first successful run, by a model."""
    TITLE_GENERATION_MODEL: str = "gpt-4o-mini"
    """Which model does."""
    AUTHZ_HOOK: str | None = None
    """Who may begin a run (action `create_run`), and answer what waits for a person (`approve`): the dotted path of
    `(user, action, data) -> bool`."""
    QUOTA_HOOK: str | None = None
    """Whose quota is not used up: the dotted path of `(user, agent_key) -> bool`."""
    RUN_COMPLETED_HOOK: str | None = None
    """Told of each run that succeeded: the dotted path of `(run_id, output)`."""
    ANONYMOUS_SESSION_MODEL: str | None = None
    """The model of sessions without a user, `app.Model`; it has `token` and may have `is_expired`."""
    EVENT_VISIBILITY: dict[str, str] = field(default_factory=dict)
    """Levels of event types (`internal`, `debug`, `user`) that differ from the defaults."""
    DEBUG_MODE: bool = False
    """Whether events of level `debug` are shown."""
    SWALLOW_EXCEPTIONS: bool = True
    """Whether errors are caught, logged and retried; False lets them through."""

    def __post_init__(self) -> None:
        for each in fields(self):
            check_value(each.name, getattr(self, each.name), str(each.type), each.metadata)
        if self.HEARTBEAT_INTERVAL_SECONDS >= self.LEASE_TTL_SECONDS:
            raise ConfigError(
                f"HEARTBEAT_INTERVAL_SECONDS is {self.HEARTBEAT_INTERVAL_SECONDS} and LEASE_TTL_SECONDS "
                f"{self.LEASE_TTL_SECONDS}; a worker that gives a sign of life so rarely loses its runs."
            )
        if self.MODEL_PROVIDER.strip().lower() == "litellm" and not self.LITELLM_ENABLED:
            raise ConfigError("MODEL_PROVIDER is 'litellm' and LITELLM_ENABLED is not set; set it to True.")
        check_engine(self.ENGINE)
        known = [level.value for level in EventVisibility]
        for event_type, level in self.EVENT_VISIBILITY.items():
            if level not in known:
                raise ConfigError(
                    f"EVENT_VISIBILITY gives {event_type!r} the level {level!r}; give one of {', '.join(known)}."
                )

    def get_openai_api_key(self) -> str | None:
        """The key for OpenAI: the setting, else the environment's as it is now, else None."""
        return self.OPENAI_API_KEY or os.environ.get("OPENAI_API_KEY") or None

    def get_anthropic_api_key(self) -> str | None:
        """The key for Anthropic: the setting, else the environment's as it is now, else None."""
        return self.ANTHROPIC_API_KEY or os.environ.get("ANTHROPIC_API_KEY") or None


def get_settings() -> AgentRuntimeSettings:
    """The settings as Django has them now.

    Raises:
        UnknownSetting: A key means nothing.
        ConfigError: A value is of the wrong kind, or cannot work; or the setting is no dict.
    """
    given = _given()
    known = {each.name for each in fields(AgentRuntimeSettings)}
    for key in given:
        if key in known:
            continue
        instead = instead_of(str(key))
        if instead is not None:
            raise UnknownSetting(f"{SETTING}[{key!r}] would do nothing: {instead}. Remove the key.")
        raise UnknownSetting(f"{SETTING} has no key {key!r}; known are {', '.join(sorted(known))}.")
    return AgentRuntimeSettings(**given)


def _given() -> dict[str, Any]:
    given = getattr(django_settings, SETTING, {})
    if not isinstance(given, dict):
        raise ConfigError(f"{SETTING} is of type {type(given).__name__}; give a dict.")
    return given


_cached: AgentRuntimeSettings | None = None


def runtime_settings() -> AgentRuntimeSettings:
    """The settings, read at the first call and kept.

    Raises:
        ConfigError: As `get_settings`.
    """
    global _cached
    if _cached is None:
        _cached = get_settings()
    return _cached


def reset_settings() -> None:
    """Forget the settings that were read; the next call reads them anew."""
    global _cached
    _cached = None


def configure(debug: bool | None = None, swallow_exceptions: bool | None = None) -> None:
    """Change debug mode for this process.

    Args:
        debug: Sets `DEBUG_MODE`, and `SWALLOW_EXCEPTIONS` to its contrary unless that is given, too.
        swallow_exceptions: Sets `SWALLOW_EXCEPTIONS`.
    """
    current = runtime_settings()
    if debug is not None:
        current.DEBUG_MODE = debug
        current.SWALLOW_EXCEPTIONS = not debug
    if swallow_exceptions is not None:
        current.SWALLOW_EXCEPTIONS = swallow_exceptions


def is_debug() -> bool:
    """Whether errors are let through: the environment's `DJANGO_AGENT_RUNTIME_DEBUG`, or `SWALLOW_EXCEPTIONS` unset."""
    return os.environ.get(DEBUG_VARIABLE, "").strip().lower() in _TRUE or not runtime_settings().SWALLOW_EXCEPTIONS


def should_swallow_exceptions() -> bool:
    """The contrary of `is_debug`."""
    return not is_debug()


def get_event_visibility(event_type: str) -> tuple[str, bool]:
    """The level of an event type, and whether it is shown to users: `debug` ones only with `DEBUG_MODE`."""
    current = runtime_settings()
    name = event_type.value if isinstance(event_type, EventType) else event_type
    level = {**_default_visibility(), **current.EVENT_VISIBILITY}.get(name, EventVisibility.USER.value)
    shown = {"internal": False, "debug": current.DEBUG_MODE or _debug_variable_is_set(), "user": True}
    return level, shown[level]


def _debug_variable_is_set() -> bool:
    return os.environ.get(DEBUG_VARIABLE, "").strip().lower() in _TRUE


def get_hook(path: str | None) -> Callable[..., Any] | None:
    """The function at a dotted path; None for no path.

    Raises:
        ConfigError: There is none. A hook that guards something must not be passed over.
    """
    if not path:
        return None
    try:
        hook = import_string(path)
    except ImportError as error:
        raise ConfigError(f"the hook {path!r} cannot be imported: {error}") from error
    if not callable(hook):
        raise ConfigError(f"the hook {path!r} is a {type(hook).__name__}; give the path of a function.")
    return hook  # type: ignore[no-any-return]  # found by its name


def configure_core() -> None:
    """Hand the core what Django's settings say of models, limits and tracing; what they do not say stays its own.

    Raises:
        ConfigError: As `get_settings`.
    """
    current, given = runtime_settings(), _given()
    names = ("MODEL_PROVIDER", "DEFAULT_MODEL", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "MAX_ITERATIONS")
    options: dict[str, Any] = {name.lower(): getattr(current, name) for name in names if name in given}
    if current.TRACING_BACKEND is not None:
        options["tracing_backend"] = current.TRACING_BACKEND
    core_config.configure(**options)


def on_setting_changed(*, setting: str, **_: Any) -> None:
    """Read the settings anew when a test overrides them."""
    if setting == SETTING:
        reset_settings()
        try:
            configure_core()
        except ConfigError:  # whoever needs the settings gets the error
            core_config.reset_config()
