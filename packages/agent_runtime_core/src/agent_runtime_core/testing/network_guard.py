"""The guard of tests: while it is up, no model is asked and no connection leaves this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

from agent_runtime_core.llm import real_calls
from agent_runtime_core.llm.real_calls import RealLLMCallForbidden

__all__ = ["forbid_real_llm_calls"]

_guards: list[object] = []
_installed: list[bool] = []  # not empty once the interpreter tells us of sockets; it never stops to


@contextmanager
def forbid_real_llm_calls(*, allow_loopback: bool = False) -> Iterator[None]:
    """Let no client of a vendor send anything, and no connection leave this machine, in the whole process.

    Clients of this package refuse before they do anything. Whatever else opens a connection or looks up a name by
    Python's sockets (the vendors' SDKs themselves, httpx, aiohttp, requests) is stopped there; what it makes of the
    `RealLLMCallForbidden` is its own affair, OpenAI's SDK for instance raises its `APIConnectionError` from it.
    Libraries with sockets of their own, such as gRPC and uvloop, are not seen. Connections to this machine are let
    through. Scripted, recorded and offline clients work as ever.

    Args:
        allow_loopback: Whether clients of this package may ask a server on this machine.
    """
    if not _installed:
        sys.addaudithook(_audit)
        _installed.append(True)
    _guards.append(None)
    try:
        with real_calls.forbid_real_llm_calls(allow_loopback=allow_loopback):
            yield
    finally:
        _guards.pop()


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Called by the interpreter before it does something of note; what is raised here stops it.

    Raises:
        RealLLMCallForbidden: A guard is up, and another machine was about to be reached.
    """
    if not _guards or not event.startswith("socket."):
        return
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) and address else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if isinstance(name, str) and not _is_here(name):
        raise RealLLMCallForbidden(
            f"a connection to {name} was about to be made while forbid_real_llm_calls() is up: give the code under "
            f"test a client from agent_runtime_core.testing."
        )


def _is_here(host: str) -> bool:
    if host in ("", "localhost", "<broadcast>") or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
