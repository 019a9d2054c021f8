"""Django's database as the store uses it: one transaction per call, in the thread in which the ORM may be used."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections, router, transaction
from django.db.models import Expression, FloatField, Func, Value

from agent_runtime_core.errors import StoreUnavailable
from django_agent_runtime.models import AgentConversation

__all__ = ["Database", "clock"]

T = TypeVar("T")

_TRIES = 10
_UNDONE = ("40001", "40P01")
"""PostgreSQL has undone the transaction and asks for it again: serialisation, deadlock."""


class Database:
    """Where conversations are.

    Args:
        using: The alias in `DATABASES`; None leaves it to the project's routers.
    """

    def __init__(self, using: str | None) -> None:
        self._using = using

    @property
    def alias(self) -> str:
        """The database that is written to."""
        return self._using or router.db_for_write(AgentConversation) or DEFAULT_DB_ALIAS

    async def run(self, work: Callable[[str], T]) -> T:
        """What the work returns for the alias, done whole or not at all.

        Within a transaction of Django's it is part of that transaction, and goes with it.

        Raises:
            StoreUnavailable: The database cannot be used.
        """
        return await sync_to_async(self._run)(work)

    def _run(self, work: Callable[[str], T]) -> T:
        alias = self.alias
        connection = connections[alias]
        is_outermost = not connection.in_atomic_block
        if is_outermost and connection.errors_occurred and not connection.is_usable():
            connection.close()  # the next statement opens another; outside of requests nobody else does that
        tries = _TRIES if is_outermost else 1
        while True:
            tries -= 1
            try:
                with transaction.atomic(using=alias):
                    return work(alias)
            except (DatabaseError, InterfaceError) as error:
                if not (tries and _was_undone(error)):
                    raise _explained(error, alias) from error


def _was_undone(error: Exception) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in _UNDONE


def _explained(error: Exception, alias: str) -> StoreUnavailable:
    words = (str(error).splitlines() or [""])[0]
    lowered = words.lower()
    if "no such table" in lowered or "does not exist" in lowered or "no such column" in lowered:
        advice = "run `manage.py migrate`"
    elif "locked" in lowered:
        advice = (
            "another process writes to it; raise 'timeout' in its OPTIONS, set 'transaction_mode' there to "
            "'IMMEDIATE' where you write after you have read, or use PostgreSQL"
        )
    else:
        advice = "look whether its server runs and takes connections"
    return StoreUnavailable(
        f"the database {alias!r} could not be used ({type(error).__name__}: {words}): {advice}. Nothing was written, "
        f"unless the connection broke while it was committed; a message may be sent again under its message_id.",
        key=alias,
    )


class _ClockTimestamp(Func):
    """PostgreSQL's clock as it is now, also within a transaction."""

    template = "EXTRACT(EPOCH FROM CLOCK_TIMESTAMP())::double precision"
    output_field = FloatField()


def clock(alias: str) -> Expression:
    """The time in seconds since 1970, by the clock that all processes share: the server's, else the machine's."""
    if connections[alias].vendor == "postgresql":
        return _ClockTimestamp()
    return Value(time.time(), output_field=FloatField())
