"""How a runner runs agents."""

from __future__ import annotations

from dataclasses import dataclass, fields

from agent_runtime_core.config import RuntimeConfig
from agent_runtime_core.errors import ConfigError

__all__ = ["RunnerConfig"]


@dataclass
class RunnerConfig:
    """The limits and waits of a runner.

    Raises:
        ConfigError: A value that cannot work; the text names it.
    """

    worker_id: str = "worker-1"
    """Names the runner in log records."""
    run_timeout_seconds: float = 300
    """How long one attempt at a run may take."""
    heartbeat_interval_seconds: float = 30
    """How often a run tells that it is alive, with `run.heartbeat`; twice in `lease_ttl_seconds` at least."""
    lease_ttl_seconds: float = 60
    """How long after its latest event a run may be taken to be alive. Whoever watches it, and would take it over or
    call it lost, waits that long; so heartbeats come at least twice in that time."""
    max_retries: int = 3
    """How often a run that failed is tried again."""
    retry_backoff_base: float = 2
    """The wait after attempt n is this number to the power of n, in seconds."""
    retry_backoff_max: float = 300
    """The longest wait between two attempts, in seconds."""

    def __post_init__(self) -> None:
        for name in ("run_timeout_seconds", "heartbeat_interval_seconds", "lease_ttl_seconds"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be more than 0 seconds, not {getattr(self, name)}")
        for name in ("max_retries", "retry_backoff_base", "retry_backoff_max"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{name} must be 0 or more, not {getattr(self, name)}")

    @property
    def seconds_between_heartbeats(self) -> float:
        """Half of `lease_ttl_seconds`, or `heartbeat_interval_seconds` where that is shorter."""
        return min(self.heartbeat_interval_seconds, self.lease_ttl_seconds / 2)

    @classmethod
    def from_runtime_config(cls, config: RuntimeConfig) -> RunnerConfig:
        """What is configured for all: by the application, else by `AGENT_RUNTIME_RUN_TIMEOUT_SECONDS` and its like."""
        names = [each.name for each in fields(cls) if each.name != "worker_id"]
        return cls(**{name: getattr(config, name) for name in names})

    def delay_after(self, attempt: int) -> float:
        """Seconds to wait after this attempt, the first one being 1."""
        try:
            return min(self.retry_backoff_base**attempt, self.retry_backoff_max)
        except OverflowError:
            return self.retry_backoff_max
