"""What happens when the file is not what a SQLite store hopes for: a clear error, and nothing is touched."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import Checkpoint
from agent_runtime_core.stores import SQLiteCheckpointStore


def contents(directory: Path) -> dict[str, str]:
    """Names and digests of the files."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir() if path.is_file()}


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def refusal(path: Path | str) -> str:
    """What the store says when it cannot be read; it cannot be written for the same reason."""
    async with SQLiteCheckpointStore(path) as store:
        with pytest.raises(StoreUnavailable) as reading:
            await store.load("c", "agent")
        with pytest.raises(StoreUnavailable) as writing:
            await store.commit("c", "agent", expected_version=None, messages=[{"role": "user"}])
    assert str(reading.value) == str(writing.value)
    assert reading.value.key == str(path)
    assert str(path) in str(reading.value)
    return str(reading.value)


async def test_a_file_that_is_no_sqlite_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Dear diary, " * 1000)
    before = contents(tmp_path)

    said = await refusal(tmp_path / "notes.txt")

    assert "is not a SQLite file: give the path of another file" in said
    assert contents(tmp_path) == before


@pytest.mark.parametrize("journal", ["delete", "wal"])
async def test_a_file_of_another_program_is_left_alone(tmp_path: Path, journal: str) -> None:
    # Given: another program's database
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection, connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("CREATE TABLE orders (id)")
    before = contents(tmp_path)

    # When
    said = await refusal(tmp_path / "shop.db")

    # Then
    assert "is a SQLite file of another program, and was left as it is" in said
    assert contents(tmp_path) == before


async def test_a_file_that_another_program_has_open_is_left_alone(tmp_path: Path) -> None:
    # Given: a database whose only table is still in its log
    with closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE orders (id)")
        before = contents(tmp_path)

        # When
        said = await refusal(tmp_path / "shop.db")

        # Then
        assert "is a SQLite file of another program" in said
        after = contents(tmp_path)
        assert [after[name] for name in ("shop.db", "shop.db-wal")] == [
            before[name] for name in ("shop.db", "shop.db-wal")
        ]


async def test_a_marked_file_without_tables_belongs_to_another_program(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("PRAGMA application_id = 7")

    assert "is a SQLite file of another program" in await refusal(tmp_path / "other.db")


async def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    # Given
    path = tmp_path / "journeys.db"
    async with SQLiteCheckpointStore(path) as store:
        await store.commit("c", "agent", expected_version=0)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")
    before = contents(tmp_path)

    # When
    said = await refusal(path)

    # Then
    assert "has schema version 7, this agent_runtime_core knows version 2: upgrade agent_runtime_core" in said
    assert contents(tmp_path) == before


async def test_an_empty_file_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "journeys.db"
    path.touch()

    async with SQLiteCheckpointStore(path) as store:
        assert await store.commit("c", "agent", expected_version=0) == 1


async def test_an_empty_database_is_taken(tmp_path: Path) -> None:
    # Given: what a process leaves that dies while it creates the file
    path = tmp_path / "journeys.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = wal")

    async with SQLiteCheckpointStore(path) as store:
        assert await store.commit("c", "agent", expected_version=0) == 1


async def test_a_missing_directory_is_named_and_not_created(tmp_path: Path) -> None:
    said = await refusal(tmp_path / "data" / "journeys.db")

    assert f"the directory {tmp_path / 'data'} does not exist. Create it first." in said
    assert names_in(tmp_path) == []


async def test_a_directory_is_no_file(tmp_path: Path) -> None:
    assert "is a directory: give the path of a file" in await refusal(tmp_path)


async def test_a_device_is_no_file() -> None:
    assert "is no regular file" in await refusal("/dev/null")


async def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    said = await refusal(tmp_path / "file" / "journeys.db")

    assert f"Not a directory. Check that {tmp_path / 'file'} is a directory" in said


async def test_a_link_that_leads_to_itself_is_explained(tmp_path: Path) -> None:
    (tmp_path / "loop.db").symlink_to(tmp_path / "loop.db")

    assert "Too many levels of symbolic links" in await refusal(tmp_path / "loop.db")


