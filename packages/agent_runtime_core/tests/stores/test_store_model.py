"""Any order of calls gives on every store what it gives on a plain model."""

from __future__ import annotations

import itertools
from contextlib import nullcontext
from pathlib import Path

from tests.redis_server import new_prefix
from tests.store_machine import check


def test_memory_and_sqlite_are_like_the_model(tmp_path: Path) -> None:
    numbers = itertools.count()
    check(lambda: nullcontext(f"sqlite:///{tmp_path}/{next(numbers)}.db"))


def test_memory_and_redis_are_like_the_model(redis_url: str) -> None:
    check(new_prefix)  # the fixture says that there is a server


def test_memory_and_postgresql_are_like_the_model(postgresql_database: str) -> None:
    from tests.postgresql import emptied

    check(lambda: nullcontext(emptied(postgresql_database)))
