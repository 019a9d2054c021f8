"""A PostgreSQL server of the tests' own, which may be stopped and started."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.postgresql import ServerMissing

__all__ = ["PASSWORD", "QUOTED", "Server", "own_server"]

PASSWORD = "p@ss/wörd?#:%"
QUOTED = "p%40ss%2Fw%C3%B6rd%3F%23%3A%25"


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


@contextmanager
def own_server() -> Iterator[Server]:
    """A running server, stopped with the block.

    Raises:
        ServerMissing: This machine has no programs for one, or no user to run them.
    """
    found = shutil.which("initdb")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found and not places:
        raise ServerMissing("there is no initdb")
    programs = Path(found).parent if found else places[-1].parent
    user = None
    if os.getuid() == 0:  # the server refuses to run as root
        try:
            user = pwd.getpwnam("postgres").pw_name
        except KeyError as error:
            raise ServerMissing("the tests run as root, and there is no user postgres") from error
    with tempfile.TemporaryDirectory() as name:
        server = Server(programs, Path(name), user)
        server.create()
        try:
            yield server
        finally:
            server.stop("immediate")
