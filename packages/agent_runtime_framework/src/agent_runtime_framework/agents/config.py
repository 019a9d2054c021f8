"""How a journey runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, get_args

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces import OnBusy
from agent_runtime_framework.executor.costs import Pricing
from agent_runtime_framework.executor.limits import RunLimits
from agent_runtime_framework.memory.history_policy import HistoryPolicy, LastMessages

__all__ = ["JourneyConfig", "OnOldState", "checked_on_busy"]

OnOldState = Literal["migrate", "restart", "error"]
"""What becomes of a stored state that does not fit the code."""


@dataclass
class JourneyConfig:
    """Settings of a `JourneyAgent`."""

    max_tool_iterations: int = 10
    """LLM calls with tools in one run; then the model is asked once more, without tools, for its closing words."""
    terminal_tools: set[str] = field(default_factory=set)
    """Tools whose success ends the run; their result is the response."""
    closing_phrases: list[str] = field(default_factory=lambda: ["thank you", "thanks", "bye", "goodbye"])
    """What a user says at the end: after a complete journey such a message needs no answer."""
    limits: RunLimits = field(default_factory=RunLimits)
    """Further bounds of a run."""
    pricing: Pricing | None = None
    """What a call costs, such as `agent_runtime_core.prices.call_price`; None counts no costs, unless there is a
    `limits.max_cost`."""
    closing_text: str = "I have to stop here for the moment. Please send another message to go on."
    """What the user reads when a limit ends a run and there are no words of the model."""
    max_history_messages: int | None = 200
    """How many stored messages `send` and `stream` show to the model, the latest; None for all. The store keeps all."""
    history: HistoryPolicy | None = None
    """Another way to choose them: `LastTokens(...)`, `SummariseOlder(...)` or one of your own; then
    `max_history_messages` does not matter."""
    on_busy: OnBusy = "queue"
    """What becomes of a message to `send` or `stream` that comes while a run of its conversation is on: `queue` waits
    its turn, `reject` raises `ConversationBusy`, `merge` waits and is answered together with the one waiting before it.
    """
    on_old_state: OnOldState = "migrate"
    """What becomes of a stored state that another version of the journey has written, or that cannot be read: `migrate`
    applies the journey's `@migrate` functions, and what then still does not fit raises `StateDecodeError`; `restart`
    does the same, but begins anew with the initial state where it does not fit, messages kept; `error` refuses every
    state of another version. What the agent's `pinned` names stays with the older journey in any case, and a state of
    a newer version than the code always raises."""
    lease_seconds: float = 15.0
    """How long a conversation belongs to a run that gives no sign of life (its process died, or its event loop is
    blocked): then another run takes it over, and the silent one cannot write any more. A live run renews in time."""

    approval_lifetime: timedelta | None = None
    """How long a person has to say yes to a tool that asks them first; None for ever."""

    def __post_init__(self) -> None:
        checked_on_busy(self.on_busy)
        if self.on_old_state not in get_args(OnOldState):
            known = ", ".join(get_args(OnOldState))
            raise ConfigError(f"on_old_state is {self.on_old_state!r}; give one of {known}.")
        if not isinstance(self.lease_seconds, (int, float)) or not self.lease_seconds > 0:
            raise ConfigError(f"lease_seconds is {self.lease_seconds!r}; give more than 0 seconds.")
        _check_history(self.history, self.max_history_messages)
        if not isinstance(self.limits, RunLimits):
            raise ConfigError(f"limits is {self.limits!r}; give RunLimits(...), such as RunLimits(max_seconds=60).")
        if self.pricing is not None and not callable(self.pricing):
            raise ConfigError(f"pricing is {self.pricing!r}; give a function, such as prices.call_price, or None.")
        if self.approval_lifetime is not None and not isinstance(self.approval_lifetime, timedelta):
            raise ConfigError(f"approval_lifetime is {self.approval_lifetime!r}; give a timedelta, or None for ever.")

    @property
    def history_policy(self) -> HistoryPolicy:
        """Chooses the messages that the model sees."""
        return self.history if self.history is not None else LastMessages(self.max_history_messages)


def _check_history(history: object, max_history_messages: object) -> None:
    if isinstance(history, type) or not (history is None or _is_policy(history)):
        raise ConfigError(
            f"history is {history!r}; give LastMessages(...), LastTokens(...), SummariseOlder(...) or an object of "
            f"your own with `max_messages` and `fit`, or None for the last max_history_messages."
        )
    is_count = isinstance(max_history_messages, int) and not isinstance(max_history_messages, bool)
    if max_history_messages is not None and not (is_count and max_history_messages >= 0):  # type: ignore[operator]
        raise ConfigError(
            f"max_history_messages is {max_history_messages!r}; give 0 or more messages, or None for all."
        )


def _is_policy(history: object) -> bool:
    return hasattr(history, "max_messages") and callable(getattr(history, "fit", None))


def checked_on_busy(on_busy: OnBusy) -> OnBusy:
    """The choice, if it is one.

    Raises:
        ConfigError: It is something else.
    """
    if on_busy not in get_args(OnBusy):
        raise ConfigError(f"on_busy is {on_busy!r}; give one of {', '.join(get_args(OnBusy))}.")
    return on_busy
