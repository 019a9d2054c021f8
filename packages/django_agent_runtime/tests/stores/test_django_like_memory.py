"""Any order of calls gives in Django's database what it gives on a plain model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from django_agent_runtime.stores import DjangoCheckpointStore
from tests.django_project.project import emptied
from tests.store_machine import check


@pytest.mark.timeout(600)  # it tries hundreds of calls, and empties a database for each order of them
def test_memory_and_django_are_like_the_model(alias: str) -> None:
    @contextmanager
    def empty_store() -> Iterator[DjangoCheckpointStore]:
        emptied(alias)
        yield DjangoCheckpointStore(alias)

    check(empty_store)