async def test_a_name_that_the_file_system_does_not_take_is_explained(tmp_path: Path) -> None:
    assert "File name too long" in await refusal(tmp_path / ("x" * 300))


async def test_a_file_that_came_right_is_used(tmp_path: Path) -> None:
    # Given: a store that could not be opened
    async with SQLiteCheckpointStore(tmp_path / "data" / "journeys.db") as store:
        with pytest.raises(StoreUnavailable):
            await store.load("c", "agent")

        # When: its directory is created
        (tmp_path / "data").mkdir()

        # Then
        assert await store.commit("c", "agent", expected_version=0) == 1


async def test_conversations_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    def modes() -> dict[str, str]:
        return {path.name: stat.filemode(path.stat().st_mode) for path in tmp_path.iterdir()}

    umask = os.umask(0)
    try:
        async with SQLiteCheckpointStore(tmp_path / "journeys.db") as store:
            await store.commit("c", "agent", expected_version=0)
            private = "-rw-------"
            assert modes() == {"journeys.db": private, "journeys.db-wal": private, "journeys.db-shm": private}
    finally:
        os.umask(umask)


async def test_the_rights_of_a_file_that_was_there_stay(tmp_path: Path) -> None:
    path = tmp_path / "journeys.db"
    path.touch(mode=0o640)

    async with SQLiteCheckpointStore(path) as store:
        await store.commit("c", "agent", expected_version=0)

    assert stat.filemode(path.stat().st_mode) == "-rw-r-----"


async def test_a_link_leads_to_the_file(tmp_path: Path) -> None:
    # Given: a link to a file that is not there yet
    (tmp_path / "volume").mkdir()
    (tmp_path / "journeys.db").symlink_to(tmp_path / "volume" / "real.db")

    # When
    async with SQLiteCheckpointStore(tmp_path / "journeys.db") as store:
        await store.commit("c", "agent", expected_version=0)

    # Then
    assert names_in(tmp_path) == ["journeys.db", "volume"]
    assert names_in(tmp_path / "volume") == ["real.db"]


async def test_a_locked_file_is_waited_for_no_longer_than_asked(tmp_path: Path) -> None:
    path = tmp_path / "journeys.db"
    async with SQLiteCheckpointStore(path, busy_timeout_ms=1) as store:
        await store.commit("c", "agent", expected_version=0, state={"n": 1})

        # Given: another process that writes
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")

            # When
            with pytest.raises(StoreUnavailable) as caught:
                await store.commit("c", "agent", expected_version=1, state={"n": 2})

            # Then: readers do not wait
            assert "was locked by another process for more than 1 ms: try again" in str(caught.value)
            assert (await store.load("c", "agent")).state == {"n": 1}

        # And: the store goes on
        assert await store.commit("c", "agent", expected_version=1, state={"n": 2}) == 2


async def test_a_new_file_that_is_locked_is_not_waited_for_either(tmp_path: Path) -> None:
    path = tmp_path / "journeys.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        async with SQLiteCheckpointStore(path, busy_timeout_ms=1) as store:
            with pytest.raises(StoreUnavailable, match="was locked by another process"):
                await store.load("c", "agent")
            connection.execute("COMMIT")
            assert await store.commit("c", "agent", expected_version=0) == 1


async def test_a_new_file_is_taken_while_another_program_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "journeys.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM sqlite_master").fetchall()

        # Given: a store that may not wait gives up
        async with SQLiteCheckpointStore(path, busy_timeout_ms=1) as store:
            with pytest.raises(StoreUnavailable, match="was locked by another process"):
                await store.load("c", "agent")

        # When: one that may wait finds the file, and its reader leaves
        async with SQLiteCheckpointStore(path, busy_timeout_ms=60_000) as store:
            commit = asyncio.create_task(store.commit("c", "agent", expected_version=0))
            await asyncio.sleep(0)
            connection.execute("COMMIT")

            # Then
            assert await commit == 1


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user may enter, which the test directories of pytest are not."""
    directory = Path(tempfile.mkdtemp(prefix="store-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


LOAD_AND_COMMIT = """
import asyncio, concurrent.futures.thread, os, sqlite3, sys
from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import Checkpoint
from agent_runtime_core.stores import SQLiteCheckpointStore

