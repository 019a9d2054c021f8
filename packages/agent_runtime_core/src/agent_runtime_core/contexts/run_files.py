"""The two files of a run: its last state, replaced as a whole, and its events, one per line."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PureWindowsPath
from typing import Any

from agent_runtime_core.errors import ConfigError, StoreUnavailable
from agent_runtime_core.stores.json_data import decoded, encoded

__all__ = ["RunFiles", "event_line"]

_MAX_NAME_BYTES = 200
"""With what we append, below the 255 bytes that file systems allow."""


class RunFiles:
    """Reads and writes the files of one run. Its methods block: call them on a thread.

    Args:
        directory: Where the files are; it is made with the first write at the latest.
        run_id: The run, which names the files.

    Raises:
        ConfigError: The id cannot be a file's name.
    """

    def __init__(self, directory: str | os.PathLike[str], run_id: object) -> None:
        name = _file_name(run_id)
        self._run_id = name
        self._directory = Path(directory)
        self._temporary = f".{name}.tmp"  # behind a dot and letters at random: no run's id begins with a dot
        self._lock = threading.Lock()
        self.checkpoint_path = self._directory / f"{name}.json"
        self.events_path = self._directory / f"{name}_events.jsonl"

    def make_directory(self) -> None:
        """Make the directory, with those above it, unless it is there.

        Raises:
            StoreUnavailable: It cannot be made.
        """
        with _explained(self._directory, "made"):
            self._directory.mkdir(parents=True, exist_ok=True)

    def write_state(self, state: dict[str, Any]) -> None:
        """Replace the state. Whoever reads meanwhile, or after a crash, gets the old one or the new one.

        Raises:
            TypeError: The state is no dict of JSON data. Nothing was written.
            StoreUnavailable: The file cannot be written. The old one is still there.
        """
        body = {"run_id": self._run_id, "state": state, "updated_at": datetime.now(UTC).isoformat()}
        text = _encoded(body)
        with self._lock, _explained(self.checkpoint_path, "written"):
            self._directory.mkdir(parents=True, exist_ok=True)
            # mkstemp: readable by its owner only, and no other writer has the same name.
            handle, temporary = tempfile.mkstemp(prefix=".", suffix=self._temporary, dir=self._directory)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())  # else a power cut could leave the new name on an empty file
                os.replace(temporary, self.checkpoint_path)
                self._sync_directory()
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise

    def _sync_directory(self) -> None:
        """Else a power cut could bring the old file back. Windows opens no directories, and has no need."""
        if os.name == "nt":
            return
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            with contextlib.suppress(OSError):  # some network file systems cannot; the new state is in place
                os.fsync(directory)
        finally:
            os.close(directory)

    def read_state(self) -> dict[str, Any] | None:
        """The state, or None when none was written.

        Raises:
            StoreUnavailable: The file cannot be read, or is no checkpoint of this run.
        """
        with self._lock, _explained(self.checkpoint_path, "read"):
            try:
                data = self.checkpoint_path.read_bytes()
            except FileNotFoundError:
                return None
        try:
            body = decoded(data)
        except ValueError as error:
            raise self._corrupt(f"it is not JSON ({error})") from error
        if not isinstance(body, dict) or not isinstance(body.get("state"), dict):
            raise self._corrupt("it has no `state` that is an object")
        if body.get("run_id") != self._run_id:
            raise self._corrupt(f"it belongs to the run {body.get('run_id')!r}")
        state: dict[str, Any] = body["state"]
        return state

    def append_event(self, line: str) -> None:
        """Add the line of one event, from `event_line`.

        Raises:
            StoreUnavailable: The file cannot be written.
        """
        line += "\n"
        with self._lock, _explained(self.events_path, "written"):
            self._directory.mkdir(parents=True, exist_ok=True)
            with open(self.events_path, "ab", opener=_private) as file:
                if file.tell() and not self._ends_with_newline():
                    line = "\n" + line  # a crash has cut the last line; the new one must not be lost with it
                file.write(line.encode())

    def _ends_with_newline(self) -> bool:
        with open(self.events_path, "rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def read_events(self) -> list[dict[str, Any]]:
        """All events, in order. A line that a crash has cut short is left out.

        Raises:
            StoreUnavailable: The file cannot be read.
        """
        with self._lock, _explained(self.events_path, "read"):
            try:
                data = self.events_path.read_bytes()
            except FileNotFoundError:
                return []
        events = []
        for line in data.split(b"\n"):
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict):
                    events.append(event)
        return events

    def remove(self) -> None:
        """Remove both files, and what a crash may have left beside them; one that is not there is not missed.

        Raises:
            StoreUnavailable: A file cannot be removed.
        """
        with self._lock, _explained(self._directory, "read"):
            left = [path for path in self._directory.glob(".*.tmp") if self._is_temporary(path.name)]
        for path in (self.checkpoint_path, self.events_path, *left):
            with self._lock, _explained(path, "removed"):
                path.unlink(missing_ok=True)

    def _is_temporary(self, name: str) -> bool:
        _, _, rest = name.removeprefix(".").partition(".")
        return f".{rest}" == self._temporary

    def _corrupt(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"{self.checkpoint_path} is no checkpoint of the run {self._run_id!r}: {reason}. It was left as it is; "
            f"mend it, or remove it to begin the run anew.",
            key=str(self.checkpoint_path),
        )


def event_line(event: dict[str, Any]) -> str:
    """The event as one line of JSON.

    What is not JSON in its payload becomes text; a payload that cannot be written even so (it contains itself, or a
    number that is none, or a value that cannot say what it is) becomes `{"not_json": reason}`.
    """
    try:
        return json.dumps(event, default=str, skipkeys=True, allow_nan=False)
    except Exception as error:  # a value's own `__str__` may raise anything
        return json.dumps({**event, "payload": {"not_json": f"{type(error).__name__} while it was written"}})


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # conversations are private


def _encoded(body: dict[str, Any]) -> bytes:
    text = encoded(body, "the checkpoint")
    return text.encode() if isinstance(text, str) else text


@contextlib.contextmanager
def _explained(path: Path, done: str) -> Iterator[None]:
    """Say which file it was when the system refuses."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(
            f"{path} cannot be {done}: {error.strerror or error}. Check the directory and its permissions.",
            key=str(path),
        ) from error


def _file_name(run_id: object) -> str:
    name = str(run_id)
    if (
        not name
        or name.startswith(".")
        or PureWindowsPath(name).drive
        or any(sign in "/\\" or not sign.isprintable() for sign in name)
    ):
        raise ConfigError(
            f"run_id {name!r} cannot name a file: give a UUID, or a text without path separators and control "
            f"characters that does not begin with a dot or the name of a drive."
        )
    if len(name.encode("utf-8", "surrogatepass")) > _MAX_NAME_BYTES:
        raise ConfigError(f"run_id {name[:40]!r}... cannot name a file: it is longer than {_MAX_NAME_BYTES} bytes.")
    return name
