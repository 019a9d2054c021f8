"""What was erased is in none of a SQLite store's files, also while others have them open."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.stores import SQLiteCheckpointStore

SECRET = "a very secret word"
KEPT = {"role": "user", "content": "a word that stays"}

Erasing = Callable[[SQLiteCheckpointStore], Awaitable[Any]]


def holders(folder: Path, text: str) -> list[str]:
    """Which files have the text in them."""
    return sorted(each.name for each in folder.iterdir() if text.encode() in each.read_bytes())


async def filled(store: SQLiteCheckpointStore) -> None:
    """Two conversations, one of which is to go; of the other stays the first message."""
    await store.commit("kept", "agent", expected_version=0, messages=[KEPT])
    for n in range(1, 30):
        message = {"role": "user", "content": f"{SECRET} {n}"}
        await store.commit("kept", "agent", expected_version=n, state={"said": SECRET}, messages=[message])
        await store.commit("gone", "agent", expected_version=n - 1, state={"said": SECRET}, messages=[message])


@pytest.fixture
async def stores(tmp_path: Path):
    """Two open stores of one file."""
    async with SQLiteCheckpointStore(tmp_path / "a.db") as store, SQLiteCheckpointStore(tmp_path / "a.db") as other:
        await filled(store)
        await other.info()
        yield store, other


async def erase(store: SQLiteCheckpointStore) -> None:
    """Take everything away that has the secret in it."""
    await store.rewind("kept", 1)
    await store.delete("gone")


async def test_what_was_erased_is_gone_from_the_log_while_others_have_the_file_open(
    stores: Any, tmp_path: Path
) -> None:
    store, other = stores
    assert "a.db-wal" in holders(tmp_path, SECRET)

    await erase(store)

    assert holders(tmp_path, SECRET) == []
    assert holders(tmp_path, KEPT["content"]) == ["a.db"]
    assert await other.history("kept") == [KEPT]


async def test_messages_that_were_deleted_are_gone_from_the_log(stores: Any, tmp_path: Path) -> None:
    store, _ = stores

    for name in ("kept", "gone"):
        await store.delete_messages(name)

    assert holders(tmp_path, f"{SECRET} 7") == []


async def test_what_a_reader_keeps_in_the_log_goes_with_the_next_call_after_it(stores: Any, tmp_path: Path) -> None:
    store, _ = stores
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT count(*) FROM messages").fetchall()

        await erase(store)  # waits for nobody

        assert reader.execute("SELECT count(*) FROM messages").fetchall() == before
        assert holders(tmp_path, SECRET) != []
        reader.execute("COMMIT")
        assert await store.history("kept") == [KEPT]
        assert holders(tmp_path, SECRET) == []
