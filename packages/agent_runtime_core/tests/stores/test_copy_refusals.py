"""A copy or a way back that is refused is refused in words of its own, on every store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from agent_runtime_core.errors import StoreConflict, VersionNotFound
from agent_runtime_core.interfaces.checkpoint_store import CheckpointStore
from agent_runtime_core.stores import open_store


@pytest.fixture(params=["memory://", "sqlite://", "postgresql_url", "redis_url"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[CheckpointStore]:
    url = request.param if "://" in request.param else request.getfixturevalue(request.param)
    store = open_store(url)
    await store.commit("c", "agent", expected_version=0, state={"n": 1}, owner="ada")
    yield store
    await store.close()


async def test_a_copy_does_not_take_an_id_that_is_taken(store: CheckpointStore) -> None:
    with pytest.raises(StoreConflict) as caught:
        await store.fork("c", "c", owner="ada")

    assert str(caught.value) == "there is a conversation 'c' already. Nothing was copied; give the copy another id."
    assert (caught.value.key, caught.value.found_version) == ("c", 1)


async def test_an_unknown_conversation_is_not_told_as_an_unknown_version(store: CheckpointStore) -> None:
    for call in (store.rewind("c", 1), store.fork("c", "new"), store.fork("c", "new", version=1)):  # another owner's
        with pytest.raises(VersionNotFound, match="there is no conversation 'c' of this owner") as caught:
            await call
        assert not caught.value.has_conversation

    for call in (store.rewind("c", 7, owner="ada"), store.fork("c", "new", version=7, owner="ada")):
        with pytest.raises(VersionNotFound, match="has no version 7 that could be gone back to") as caught:
            await call
        assert caught.value.has_conversation
