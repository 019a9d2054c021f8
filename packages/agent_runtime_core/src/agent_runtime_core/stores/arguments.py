"""Refuses arguments that no store can mean anything by."""

from __future__ import annotations

from typing import get_args

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces.turns import OnBusy

__all__ = ["KEEP_VERSIONS", "check_begin", "check_finish", "check_keep_versions", "check_texts", "check_window"]

KEEP_VERSIONS = 200
"""How many versions of a conversation a store keeps unless it is told otherwise."""

_ON_BUSY = get_args(OnBusy)


def check_begin(on_busy: str, lease_seconds: float) -> None:
    """Make sure that a run can begin with these.

    Raises:
        ValueError: One of them means nothing.
    """
    if on_busy not in _ON_BUSY:
        raise ValueError(f"on_busy is {on_busy!r}; give one of {', '.join(_ON_BUSY)}.")
    if not lease_seconds > 0:
        raise ValueError(f"lease_seconds is {lease_seconds}; give more than 0.")


def check_finish(lease: int | None, finish: object) -> None:
    """Make sure that what ends is a run.

    Raises:
        ValueError: There is a `finish`, and no lease.
    """
    if finish is not None and lease is None:
        raise ValueError("finish is given without a lease; give the lease of the run that ends with this commit.")


def check_keep_versions(keep_versions: int | None) -> int | None:
    """The number of versions to keep, if it is one.

    Raises:
        ConfigError: It is less than 1.
    """
    if keep_versions is not None and keep_versions < 1:
        raise ConfigError(f"keep_versions is {keep_versions}; give 1 or more, or None to keep all.")
    return keep_versions


def check_texts(*names: str) -> None:
    """Make sure that conversation ids, agent keys and owners are texts.

    Raises:
        TypeError: One is of another type, such as a UUID.
    """
    for name in names:
        if not isinstance(name, str):
            advice = "where there is no owner, give the text ''" if name is None else f"give str({name!r})"
            raise TypeError(f"conversation ids, agent keys and owners are texts, not {type(name).__name__}: {advice}.")


def check_window(name: str, count: int) -> int:
    """The number of messages, if it is one.

    Raises:
        ValueError: It is negative.
    """
    if count < 0:
        raise ValueError(f"{name} is {count}; give 0 or more.")
    return count
