"""Reading some of the messages: the last ones with `load`, any stretch with `history`."""

from __future__ import annotations

from typing import Any

from agent_runtime_core.interfaces.checkpoint_store import CheckpointStore

__all__ = ["StoreWindows"]


def numbered(first: int, last: int) -> list[dict[str, Any]]:
    """Messages that say their position; `last` is included."""
    return [{"role": "user", "content": f"message {position}"} for position in range(first, last + 1)]


class StoreWindows:
    """The part of the contract about `max_messages`, `start` and `limit`."""

    async def test_messages_keep_their_order_over_many_commits(self, store: CheckpointStore) -> None:
        for first in range(0, 30, 3):
            await store.commit("c", "agent", expected_version=None, messages=numbered(first, first + 2))

        assert await store.history("c") == numbered(0, 29)
        assert (await store.load("c", "agent")).messages == numbered(0, 29)

    async def test_load_gives_the_last_messages_and_counts_all(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, state={"n": 1}, messages=numbered(0, 9))

        for asked, given in ((0, []), (1, numbered(9, 9)), (4, numbered(6, 9)), (10, numbered(0, 9))):
            checkpoint = await store.load("c", "agent", max_messages=asked)
            assert checkpoint.messages == given, f"max_messages={asked}"
            assert (checkpoint.version, checkpoint.state, checkpoint.message_count) == (1, {"n": 1}, 10)

    async def test_a_window_may_be_wider_than_the_conversation(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, messages=numbered(0, 2))

        for asked in (None, 4, 10**6, 10**30):
            assert (await store.load("c", "agent", max_messages=asked)).messages == numbered(0, 2)

    async def test_a_window_of_an_unknown_conversation_is_empty(self, store: CheckpointStore) -> None:
        assert (await store.load("nobody", "agent", max_messages=0)).messages == []
        assert (await store.load("nobody", "agent", max_messages=5)).messages == []
        assert await store.history("nobody", start=3, limit=2) == []

    async def test_history_reads_any_stretch(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, messages=numbered(0, 9))

        assert await store.history("c", start=0, limit=3) == numbered(0, 2)
        assert await store.history("c", start=4, limit=2) == numbered(4, 5)
        assert await store.history("c", start=7) == numbered(7, 9)
        assert await store.history("c", limit=0) == []
        assert await store.history("c", start=9, limit=1) == numbered(9, 9)

    async def test_history_ends_where_the_conversation_ends(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, messages=numbered(0, 9))

        assert await store.history("c", start=8, limit=10**30) == numbered(8, 9)
        assert await store.history("c", start=10) == []
        assert await store.history("c", start=10**30, limit=1) == []

    async def test_a_conversation_may_have_a_state_and_no_messages(self, store: CheckpointStore) -> None:
        await store.commit("c", "agent", expected_version=0, state={"n": 1})

        checkpoint = await store.load("c", "agent", max_messages=5)
        assert (checkpoint.messages, checkpoint.message_count) == ([], 0)
        assert await store.history("c") == []