async def main():
    async with SQLiteCheckpointStore(sys.argv[1]) as store:
        if os.geteuid() == 0:
            os.seteuid(65534)  # root may do everything; nobody may not
        try:
            print((await store.load("c", "agent")).version)
        except StoreUnavailable as error:
            print("load:", error)
        try:
            await store.commit("c", "agent", expected_version=None)
        except StoreUnavailable as error:
            print("commit:", error)

# Nobody may not read the standard library either, perhaps: what is needed later has been imported above.
asyncio.run(main())
"""


def said_by_nobody(path: Path) -> list[str]:
    """What a process says that has no rights of its own in the directory."""
    finished = subprocess.run([sys.executable, "-c", LOAD_AND_COMMIT, str(path)], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.splitlines()


def test_a_directory_without_write_permission_is_explained(open_directory: Path) -> None:
    open_directory.chmod(0o555)
    path = open_directory / "journeys.db"

    said = said_by_nobody(path)

    reason = (
        f"cannot create {path}: Permission denied. Check that {open_directory} is a directory in which this process"
    )
    assert [line.startswith((f"load: {reason}", f"commit: {reason}")) for line in said] == [True, True]
    assert names_in(open_directory) == []


def test_a_full_disk_is_explained_and_the_file_stays_sound(tmp_path: Path) -> None:
    # Given: a process whose files may not grow beyond 200 kB
    program = """
import asyncio, resource, signal, sys
from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import Checkpoint
from agent_runtime_core.stores import SQLiteCheckpointStore

async def main():
    store = SQLiteCheckpointStore(sys.argv[1])
    version = 0
    try:
        while True:
            message = {"role": "user", "n": version}
            version = await store.commit("c", "agent", expected_version=version, state=message, messages=[message])
    except StoreUnavailable as error:
        print(version, error)
    print((await store.load("c", "agent")).version)

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
asyncio.run(main())
"""
    path = tmp_path / "journeys.db"

    # When
    finished = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)

    # Then: the process could still read what it had committed
    error, found = finished.stdout.splitlines()
    version = int(error.split()[0])
    assert "failed on its disk" in error or "its disk is full" in error
    assert int(found) == version > 1
    # And: so can the next one
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT version, message_count FROM conversations").fetchall() == [(version, version)]


def test_the_file_can_be_read_with_a_sqlite_shell(tmp_path: Path) -> None:
    async def talk() -> None:
        async with SQLiteCheckpointStore(tmp_path / "journeys.db") as store:
            await store.commit("a", "agent", expected_version=0, messages=[{"role": "user", "content": "hi"}])
            await store.commit("b", "agent", expected_version=0, messages=[{"role": "user", "content": "ho"}])
            await store.commit("a", "agent", expected_version=1, messages=[{"role": "assistant", "content": "é"}])

    asyncio.run(talk())

    with closing(sqlite3.connect(tmp_path / "journeys.db")) as connection:
        rows = connection.execute("SELECT * FROM history WHERE conversation_id = 'a'").fetchall()
    assert rows == [("", "a", 0, '{"role":"user","content":"hi"}'), ("", "a", 1, '{"role":"assistant","content":"é"}')]


async def test_a_file_that_is_deleted_while_it_is_open_is_noticed_before_anything_is_lost_in_it(tmp_path):
    # Given
    path = tmp_path / "journeys.db"
    async with SQLiteCheckpointStore(path) as store:
        await store.commit("c", "a", expected_version=0, state={"step": 1})
        for each in tmp_path.iterdir():
            each.unlink()

        # When
        with pytest.raises(StoreUnavailable, match=r"journeys\.db was deleted or replaced.*Nothing was written"):
            await store.commit("c", "a", expected_version=1, state={"step": 2})

        # Then: the store goes on with a new file
        assert await store.load("c", "a") == Checkpoint()
        assert await store.commit("c", "a", expected_version=0, state={"step": 1}) == 1
    assert path.exists()
