"""Event loops, threads and cancellation around a SQLite store; and what is left when it is closed or forgotten."""

from __future__ import annotations

import asyncio
import gc
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.stores import SQLiteCheckpointStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journeys.db"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process writes: commits have to wait."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


def store_threads(path: Path) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if str(path) in thread.name]


def names_beside(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


def test_event_loops_one_after_the_other_share_a_store(path: Path) -> None:
    store = SQLiteCheckpointStore(path)

    versions = [asyncio.run(store.commit("c", "agent", expected_version=None)) for _ in range(3)]

    assert versions == [1, 2, 3]
    asyncio.run(store.close())


def test_event_loops_at_the_same_time_share_a_store(path: Path) -> None:
    # Given: threads with an event loop each, which all append to one conversation
    store = SQLiteCheckpointStore(path)
    found: list[int] = []

    async def append() -> None:
        for _ in range(10):
            found.extend(await asyncio.gather(*(store.commit("c", "agent", expected_version=None) for _ in range(5))))

    threads = [threading.Thread(target=asyncio.run, args=(append(),)) for _ in range(4)]

    # When
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Then
    assert sorted(found) == list(range(1, 201))
    asyncio.run(store.close())


async def test_commits_that_are_cancelled_while_they_wait_leave_the_store_sound(path: Path) -> None:
    async with SQLiteCheckpointStore(path) as store:
        await store.commit("c", "agent", expected_version=0)

        # Given: commits that wait for another process
        with locked(path):
            tasks = [
                asyncio.create_task(
                    store.commit("c", "agent", expected_version=None, messages=[{"role": "user", "n": n}])
                )
                for n in range(20)
            ]
            await asyncio.sleep(0)

            # When: every second one is cancelled
            for task in tasks[::2]:
                task.cancel()
            await asyncio.wait(tasks[::2])

        # Then: the others are all there, and of the cancelled ones those that were on their way already
        await asyncio.gather(*tasks[1::2])
        found = [message["n"] for message in await store.history("c")]
        assert found == sorted(found)
        assert set(range(1, 20, 2)) <= set(found)
        assert (await store.load("c", "agent")).version == 1 + len(found)


def test_a_loop_that_is_closed_before_its_answer_comes_does_no_harm(path: Path) -> None:
    store = SQLiteCheckpointStore(path)
    asyncio.run(store.commit("c", "agent", expected_version=0))

    # Given: a loop that goes away while its commit waits for another process
    with locked(path):
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda loop, context: None)  # it would tell of the task that is left
        task = loop.create_task(store.commit("c", "agent", expected_version=1, state={"n": 1}))
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    # When: another one comes
    checkpoint = asyncio.run(store.load("c", "agent"))

    # Then: the commit was made, and nobody was there to be told
    assert (checkpoint.version, checkpoint.state) == (2, {"n": 1})
    assert not task.done()
    asyncio.run(store.close())


async def test_closing_ends_the_thread_and_leaves_one_file(path: Path) -> None:
    store = SQLiteCheckpointStore(path)
    await store.commit("c", "agent", expected_version=0)
    assert len(store_threads(path)) == 1

    await store.close()

    assert store_threads(path) == []
    assert names_beside(path) == ["journeys.db"]


async def test_closing_does_what_is_queued_first(path: Path) -> None:
    store = SQLiteCheckpointStore(path)
    commits = [asyncio.create_task(store.commit("c", "agent", expected_version=None)) for _ in range(5)]
    await asyncio.sleep(0)

    await store.close()

    assert await asyncio.gather(*commits) == [1, 2, 3, 4, 5]


async def test_a_closed_store_says_so(path: Path) -> None:
    store = SQLiteCheckpointStore(path)
    await store.commit("c", "agent", expected_version=0)
    await store.close()

    for call in (
        store.load("c", "agent"),
        store.commit("c", "agent", expected_version=1),
        store.history("c"),
        store.delete_state("c", "agent"),
        store.delete_messages("c"),
        store.delete("c"),
    ):
        with pytest.raises(StoreUnavailable, match=r"is closed; make a new SQLiteCheckpointStore"):
            await call


async def test_a_store_that_was_never_used_is_closed_without_a_trace(path: Path) -> None:
    store = SQLiteCheckpointStore(path)

    await store.close()

    assert names_beside(path) == []
    with pytest.raises(StoreUnavailable, match="is closed"):
        await store.load("c", "agent")


def test_a_forgotten_store_ends_its_thread_and_closes_its_file(path: Path) -> None:
    store = SQLiteCheckpointStore(path)
    asyncio.run(store.commit("c", "agent", expected_version=0))

    del store
    gc.collect()

    assert store_threads(path) == []
    assert names_beside(path) == ["journeys.db"]


async def test_a_store_that_is_forgotten_while_a_loop_runs_does_not_hold_it_up(path: Path) -> None:
    store = SQLiteCheckpointStore(path)
    await store.commit("c", "agent", expected_version=0)
    (thread,) = store_threads(path)

    with locked(path):
        waiting = asyncio.create_task(store.commit("c", "agent", expected_version=1))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        del store, waiting
        gc.collect()

    await asyncio.to_thread(thread.join)
    assert store_threads(path) == []


@pytest.mark.parametrize("ending", ["pass", "sys.exit(3)", "raise KeyboardInterrupt"])
def test_a_process_that_ends_without_closing_leaves_one_file_and_no_words(path: Path, ending: str) -> None:
    program = f"""
import asyncio, sys
from agent_runtime_core.stores import SQLiteCheckpointStore
store = SQLiteCheckpointStore(sys.argv[1])
async def main():
    await store.commit("c", "agent", expected_version=0)
    try:
        {ending}
    except KeyboardInterrupt:
        sys.exit(3)
asyncio.run(main())
"""

    finished = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", program, str(path)], capture_output=True, text=True
    )

    assert finished.stderr == ""
    assert names_beside(path) == ["journeys.db"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_store_in_a_forked_process_says_so(path: Path) -> None:
    program = """
import asyncio, os, sys
from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.stores import SQLiteCheckpointStore
store = SQLiteCheckpointStore(sys.argv[1])
asyncio.run(store.commit("c", "agent", expected_version=0))
child = os.fork()
if child == 0:
    try:
        asyncio.run(store.load("c", "agent"))
    except StoreUnavailable as error:
        print(error, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(asyncio.run(store.load("c", "agent")).version)
"""

    finished = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)

    said, version = finished.stdout.splitlines()
    assert "is gone, as after os.fork(); make a SQLiteCheckpointStore in each process" in said
    assert version == "1"
