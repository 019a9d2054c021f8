"""The store that keeps values in memory, and stores of one's own."""

from __future__ import annotations

import pytest

from agent_runtime_framework.memory import InMemoryStore, MemoryStore


async def test_a_value_can_be_put_read_replaced_and_removed() -> None:
    store = InMemoryStore[dict[str, int]]()
    assert await store.get("cart") is None
    assert not await store.exists("cart")

    await store.set("cart", {"tea": 1})
    assert await store.get("cart") == {"tea": 1}
    assert await store.exists("cart")

    await store.set("cart", {"tea": 2})
    assert await store.get("cart") == {"tea": 2}

    await store.delete("cart")
    assert await store.get("cart") is None


async def test_removing_what_is_not_there_is_no_error() -> None:
    store = InMemoryStore[str]()

    await store.delete("nothing")

    assert not await store.exists("nothing")


async def test_clear_empties_the_store() -> None:
    store = InMemoryStore[str]()
    await store.set("one", "1")
    await store.set("two", "2")

    store.clear()

    assert len(store._data) == 0
    assert await store.get("one") is None


async def test_stores_share_nothing() -> None:
    await InMemoryStore[str]().set("one", "1")

    assert await InMemoryStore[str]().get("one") is None


def test_a_store_of_ones_own_has_to_define_all_three_operations() -> None:
    class Half(MemoryStore[str]):
        async def get(self, key: str) -> str | None:
            return None

    with pytest.raises(TypeError, match=r"delete.*set"):
        Half()  # type: ignore[abstract]
