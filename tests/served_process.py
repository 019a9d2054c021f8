"""Servers in processes of their own."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import until

__all__ = ["free_port", "served"]


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def served(
    command: Sequence[str], port: int, *, environment: dict[str, str], log: Path, folder: Path | None = None
) -> Iterator[tuple[int, str]]:
    """The process's id and address, as long as the block, from when it takes connections on the port.

    Raises:
        AssertionError: It has ended before; the text is its log.
    """
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out)

    def is_up() -> bool:
        assert process.poll() is None, log.read_text()
        with socket.socket() as there:
            return there.connect_ex(("127.0.0.1", port)) == 0

    try:
        until(is_up)
        yield process.pid, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(30)
