"""A model server that is none of ours: it speaks OpenAI's and Anthropic's protocols, offline, from fixtures."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["ServerMissing", "installed_server", "running_server"]

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".venv" / "aimock"
PACKAGE = Path("node_modules/@copilotkit/aimock")
START_S = 20.0
INSTALL_S = 90.0


class ServerMissing(Exception):
    """The server cannot be installed or started here; the text says why."""


def installed_server() -> Path:
    """The program, installed on first use.

    Raises:
        ServerMissing: There is no Node.js, or the package cannot be fetched.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise ServerMissing("node and npm are not installed")
    wanted = (HERE / "package.json").read_text()
    have = CACHE / "package.json"
    if not have.exists() or have.read_text() != wanted:
        _install(wanted)
    return CACHE / PACKAGE / "dist" / "cli.js"


def _install(wanted: str) -> None:
    """Into a folder beside the cache, which then takes its place: another process may be doing the same."""
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE.parent, prefix="aimock-") as folder:
        target = Path(folder) / "new"
        target.mkdir()
        (target / "package.json").write_text(wanted)
        command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            done = subprocess.run(command, cwd=target, capture_output=True, text=True, timeout=INSTALL_S)
        except subprocess.TimeoutExpired:
            raise ServerMissing(f"npm install took longer than {INSTALL_S:g} s") from None
        if done.returncode:
            raise ServerMissing(f"npm install failed: {done.stderr.strip()[-300:]}")
        if CACHE.exists():
            CACHE.rename(Path(folder) / "old")
        try:
            target.rename(CACHE)
        except OSError:
            if not (CACHE / PACKAGE).exists():  # else somebody else was faster
                raise


@contextmanager
def running_server(*options: str, fixtures: Path = HERE / "fixtures") -> Iterator[str]:
    """The address of a running server, without a path; it is stopped at the end of the block.

    Args:
        options: Further options of its command line, as in `("--chaos-ratelimit", "0.5")`.
        fixtures: A file or folder of fixtures.

    Raises:
        ServerMissing: It cannot be installed or started here.
    """
    program = installed_server()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Pieces of 8 characters, and a little time between them: a cut stream has begun when it is cut.
    behaviour = ["--strict", "--latency", "2", "--chunk-size", "8", "--log-level", "silent"]
    command = ["node", str(program), "--port", str(port), "--fixtures", str(fixtures), *behaviour, *options]
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    last = time.monotonic() + START_S
    while time.monotonic() < last and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise ServerMissing(f"the server did not start within {START_S:g} s (exit code {process.poll()})")
