"""The Django project of the tests, set up once in this process, and its databases with our tables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import django
from asgiref.sync import SyncToAsync
from django.apps import apps

from agent_runtime_core import config as core_config
from tests.postgresql import SERVER, ServerMissing, execute

__all__ = ["emptied", "in_the_thread_of_the_orm", "migrated", "postgresql", "set_up", "sqlite", "terminated"]


def set_up() -> None:
    """Load the apps, as a process of Django does; the other packages' tests find the core unconfigured."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.django_project.settings")
    if not apps.ready:
        django.setup()
        core_config.reset_config()


def in_the_thread_of_the_orm(work: Any) -> Any:
    """What the work gives in the one thread in which `sync_to_async` uses the ORM outside of requests."""
    return SyncToAsync.single_thread_executor.submit(work).result()


def migrated(alias: str) -> None:
    """Make our tables, and those of the project's other apps."""
    from django.core.management import call_command

    call_command("migrate", database=alias, verbosity=0, interactive=False)


@contextmanager
def sqlite() -> Iterator[None]:
    """The database `default`, a file, as long as the block."""
    from django.db import connections

    name = Path(connections.settings["default"]["NAME"])
    migrated("default")
    try:
        yield
    finally:
        _close()
        for suffix in ("", "-wal", "-shm", "-journal"):
            with suppress(FileNotFoundError):
                name.with_name(name.name + suffix).unlink()


@contextmanager
def postgresql() -> Iterator[None]:
    """The database `postgresql` on its server, as long as the block.

    Raises:
        ServerMissing: No server answers.
    """
    from django.db import connections

    name = connections.settings["postgresql"]["NAME"]
    try:
        execute(SERVER, f"CREATE DATABASE {name}")
    except (OSError, TimeoutError) as error:
        raise ServerMissing(f"{type(error).__name__}: {error}") from error
    try:
        migrated("postgresql")
        yield
    finally:
        _close()
        execute(SERVER, f"DROP DATABASE {name} WITH (FORCE)")


def emptied(alias: str) -> str:
    """The alias, when nothing of ours and no user is in its database."""
    from django.contrib.auth import get_user_model

    ours = [model for app in ("django_agent_runtime", "visitors") for model in apps.get_app_config(app).get_models()]
    models = [*ours, get_user_model()]

    def empty() -> None:
        from django.db import connections

        from django_agent_runtime.models import AgentConversation

        with connections[alias].constraint_checks_disabled():
            AgentConversation.objects.using(alias).update(current_run=None)
            for model in reversed(models):
                model._base_manager.using(alias).all().delete()

    in_the_thread_of_the_orm(empty)
    return alias


def _close() -> None:
    from django.db import connections

    connections.close_all()
    in_the_thread_of_the_orm(connections.close_all)


def terminated(pid: int) -> None:
    """End a connection from the server's side."""
    execute(SERVER, f"SELECT pg_terminate_backend({pid})")
