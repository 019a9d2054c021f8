"""Settings of the runtime: defaults, then environment variables, then what the application says."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from agent_runtime_core.errors import ConfigError

__all__ = ["RuntimeConfig", "configure", "get_config", "reset_config"]

_PREFIX = "AGENT_RUNTIME_"
_LOGGER = logging.getLogger("agent_runtime_core.config")
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", "none"})
_KEYS = (
    "openai_api_key",
    "anthropic_api_key",
)  # vendors have their own variables, which are read at each use


_FROM_ZERO = {"bounds": "0 or more", "fits": lambda number: number >= 0}
_FROM_ONE = {"bounds": "1 or more", "fits": lambda number: number >= 1}
_ABOVE_ZERO = {"bounds": "above 0", "fits": lambda number: number > 0}
_A_PART = {"bounds": "from 0 to 1", "fits": lambda number: 0 <= number <= 1}


@dataclass
class RuntimeConfig:
    """All settings. A field's variable is `AGENT_RUNTIME_` and its name in capitals; the two keys have their own."""

    model_provider: str = "openai"
    """The LLM client that is used when none is named, as in `get_llm_client(provider=...)`."""
    default_model: str = "gpt-4o"
    """The model that a client asks when none is named."""
    openai_api_key: str | None = field(default=None, repr=False)
    """The key for OpenAI; when None, `OPENAI_API_KEY` is read each time a key is needed."""
    anthropic_api_key: str | None = field(default=None, repr=False)
    """The key for Anthropic; when None, `ANTHROPIC_API_KEY` is read each time a key is needed."""
    llm_connect_timeout_seconds: float | None = field(default=5.0, metadata=_ABOVE_ZERO)
    """How long a call to a model may take to get a connection; this and what follows as `Timeouts` and `Retries`."""
    llm_first_token_timeout_seconds: float | None = field(default=180.0, metadata=_ABOVE_ZERO)
    """How long the first piece of a streamed answer may take."""
    llm_between_tokens_timeout_seconds: float | None = field(default=60.0, metadata=_ABOVE_ZERO)
    """How long a further piece of it may take."""
    llm_total_timeout_seconds: float | None = field(default=600.0, metadata=_ABOVE_ZERO)
    """How long a call may take in all, with its retries and their pauses."""
    llm_max_attempts: int = field(default=5, metadata=_FROM_ONE)
    """How often a call is attempted in all; 1 never tries again."""
    llm_retry_base_seconds: float = field(default=0.5, metadata=_FROM_ZERO)
    """The pause before the second attempt; it doubles with every further one."""
    llm_retry_max_seconds: float = field(default=30.0, metadata=_FROM_ZERO)
    """The longest pause; a vendor who asks for a longer one is not asked again."""
    llm_retry_jitter: float = field(default=0.5, metadata=_A_PART)
    """Which part of a pause is left to chance, 0 to 1."""
    llm_max_concurrency: int | None = field(default=1000, metadata=_FROM_ONE)
    """How many calls a client makes at the same time; None for any number."""
    queue_backend: str = "memory"
    """Where queued runs wait: `memory`, `redis` or `sqlite`."""
    event_bus_backend: str = "memory"
    """What carries events from a worker to its listeners: `memory`, `redis` or `sqlite`."""
    state_store_backend: str = "memory"
    """Where the states of runs are kept: `memory`, `redis` or `sqlite`."""
    tracing_backend: str | None = None
    """Where runs are traced: `noop` or `otel`; None traces nothing."""
    redis_url: str | None = field(default=None, repr=False)
    """The address of Redis, password included."""
    sqlite_path: str | None = None
    """The file of the SQLite backends."""
    langfuse_public_key: str | None = None
    """The public key of a Langfuse project."""
    langfuse_secret_key: str | None = field(default=None, repr=False)
    """The secret key of a Langfuse project."""
    langfuse_host: str | None = None
    """The address of Langfuse; None is their own."""
    run_timeout_seconds: int = field(default=300, metadata=_ABOVE_ZERO)
    """How long a queued run may take."""
    heartbeat_interval_seconds: int = field(default=30, metadata=_ABOVE_ZERO)
    """How often a run says that it is still alive; twice in `lease_ttl_seconds` at least."""
    lease_ttl_seconds: int = field(default=60, metadata=_ABOVE_ZERO)
    """How long after its latest event a run may be taken to be alive."""
    max_retries: int = field(default=3, metadata=_FROM_ZERO)
    """How often a failed run is tried again."""
    retry_backoff_base: int = field(default=2, metadata=_FROM_ZERO)
    """The wait before attempt n is this number to the power of n, in seconds."""
    retry_backoff_max: int = field(default=300, metadata=_FROM_ZERO)
    """The longest wait before an attempt, in seconds."""
    include_conversation_history: bool = True
    """Whether a run gets the earlier messages of its conversation."""
    max_history_messages: int | None = field(default=None, metadata=_FROM_ZERO)
    """How many of them at most; None gives all."""
    auto_persist_messages: bool = True
    """Whether the messages of a run are added to its conversation."""
    debug: bool = False
    """Whether errors are shown instead of swallowed; the framework reads the same variable."""
    max_iterations: int = field(default=50, metadata=_FROM_ONE)
    """How many turns a tool-calling run may take."""
    vector_store_backend: str = "none"
    """The vector store, or `none`."""
    vector_store_path: str | None = None
    """The file or folder of a local vector store."""
    embedding_provider: str = "openai"
    """Who turns text into vectors."""
    embedding_model: str = "text-embedding-3-small"
    """The model that turns text into vectors."""
    vertex_project_id: str | None = None
    """The Google Cloud project of Vertex AI."""
    vertex_location: str = "us-central1"
    """The region of Vertex AI."""
    vertex_index_endpoint_id: str | None = None
    """The index endpoint of Vertex AI."""
    vertex_deployed_index_id: str | None = None
    """The deployed index of Vertex AI."""
    vertex_index_id: str | None = None
    """The index of Vertex AI."""

    @classmethod
    def from_env(cls) -> RuntimeConfig:
        """The defaults, and over them the environment as it is now. An empty variable counts as not set.

        Raises:
            ConfigError: A variable that holds a number does not, or one that cannot work; the text names it.
        """
        return cls(**_read(os.environ))

    def get_openai_api_key(self) -> str | None:
        """The key for OpenAI: the field, else `OPENAI_API_KEY` as it is now, else None."""
        return self.openai_api_key or os.environ.get("OPENAI_API_KEY") or None

    def get_anthropic_api_key(self) -> str | None:
        """The key for Anthropic: the field, else `ANTHROPIC_API_KEY` as it is now, else None."""
        return self.anthropic_api_key or os.environ.get("ANTHROPIC_API_KEY") or None


