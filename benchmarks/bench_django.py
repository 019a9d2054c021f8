"""What Django's runs cost over a journey's own `send` on the same database: row, events, engine and thread.

`python benchmarks/bench_django.py [runs]`
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import django
import psycopg
from django.conf import settings

SERVER = os.environ.get("AGENT_RUNTIME_TEST_POSTGRESQL", "postgresql://postgres@localhost:5432/postgres")
NAME = f"agent_runtime_bench_{uuid4().hex}"
FOLDER = tempfile.TemporaryDirectory()
WARM_UP = 5

_place = urlsplit(SERVER)
settings.configure(
    USE_TZ=True,
    SECRET_KEY="of the benchmark",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "django_agent_runtime"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": Path(FOLDER.name) / "bench.db",
            "OPTIONS": {"timeout": 20, "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL"},
            "CONN_MAX_AGE": None,
        },
        "postgresql": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": NAME,
            "HOST": _place.hostname,
            "PORT": _place.port or 5432,
            "USER": _place.username or "",
            "PASSWORD": _place.password or "",
            "CONN_MAX_AGE": None,
        },
    },
    DATABASE_ROUTERS=["__main__.Router"],
    DJANGO_AGENT_RUNTIME={"AUTO_GENERATE_CONVERSATION_TITLE": False},
)


class Router:
    """Sends everything to the database that is measured."""

    alias = "default"

    def db_for_read(self, model: object, **hints: object) -> str:
        """The database."""
        return Router.alias

    db_for_write = db_for_read


django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections, transaction  # noqa: E402
from journey import USER_LINES, Onboarding, StubModel  # noqa: E402

from django_agent_runtime.models import AgentConversation, AgentRun  # noqa: E402
from django_agent_runtime.runtime.desk import LocalDesk, close_desk, present_desk  # noqa: E402
from django_agent_runtime.runtime.registry import register_runtime  # noqa: E402
from django_agent_runtime.runtime.runs import submit  # noqa: E402
from django_agent_runtime.stores import DjangoCheckpointStore  # noqa: E402


def sends(runs: int) -> Callable[[], None]:
    """So many conversations with one message each, sent one after the other."""
    agent = Onboarding(StubModel(), store=DjangoCheckpointStore())

    async def send(measured: list[float], number: int) -> None:
        for _ in range(number):
            conversation = await AgentConversation.objects.acreate(agent_key=agent.key)
            start = time.perf_counter()
            await agent.send(str(conversation.pk), USER_LINES[0])
            measured.append((time.perf_counter() - start) * 1000)

    async def measure() -> None:
        await send([], WARM_UP)
        took: list[float] = []
        cpu = time.process_time()
        await send(took, runs)
        show("send", took, cpu)

    return lambda: asyncio.run(measure())


def submissions(runs: int) -> Callable[[], None]:
    """The same as runs: a row in a transaction, and the answer awaited."""
    agent = Onboarding(StubModel())
    register_runtime(agent)

    def done(measured: list[float], number: int) -> None:
        desk = present_desk()
        assert isinstance(desk, LocalDesk)
        for _ in range(number):
            conversation = AgentConversation.objects.create(agent_key=agent.key)
            start = time.perf_counter()
            with transaction.atomic():
                given = {"messages": [{"role": "user", "content": USER_LINES[0]}]}
                run = AgentRun.objects.create(agent_key=agent.key, conversation=conversation, input=given)
                submit(run)
            desk._loop.call(desk._host.engine.wait(str(run.pk))).result()
            measured.append((time.perf_counter() - start) * 1000)
            run.refresh_from_db()
            assert run.status == "succeeded", run.error

    def measure() -> None:
        done([], WARM_UP)
        took: list[float] = []
        cpu = time.process_time()
        done(took, runs)
        show("run", took, cpu)
        close_desk()

    return measure


def show(what: str, took: list[float], cpu: float) -> None:
    """Print a line of figures, all in milliseconds."""
    used = (time.process_time() - cpu) / len(took) * 1000
    ninth = statistics.quantiles(took, n=10)[8]
    print(f"{Router.alias:12}{what:8}{statistics.median(took):10.1f}{ninth:10.1f}{used:10.1f}", flush=True)


@contextmanager
def postgresql() -> Iterator[bool]:
    """A database of our own, as long as the block; False when no server answers."""
    try:
        server = psycopg.connect(SERVER, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        print(f"skipped: no PostgreSQL server answers ({type(error).__name__}); see AGENT_RUNTIME_TEST_POSTGRESQL")
        yield False
        return
    with server:
        server.execute(f"CREATE DATABASE {NAME}")
        try:
            yield True
        finally:
            connections.close_all()
            server.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def main(runs: int) -> None:
    """Measure both on both databases."""
    print(f"{runs} conversations, one message, one tool; milliseconds")
    print(f"{'database':12}{'':8}{'median':>10}{'9 of 10':>10}{'CPU':>10}")
    with postgresql() as is_there:
        for alias in ["default", *(["postgresql"] if is_there else [])]:
            Router.alias = alias
            call_command("migrate", database=alias, verbosity=0)
            sends(runs)()
            submissions(runs)()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
