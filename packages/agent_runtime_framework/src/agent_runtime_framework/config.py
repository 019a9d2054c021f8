"""The framework's settings: debug or production mode, and how much it logs."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass

from agent_runtime_core.errors import ConfigError

__all__ = [
    "FrameworkConfig",
    "configure",
    "get_config",
    "is_debug",
    "set_config",
    "should_swallow_exceptions",
]

_DEBUG_VARIABLE = "AGENT_RUNTIME_DEBUG"
_LOG_LEVEL_VARIABLE = "AGENT_RUNTIME_LOG_LEVEL"
_LOGGER = logging.getLogger("agent_runtime_framework")


@dataclass
class FrameworkConfig:
    """How the framework behaves when something fails, and how much it tells the log.

    One instance is in use at a time: see `get_config`, `set_config` and `configure`.
    """

    debug: bool = False
    """Debug mode: for development."""
    swallow_tool_exceptions: bool = True
    """A failing tool becomes a tool result that the model reads; when False, its exception propagates."""
    log_level: str = "INFO"
    """Level of the logger `agent_runtime_framework`, by name."""

    @classmethod
    def from_env(cls) -> FrameworkConfig:
        """Read the settings from the environment, as it is now.

        `AGENT_RUNTIME_DEBUG` (`1`, `true`, `yes` or `on`; anything else is off) turns debug mode on.
        `AGENT_RUNTIME_LOG_LEVEL` is the log level; without it, it is DEBUG in debug mode and else INFO.
        """
        debug = os.environ.get(_DEBUG_VARIABLE, "").strip().lower() in {"1", "true", "yes", "on"}
        log_level = os.environ.get(_LOG_LEVEL_VARIABLE)
        return cls(debug, not debug, _level_for(debug) if log_level is None else log_level)

    def enable_debug(self) -> None:
        """Debug mode: exceptions of tools propagate, and everything is logged."""
        self._set_mode(debug=True)

    def enable_production(self) -> None:
        """Production mode: exceptions of tools become tool results, and the log level is INFO."""
        self._set_mode(debug=False)

    def _set_mode(self, *, debug: bool) -> None:
        self.debug = debug
        self.swallow_tool_exceptions = not debug
        self.log_level = _level_for(debug)
        if self is _current:
            _LOGGER.setLevel(self.log_level)


_current: FrameworkConfig | None = None
_creating = threading.Lock()


def get_config() -> FrameworkConfig:
    """The settings in use; read from the environment when nobody has set any before."""
    if _current is None:
        return _create_from_env()
    return _current


def set_config(config: FrameworkConfig) -> None:
    """Use these settings from now on; the object itself is kept, and its log level applied.

    Raises:
        ConfigError: `config.log_level` is not the name of a log level. The settings in use stay.
    """
    global _current
    level = _read_level(config.log_level)
    _current = config
    _LOGGER.setLevel(level)


def configure(
    debug: bool | None = None,
    swallow_tool_exceptions: bool | None = None,
    log_level: str | None = None,
) -> None:
    """Change the settings in use; what is not given stays, but for what a change of mode brings along.

    Args:
        debug: True for debug mode, False for production mode. What the other two
            arguments leave open follows: in debug mode exceptions of tools propagate and the log level is
            DEBUG, in production mode they do not and it is INFO.
        swallow_tool_exceptions: Whether a failing tool becomes a tool result (True) or raises (False).
        log_level: Name of the level of the logger `agent_runtime_framework`. Handlers are the application's.

    Raises:
        ConfigError: `log_level` is not the name of a log level. Nothing was changed.
    """
    if log_level is None and debug is not None:
        log_level = _level_for(debug)
    level = None if log_level is None else _read_level(log_level)
    config = get_config()
    if debug is not None:
        config.debug = debug
        config.swallow_tool_exceptions = not debug
    if swallow_tool_exceptions is not None:
        config.swallow_tool_exceptions = swallow_tool_exceptions
    if log_level is not None and level is not None:
        config.log_level = log_level
        _LOGGER.setLevel(level)


def is_debug() -> bool:
    """Whether debug mode is on now."""
    return get_config().debug


def should_swallow_exceptions() -> bool:
    """Whether an exception of a tool becomes a tool result now, instead of reaching the caller."""
    return get_config().swallow_tool_exceptions


def _create_from_env() -> FrameworkConfig:
    """The first settings; the log level is applied only when the environment says something about it."""
    global _current
    with _creating:
        if _current is None:
            _current = FrameworkConfig.from_env()
            if _LOG_LEVEL_VARIABLE in os.environ or _current.debug:
                _apply_level_from_env(_current.log_level)
        return _current


def _apply_level_from_env(log_level: str) -> None:
    # A typing error in the environment must not take the application down.
    try:
        _LOGGER.setLevel(_read_level(log_level))
    except ConfigError as error:
        _LOGGER.warning("%s is ignored: %s", _LOG_LEVEL_VARIABLE, error)


def _level_for(debug: bool) -> str:
    return "DEBUG" if debug else "INFO"


def _read_level(log_level: str) -> int:
    """The number of a level's name, in capitals or not."""
    levels = logging.getLevelNamesMapping()
    level = levels.get(log_level.strip().upper()) if isinstance(log_level, str) else None
    if level is None:
        known = ", ".join(sorted(levels, key=lambda name: levels[name]))
        raise ConfigError(f"log_level is {log_level!r}; give the name of a level: {known}.")
    return level
