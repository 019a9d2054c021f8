"""`manage.py runagent`: a worker, or several, that do runs until they are told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
import time
from typing import Any

from django.conf import settings as django_settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections, router
from django.db.migrations.executor import MigrationExecutor
from django.utils import autoreload

from agent_runtime_core.errors import AgentRuntimeError
from django_agent_runtime.conf import runtime_settings
from django_agent_runtime.models import AgentRun
from django_agent_runtime.runtime.engine import is_in_process
from django_agent_runtime.runtime.host import RunHost
from django_agent_runtime.runtime.registry import list_runtimes
from django_agent_runtime.runtime.worker_name import new_worker_name

__all__ = ["Command"]

_CHILD = "DJANGO_AGENT_RUNTIME_WORKER"
_REFUSED = {
    "queue": "--queue means nothing: runs wait in the database of the engine",
    "agent_keys": "--agent-keys means nothing: every worker does the runs of all agents; register the same ones "
    "everywhere",
    "lease_ttl_seconds": "--lease-ttl-seconds means nothing: a worker is known to be alive by its connection, and its "
    "runs are taken over a second after it has died; 'grace_s' in the URL of ENGINE says otherwise",
}
_PAUSE_S = 1.0
_LOOK_S = 0.2


class Command(BaseCommand):
    """Does runs."""

    help = "Do the runs that were submitted, until SIGTERM or Ctrl-C; needs ENGINE 'durable', or the URL of an engine."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options."""
        parser.add_argument("--processes", type=_number, metavar="N", help="Worker processes (DEFAULT_PROCESSES).")
        parser.add_argument(
            "--concurrency", type=_number, metavar="N", help="Runs at once in each (DEFAULT_CONCURRENCY)."
        )
        parser.add_argument(
            "--run-timeout-seconds",
            type=_number,
            metavar="N",
            help="How long an attempt may take (RUN_TIMEOUT_SECONDS).",
        )
        parser.add_argument(
            "--max-attempts", type=_number, metavar="N", help="Attempts at most, whatever a run says itself."
        )
        parser.add_argument(
            "--worker-id", default="", metavar="ID", help="Stands for the machine in the worker's name."
        )
        parser.add_argument(
            "--drain-seconds",
            type=float,
            default=30.0,
            metavar="S",
            help="How long runs may go on after SIGTERM; then other workers get them (30).",
        )
        parser.add_argument("--noreload", action="store_true", help="Do not start anew when code changes (with DEBUG).")
        for name in _REFUSED:
            parser.add_argument(f"--{name.replace('_', '-')}", help="Refused; it means nothing here.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Work.

        Raises:
            CommandError: There is nothing to work for as it is configured, or the database is not ready.
        """
        for name, words in _REFUSED.items():
            if options[name] is not None:
                raise CommandError(words)
        if is_in_process():
            raise CommandError(
                "ENGINE is 'in-process': runs are done by the processes that take them, and a worker would have none. "
                "Set DJANGO_AGENT_RUNTIME['ENGINE'] to 'durable'."
            )
        _check_migrations()
        settings = runtime_settings()
        if options["run_timeout_seconds"] is not None:
            settings.RUN_TIMEOUT_SECONDS = options["run_timeout_seconds"]
        processes = options["processes"] or settings.DEFAULT_PROCESSES
        is_child = os.environ.get(_CHILD) == "1"
        if processes > 1 and not is_child:
            self._supervise(processes, options["drain_seconds"])
        elif django_settings.DEBUG and not options["noreload"] and not is_child:
            autoreload.run_with_reloader(lambda: self._work(options))
        else:
            self._work(options)

    def _work(self, options: dict[str, Any]) -> None:
        try:
            asyncio.run(self._serve(options))
        except AgentRuntimeError as error:
            raise CommandError(str(error)) from error

    async def _serve(self, options: dict[str, Any]) -> None:
        host = RunHost(
            concurrency=options["concurrency"],
            name=new_worker_name(options["worker_id"]),
            max_attempts=options["max_attempts"],
        )
        stop = asyncio.Event()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await host.start()
        self.stdout.write(f"worker {host.name} does the runs of {', '.join(list_runtimes()) or 'no agent'}")
        self.stdout.flush()
        await stop.wait()
        self.stdout.write(f"worker {host.name} stops; what is on has {options['drain_seconds']:g} s to end")
        self.stdout.flush()
        await host.stop(drain_s=options["drain_seconds"])

    def _supervise(self, processes: int, drain_s: float) -> None:
        """Have so many workers, others for those that end, and none at the end."""
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        workers = [_started() for _ in range(processes)]
        try:
            while not stopping.wait(_LOOK_S):
                for place, worker in enumerate(workers):
                    if worker.poll() is not None:
                        self.stderr.write(
                            f"worker process {worker.pid} has ended with {worker.returncode}; another begins"
                        )
                        stopping.wait(_PAUSE_S)
                        workers[place] = _started()
        finally:
            for worker in workers:
                worker.terminate()
            deadline = time.monotonic() + drain_s + 30.0
            for worker in workers:
                try:
                    worker.wait(max(0.0, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    worker.kill()


def _started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(autoreload.get_child_arguments(), env={**os.environ, _CHILD: "1"})


def _number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _check_migrations() -> None:
    connection = connections[router.db_for_write(AgentRun) or DEFAULT_DB_ALIAS]
    executor = MigrationExecutor(connection)
    targets = [key for key in executor.loader.graph.leaf_nodes() if key[0] == "django_agent_runtime"]
    plan = executor.migration_plan(targets)
    if plan:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in plan)
        raise CommandError(f"migrations are not applied ({names}): run `manage.py migrate` first")