def _read(environment: Mapping[str, str]) -> dict[str, Any]:
    """The fields that the environment sets."""
    values: dict[str, Any] = {}
    for each in fields(RuntimeConfig):
        variable = _PREFIX + each.name.upper()
        text = environment.get(variable)
        if not text or each.name in _KEYS:
            continue
        kind = str(each.type)
        if kind == "bool":
            values[each.name] = _switch(variable, text)
        elif kind.startswith(("int", "float")):
            values[each.name] = _number(variable, text, each)
        else:
            values[each.name] = text
    return values


def _switch(variable: str, text: str) -> bool:
    """Whether a variable switches on; a word that says neither is told in the log, and counts as off."""
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        _LOGGER.warning("%s counts as off: it is %r, and on is 1, true, yes or on", variable, text)
    return word in _TRUE


def _number(variable: str, text: str, setting: Field[Any]) -> float | None:
    """The number in a variable; None for the word `none`, where a setting may be without one."""
    whole, optional = str(setting.type).startswith("int"), str(setting.type).endswith("None")
    if optional and text.strip().lower() == "none":
        return None
    fits = setting.metadata.get("fits", _any)
    try:
        number = int(text) if whole else float(text)
        good = math.isfinite(number) and fits(number)
    except (ValueError, OverflowError):
        good = False
    if not good:
        bounds = setting.metadata.get("bounds")
        wanted = (
            f"a {'whole ' if whole else ''}number{f', {bounds}' if bounds else ''}{', or none' if optional else ''}"
        )
        raise ConfigError(f"{variable} must be {wanted}, not {text!r}: change it or unset it.")
    return number


def _any(_: float) -> bool:
    return True


_config: RuntimeConfig | None = None


def configure(**options: Any) -> RuntimeConfig:
    """Make a new configuration from defaults, environment and these options, and use it from now on.

    It starts from scratch: what an earlier call has set is forgotten. To change one field and keep the rest,
    assign to `get_config().field`.

    Args:
        **options: Fields of `RuntimeConfig`; they win over the environment.

    Raises:
        ConfigError: An option is unknown, or a variable does not hold a number as it should. Nothing changed.
    """
    global _config
    known = {each.name for each in fields(RuntimeConfig)}
    for name in options:
        if name not in known:
            raise ConfigError(f"Unknown configuration option: {name}")
    _config = RuntimeConfig(**{**_read(os.environ), **options})
    return _config


def get_config() -> RuntimeConfig:
    """The configuration in use; at the first call it is made from defaults and environment.

    Raises:
        ConfigError: A variable does not hold the number that it should; the text names both.
    """
    global _config
    if _config is None:
        _config = RuntimeConfig.from_env()
    return _config


def reset_config() -> None:
    """Forget the configuration; the next `get_config()` makes a new one."""
    global _config
    _config = None
