"""A store that was closed says so; one in memory has nothing to close."""

from __future__ import annotations

import pytest

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.stores import open_store

HELLO = {"role": "user", "content": "hello"}


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def url(request: pytest.FixtureRequest) -> str:
    return "sqlite://" if request.param == "sqlite" else str(request.getfixturevalue(f"{request.param}_url"))


@pytest.mark.parametrize("is_used", [True, False])
async def test_a_closed_store_says_that_it_is_closed(url: str, is_used: bool) -> None:
    store = open_store(url)
    if is_used:
        await store.commit("c", "agent", expected_version=0, messages=[HELLO])
    await store.close()

    for call in (
        store.load("c", "agent"),
        store.commit("c", "agent", expected_version=1, messages=[HELLO]),
        store.conversations(),
        store.info(),
    ):
        with pytest.raises(StoreUnavailable, match="is closed"):
            await call


async def test_what_is_in_memory_stays_when_it_is_closed() -> None:
    store = open_store("memory://")
    await store.commit("c", "agent", expected_version=0, messages=[HELLO])
    await store.close()

    assert await store.history("c") == [HELLO]
