"""A server of the tests' own: it is restarted in the middle, and it asks for passwords."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import Begun
from agent_runtime_core.stores.postgresql import PostgreSQLCheckpointStore, upgrade
from tests.postgresql import in_thread

PASSWORD = "p@ss/wörd?#:%"
QUOTED = "p%40ss%2Fw%C3%B6rd%3F%23%3A%25"

USER = {"role": "user", "content": "hello"}
REPLY = {"role": "assistant", "content": "good day"}


class Server:
    """A PostgreSQL server in a folder."""

    def __init__(self, programs: Path, folder: Path, user: str | None) -> None:
        self._programs = programs
        self._folder = folder
        self._user = user
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def url(self, password: str = QUOTED) -> str:
        return f"postgresql://ada:{password}@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        (self._folder / "password").write_text(PASSWORD)
        if self._user:
            for path in (self._folder, self._folder / "password"):
                shutil.chown(path, self._user)
        options = ["-U", "ada", "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"]
        self._call("initdb", *options, "--pwfile", str(self._folder / "password"))
        self.start()

    def start(self) -> None:
        settings = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self._call("pg_ctl", "start", "-w", "-l", str(self._folder / "log"), "-o", settings)

    def stop(self, mode: str = "fast") -> None:
        self._call("pg_ctl", "stop", "-w", "-m", mode)

    def _call(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", str(self._folder / "data"), *arguments]
        rights: dict[str, Any] = {"user": self._user, "group": self._user, "extra_groups": []} if self._user else {}
        subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL, cwd=self._folder, **rights)


@pytest.fixture(scope="module")
def server(service_missing: Callable[[str, str], None]) -> Iterator[Server]:
    """A running server with our tables, for the tests of this file."""
    found = shutil.which("initdb")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found and not places:
        service_missing("the programs of a PostgreSQL server", "there is no initdb")
    programs = Path(found).parent if found else places[-1].parent
    user = None
    if os.getuid() == 0:  # the server refuses to run as root
        try:
            user = pwd.getpwnam("postgres").pw_name
        except KeyError:
            service_missing("a user for a PostgreSQL server", "the tests run as root, and there is no user postgres")
    with tempfile.TemporaryDirectory() as name:
        server = Server(programs, Path(name), user)
        server.create()
        try:
            in_thread(upgrade(server.url()))
            yield server
        finally:
            server.stop("immediate")


async def test_a_wrong_password_is_named_and_not_shown(server: Server) -> None:
    async with PostgreSQLCheckpointStore(server.url("geheim")) as store:
        with pytest.raises(StoreUnavailable, match=r"refuses the password") as caught:
            await store.load("c", "agent")

    assert "geheim" not in str(caught.value) + repr(caught.value.__cause__)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_restart_in_the_middle_of_a_run(server: Server, mode: str) -> None:
    async with PostgreSQLCheckpointStore(server.url(), pool_size=2) as store:
        # Given: a run that has its message stored
        begun = await store.begin(
            mode, "agent", message=USER, message_id="m", remember=True, lease_seconds=600.0, max_messages=0
        )
        assert isinstance(begun, Begun)

        # When: the server stops
        await asyncio.to_thread(server.stop, mode)
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            await store.commit(mode, "agent", expected_version=1, messages=[REPLY], lease=begun.lease)

        # Then: as soon as it is back, the run goes on
        await asyncio.to_thread(server.start)
        assert (
            await store.commit(mode, "agent", expected_version=1, messages=[REPLY], lease=begun.lease, finish={}) == 2
        )
        assert await store.history(mode) == [USER, REPLY]


async def test_conversations_outlive_restarts(server: Server) -> None:
    is_up = asyncio.Event()
    is_up.set()
    async with PostgreSQLCheckpointStore(server.url(), pool_size=4) as store:

        async def persistent(call: Any) -> Any:
            while True:
                try:
                    return await call()
                except StoreUnavailable:
                    await is_up.wait()

        async def talk(name: str) -> None:
            for n in range(60):
                begun = await persistent(
                    lambda n=n: store.begin(
                        name, "agent", message={**USER, "n": n}, message_id=f"m{n}", remember=True, lease_seconds=600.0
                    )
                )
                assert isinstance(begun, Begun)
                version = begun.checkpoint.version
                await persistent(
                    lambda n=n, lease=begun.lease, version=version: store.commit(
                        name, "agent", expected_version=version, messages=[{**REPLY, "n": n}], lease=lease, finish={}
                    )
                )

        names = [f"c{n}" for n in range(4)]
        talking = asyncio.gather(*map(talk, names))
        for _ in range(3):
            is_up.clear()
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
            is_up.set()
        await talking

        for name in names:
            assert await store.history(name) == [{**message, "n": n} for n in range(60) for message in (USER, REPLY)]
