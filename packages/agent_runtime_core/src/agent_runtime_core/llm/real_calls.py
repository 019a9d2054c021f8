"""The guard of tests: while it is up, clients of vendors refuse to send."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["RealLLMCallForbidden", "check_real_call", "forbid_real_llm_calls"]

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_guards: list[bool] = []  # one entry for each guard that is up: whether it lets this machine be asked


class RealLLMCallForbidden(AssertionError):
    """A test was about to ask a real model. It is no `LLMError`: nothing tries again, falls back or answers it."""


@contextmanager
def forbid_real_llm_calls(*, allow_loopback: bool = False) -> Iterator[None]:
    """Let no client of a vendor send anything, in the whole process, for the block.

    Scripted, recorded and offline clients work as ever.

    Args:
        allow_loopback: Whether a server on this machine may be asked.
    """
    _guards.append(allow_loopback)
    try:
        yield
    finally:
        _guards.remove(allow_loopback)


def check_real_call(server: str) -> None:
    """Called by every client of a vendor before it sends.

    Args:
        server: Who is about to be asked: a host, with its port if it has one.

    Raises:
        RealLLMCallForbidden: A guard is up.
    """
    if not _guards or (all(_guards) and _is_loopback(server)):
        return
    raise RealLLMCallForbidden(
        f"a real model was about to be asked ({server}) while forbid_real_llm_calls() is up: give the code under test "
        f"a client from agent_runtime_core.testing."
    )


def _is_loopback(server: str) -> bool:
    return any(server == host or server.startswith(f"{host}:") for host in _LOOPBACK)
