"""Where this process hands runs over: to itself, or to the workers of a durable engine."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from datetime import timedelta
from typing import Any, Protocol

from django.apps import apps
from django.utils import timezone

from agent_runtime_core.errors import AgentRuntimeError, ConfigError
from agent_runtime_core.interfaces.runs import RunRequest
from django_agent_runtime.conf import runtime_settings
from django_agent_runtime.models import AgentRun, RunStatus
from django_agent_runtime.runtime.background import BackgroundLoop
from django_agent_runtime.runtime.engine import is_in_process, open_run_engine
from django_agent_runtime.runtime.host import RunHost
from django_agent_runtime.runtime.worker_name import new_worker_name

__all__ = ["Desk", "LocalDesk", "close_desk", "hand_over", "mark", "present_desk", "tell_cancelled"]

_LOGGER = logging.getLogger("django_agent_runtime.runtime")

_CONNECTIONS = 2
_PATIENCE_S = 10.0
"""So long a request waits until the engine has its run; then a worker finds the row."""


class Desk(Protocol):
    """Takes runs over. Its methods can be called from any thread, and raise nothing."""

    def hand_over(self, request: RunRequest) -> None:
        """Have a run executed, whose row is committed."""
        ...

    def cancel(self, run_id: str) -> None:
        """Ask a run to stop; that it is asked stands in its row."""
        ...

    def close(self, drain_s: float) -> None:
        """Take nothing more."""
        ...


class LocalDesk:
    """Hands runs to this very process."""

    def __init__(self) -> None:
        self._loop = BackgroundLoop()
        self._host = RunHost(name=own_name())
        _logged(self._loop.call(self._start()), "runs cannot be executed in this process")

    async def _start(self) -> None:
        await asyncio.to_thread(apps.ready_event.wait)
        await self._host.start()

    def hand_over(self, request: RunRequest) -> None:
        """Begin the run, when it is its turn."""
        _logged(self._loop.call(self._host.submit(request)), f"run {request.run_id} could not be begun")

    def cancel(self, run_id: str) -> None:
        """Interrupt the run if it is on here; another process looks into its row."""
        _logged(self._loop.call(self._host.cancel(run_id)), f"run {run_id} could not be interrupted")

    def close(self, drain_s: float) -> None:
        """Wait so long for what is on."""
        self._loop.close(self._host.stop(drain_s=drain_s))


class DistantDesk:
    """Hands runs to workers."""

    def __init__(self) -> None:
        self._loop = BackgroundLoop()
        self._engine = open_run_engine(pool_size=_CONNECTIONS)

    def hand_over(self, request: RunRequest) -> None:
        """Submit the run. Whoever submits one after the other finds them in this order."""
        self._done(self._engine.submit(request), f"run {request.run_id} was not submitted; a worker will find it")

    def cancel(self, run_id: str) -> None:
        """Tell the engine."""
        self._done(self._engine.cancel(run_id), f"the engine was not told to stop run {run_id}; its worker will see it")

    def close(self, drain_s: float) -> None:
        """Close the engine."""
        self._loop.close(self._engine.close())

    def _done(self, work: Coroutine[Any, Any, Any], otherwise: str) -> None:
        future = self._loop.call(work)
        try:
            future.result(_PATIENCE_S)
        except TimeoutError:
            _logged(future, otherwise)
            _LOGGER.warning("%s: the engine has not answered for %g s", otherwise, _PATIENCE_S)
        except AgentRuntimeError as error:
            _LOGGER.warning("%s: %s", otherwise, error)


def _logged(future: Future[Any], words: str) -> None:
    def done(future: Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None:
            _LOGGER.error("%s: %s: %s", words, type(error).__name__, error)

    future.add_done_callback(done)


_name: tuple[int, str] | None = None
_desk: tuple[int, Desk] | None = None
_opening = threading.RLock()


def own_name() -> str:
    """The name of this process among those that execute their own runs."""
    global _name
    with _opening:
        if _name is None or _name[0] != os.getpid():
            _name = os.getpid(), new_worker_name()
        return _name[1]


def mark(alias: str, run: AgentRun) -> None:
    """Write down whose a queued run is, in the caller's transaction. With workers it is nobody's yet."""
    if not is_in_process():
        return
    until = timezone.now() + timedelta(seconds=runtime_settings().LEASE_TTL_SECONDS)
    free = AgentRun.objects.using(alias).filter(pk=run.pk, status=RunStatus.QUEUED, lease_owner="")
    if free.update(lease_owner=own_name(), lease_expires_at=until):
        run.lease_owner, run.lease_expires_at = own_name(), until


def hand_over(request: RunRequest) -> None:
    """Have a run executed, whose row is committed."""
    try:
        present_desk().hand_over(request)
    except ConfigError as error:  # the row is there, and a worker finds it when the setting is right
        _LOGGER.error("run %s was not submitted: %s", request.run_id, error)


def tell_cancelled(run_id: str) -> None:
    """Ask whoever executes a run to stop; that it is asked stands in its row."""
    if is_in_process() and _desk is None:
        return  # nothing is executed here
    try:
        present_desk().cancel(run_id)
    except ConfigError as error:
        _LOGGER.error("run %s: %s", run_id, error)


def present_desk() -> Desk:
    """The desk of this process, opened when it is needed first.

    Raises:
        ConfigError: The engine of the settings cannot be used.
    """
    global _desk
    with _opening:
        if _desk is None or _desk[0] != os.getpid():  # after a fork the threads are the parent's
            _desk = os.getpid(), LocalDesk() if is_in_process() else DistantDesk()
        return _desk[1]


def close_desk(*, drain_s: float = 0.0) -> None:
    """Close the desk of this process, if it has one; runs that go on after that time are put back."""
    global _desk
    with _opening:
        desk, _desk = _desk, None
    if desk is not None and desk[0] == os.getpid():
        desk[1].close(drain_s)
