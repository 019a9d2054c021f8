"""Arguments that no store can mean anything by are refused alike by all."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agent_runtime_core.interfaces.checkpoint_store import CheckpointStore
from agent_runtime_core.stores import open_store


@pytest.fixture(params=["memory://", "sqlite://"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[CheckpointStore]:
    store = open_store(request.param)
    yield store
    await store.close()


async def test_ids_are_texts(store: CheckpointStore) -> None:
    wrong: Any = uuid.UUID(int=1)
    for call in (
        store.load(wrong, "agent"),
        store.load("c", wrong),
        store.commit(wrong, "agent", expected_version=0),
        store.history(wrong),
        store.delete_state("c", wrong),
        store.delete_messages(wrong),
        store.delete(wrong),
    ):
        with pytest.raises(TypeError, match=r"are texts, not UUID: give str\(UUID\('00000000"):
            await call


async def test_owners_are_texts(store: CheckpointStore) -> None:
    nobody: Any = None
    with pytest.raises(TypeError, match="owners are texts, not NoneType: where there is no owner, give the text ''"):
        await store.load("c", "agent", owner=nobody)


async def test_windows_are_no_negative_numbers(store: CheckpointStore) -> None:
    await store.commit("c", "agent", expected_version=0, messages=[{"role": "user"}])

    with pytest.raises(ValueError, match="max_messages is -1; give 0 or more"):
        await store.load("c", "agent", max_messages=-1)
    with pytest.raises(ValueError, match="start is -2; give 0 or more"):
        await store.history("c", start=-2)
    with pytest.raises(ValueError, match="limit is -3; give 0 or more"):
        await store.history("c", limit=-3)
