"""A SQLite file that may only be read, and a disk that is full: reading goes on, nothing is lost, and it is said."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import Begun
from agent_runtime_core.stores import SQLiteCheckpointStore

READ_AND_WRITE = """
import asyncio, concurrent.futures.thread, os, sqlite3, sys
from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import Checkpoint
from agent_runtime_core.stores import SQLiteCheckpointStore

async def main():
    async with SQLiteCheckpointStore(sys.argv[1]) as store:
        if os.geteuid() == 0:
            os.seteuid(65534)  # root may do everything; nobody may not
        print([(await store.load("c", "agent")).version, len(await store.history("c"))])
        for attempt in range(2):
            try:
                await store.begin("c", "agent", message={}, message_id="1", remember=True, lease_seconds=60)
            except StoreUnavailable as error:
                print(error)
        print([(await store.load("c", "agent")).version, len(await store.history("c"))])

# Nobody may not read the standard library either, perhaps: what is needed later has been imported above.
asyncio.run(main())
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that every user may enter, which the test directories of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="store-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize(
    ("mode", "is_open"),
    [
        pytest.param(0o777, False, id="a file that may not be written to"),
        pytest.param(0o555, False, id="a directory that may not be written to"),
        pytest.param(0o555, True, id="a directory that may not be written to, while another process writes"),
    ],
)
def test_what_may_not_be_written_can_be_read(directory: Path, mode: int, is_open: bool) -> None:
    # Given
    path = directory / "journeys.db"
    path.touch(mode=0o644)
    with asyncio.Runner() as runner:
        store = SQLiteCheckpointStore(path)
        runner.run(store.commit("c", "agent", expected_version=0, messages=[{"role": "user"}]))
        if not is_open:
            runner.run(store.close())
        directory.chmod(mode)
        before = path.read_bytes()

        # When: a process looks that has no rights of its own there
        finished = subprocess.run([sys.executable, "-c", READ_AND_WRITE, str(path)], capture_output=True, text=True)
        assert path.read_bytes() == before
        runner.run(store.close())

    # Then
    assert finished.returncode == 0, finished.stderr
    found, first, second, found_again = finished.stdout.splitlines()
    assert found == found_again == "[1, 1]"
    for refusal in (first, second):
        assert f"{path} cannot be written (" in refusal
        assert "give this process permission to write to the file and to its directory. Nothing was written." in refusal


READ_WHEN_ASKED = """
import asyncio, concurrent.futures.thread, os, sqlite3, sys
from agent_runtime_core.interfaces import Checkpoint
from agent_runtime_core.stores import SQLiteCheckpointStore

async def main():
    async with SQLiteCheckpointStore(sys.argv[1]) as store:
        if os.geteuid() == 0:
            os.seteuid(65534)
        for line in sys.stdin:
            print((await store.load("c", "agent")).version, flush=True)

asyncio.run(main())
"""


def test_a_file_that_may_only_be_read_shows_what_others_have_written_since(directory: Path) -> None:
    async def commit() -> None:
        async with SQLiteCheckpointStore(path) as store:
            await store.commit("c", "agent", expected_version=None)

    # Given: a process that reads when it is asked to, in a directory that it may not write to
    path = directory / "journeys.db"
    path.touch(mode=0o644)
    command = [sys.executable, "-c", READ_WHEN_ASKED, str(path)]
    found = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(3):
            # When: the file is written to in between
            asyncio.run(commit())
            process.stdin.write("look\n")
            process.stdin.flush()
            found.append(process.stdout.readline())
        process.stdin.close()

    # Then
    assert found == ["1\n", "2\n", "3\n"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


async def test_a_full_disk_loses_nothing_says_so_and_is_left_behind(small_disk: Path) -> None:
    # Given: something that takes up room, and a conversation that grows until there is none
    filler = small_disk / "filler"
    filler.write_bytes(bytes(200_000))
    path = small_disk / "journeys.db"
    message = {"role": "user", "content": "x" * 2000}
    version = 0

    async def run() -> int:
        begun = await store.begin("c", "agent", message=message, message_id="m", remember=False, lease_seconds=60)
        assert isinstance(begun, Begun)
        return await store.commit("c", "agent", expected_version=None, state={}, lease=begun.lease, finish={})

    async with SQLiteCheckpointStore(path) as store:
        refusal = None
        while refusal is None:
            try:
                version = await run()
            except StoreUnavailable as error:
                refusal = str(error)

        # Then
        assert "its disk is full: make room" in refusal
        assert "Nothing was written." in refusal
        before = await store.load("c", "agent")
        assert version <= before.version <= version + 1
        assert version > 50
        with pytest.raises(StoreUnavailable, match="its disk is full"):
            await store.commit("c", "agent", expected_version=None, messages=[message] * 100)
        assert await store.load("c", "agent") == before

        # When: there is room again
        filler.unlink()

        # Then
        assert await store.commit("c", "agent", expected_version=None, messages=[message]) == before.version + 1
    async with SQLiteCheckpointStore(path) as store:
        after = await store.load("c", "agent")
        assert after.messages == [*before.messages, message]
        assert after.state == before.state
