"""How `get_llm_client` makes the clients of vendors resilient: one place waits and tries again, ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agent_runtime_core.config import get_config
from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces.llm import LLMClient
from agent_runtime_core.llm.resilient import ResilientClient
from agent_runtime_core.llm.retries import Retries
from agent_runtime_core.llm.timeouts import Timeouts

__all__ = ["make_client"]

_SETTINGS = frozenset({"max_concurrency", "retries", "timeouts"})
_ON_HTTP = ("anthropic", "openai")  # their SDKs take a timeout for the connection


def make_client(provider: str, client_class: Callable[..., LLMClient], options: dict[str, Any]) -> LLMClient:
    """A client of this class, with the resilience that the options ask for.

    Args:
        provider: Its name in the registry.
        client_class: Makes it.
        options: `timeouts`, `retries`, `max_concurrency` and `resilient` are taken here, `max_retries` is ours instead
            of the SDK's, and all the others go to the client.

    Raises:
        ConfigError: An option has a value that cannot work, or the client lacks something.
    """
    options = dict(options)
    resilient = options.pop("resilient", None)
    if resilient not in (None, True, False):
        raise ConfigError(f"resilient must be True or False, not {resilient!r}")
    if resilient is None:  # rules in this process do not fail; settings for them are taken at their word
        resilient = provider != "offline" or bool(_SETTINGS & options.keys())
    if not resilient:
        return client_class(**_without_settings(options))
    timeouts = _setting(options, "timeouts", Timeouts) or _configured_timeouts()
    retries = _setting(options, "retries", Retries)
    max_concurrency = options.pop("max_concurrency", get_config().llm_max_concurrency)
    if provider != "offline":
        max_retries = options.get("max_retries")
        if retries is not None and max_retries is not None:
            raise ConfigError("retries= and max_retries= say the same: give one of them")
        if retries is None and max_retries is not None:
            retries = _configured_retries(max_attempts=_attempts(max_retries))
        options["max_retries"] = 0  # or every attempt of ours would be several of the SDK's
    retries = retries or _configured_retries()
    if provider in _ON_HTTP and "timeout" not in options:
        http_timeout = _http_timeout(timeouts)
        if http_timeout is not None:
            options["timeout"] = http_timeout
    client = client_class(**options)
    return ResilientClient(
        client, timeouts=timeouts, retries=retries, max_concurrency=max_concurrency, provider=provider
    )


def _setting(options: dict[str, Any], name: str, kind: type[Any]) -> Any:
    value = options.pop(name, None)
    if value is not None and not isinstance(value, kind):
        raise ConfigError(f"{name} must be a {kind.__name__}(...), not {value!r}: see agent_runtime_core.llm")
    return value


def _without_settings(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a client that shall not be resilient.

    Raises:
        ConfigError: One of them is for a resilient client.
    """
    for name in sorted(_SETTINGS & options.keys()):
        if options.pop(name) is not None:
            raise ConfigError(
                f"{name}= needs a resilient client: leave out resilient=False, or {name}=. "
                f"The bare client takes the SDK's own timeout= and max_retries=."
            )
    return options


def _attempts(max_retries: Any) -> int:
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or max_retries < 0:
        raise ConfigError(f"max_retries must be a whole number, 0 or more, not {max_retries!r}")
    return max_retries + 1


def _configured_timeouts() -> Timeouts:
    config = get_config()
    return Timeouts(
        connect_s=config.llm_connect_timeout_seconds,
        first_token_s=config.llm_first_token_timeout_seconds,
        between_tokens_s=config.llm_between_tokens_timeout_seconds,
        total_s=config.llm_total_timeout_seconds,
    )


def _configured_retries(*, max_attempts: int | None = None) -> Retries:
    config = get_config()
    return Retries(
        max_attempts=config.llm_max_attempts if max_attempts is None else max_attempts,
        base_s=config.llm_retry_base_seconds,
        max_s=config.llm_retry_max_seconds,
        jitter=config.llm_retry_jitter,
    )


def _http_timeout(timeouts: Timeouts) -> Any:
    """The time to connect, in the words of the SDKs' HTTP library; None when no SDK has brought it along."""
    try:
        from httpx2 import Timeout
    except ImportError:
        return None
    return Timeout(timeouts.total_s, connect=timeouts.connect_s)
