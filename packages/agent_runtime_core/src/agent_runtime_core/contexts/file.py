"""A run whose events and state are in files, and survive the process."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, Unpack
from uuid import UUID

from agent_runtime_core.contexts.local import LocalRunContext, RunOptions
from agent_runtime_core.contexts.run_files import RunFiles, event_line
from agent_runtime_core.stores.json_data import check_json_object, checked_copy
from agent_runtime_core.waiting import done_in_thread

__all__ = ["FileRunContext"]


class FileRunContext(LocalRunContext):
    """A run in two files, `<run_id>.json` (the last state) and `<run_id>_events.jsonl` (one event per line).

    A context that is made later with the same `run_id`, here or in another process, goes on from the last state. A
    state is replaced as a whole: a crash leaves the old one or the new one. Two processes must not work on one run
    at the same time: the one that writes last wins. Files are written on a thread.

    Args:
        run_id: Names the run and its files: a UUID, or a text without path separators. A new UUID when None.
        checkpoint_dir: Where the files are. It is made now, with the directories above it; where an event loop is
            running, which must not wait for a disk, with the first write.
        **options: What else the run gets, as in `RunOptions`.

    Raises:
        ConfigError: The id cannot be a file's name.
        StoreUnavailable: The directory cannot be made.
    """

    def __init__(
        self,
        run_id: UUID | str | None = None,
        *,
        checkpoint_dir: str | os.PathLike[str] = "./checkpoints",
        **options: Unpack[RunOptions],
    ) -> None:
        super().__init__(run_id, **options)
        self._files = RunFiles(checkpoint_dir, self.run_id)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self._files.make_directory()

    @property
    def checkpoint_path(self) -> Path:
        """The file of the last state: `{"run_id": str, "state": dict, "updated_at": str}`."""
        return self._files.checkpoint_path

    @property
    def events_path(self) -> Path:
        """The file of the events."""
        return self._files.events_path

    async def checkpoint(self, state: dict[str, Any]) -> None:
        """Write this state into the run's file, in place of the one before.

        When the call has returned, the state survives a crash of the process and of the machine.

        Raises:
            TypeError: It is no dict of JSON data; the text says where and why. The state before is kept.
            StoreUnavailable: The file cannot be written; the text names it. The state before is kept.
        """
        check_json_object(state, "the state")
        await done_in_thread(self._files.write_state, checked_copy(state, "the state"))

    async def get_state(self) -> dict[str, Any] | None:
        """The last state that was written for this run, by whomever, or None.

        Raises:
            StoreUnavailable: The file cannot be read, or is no checkpoint of this run; the text names it.
        """
        return await done_in_thread(self._files.read_state)

    def get_events(self) -> list[dict[str, Any]]:
        """All events of this run, those of earlier processes included.

        It reads the file at once; in async code: `await asyncio.to_thread(ctx.get_events)`.

        Raises:
            StoreUnavailable: The file cannot be read.
        """
        return self._files.read_events()

    def clear(self) -> None:
        """Remove the files of this run, at once (see `get_events`). It then has no state and no events.

        Raises:
            StoreUnavailable: A file cannot be removed.
        """
        self._files.remove()

    async def _keep_event(self, event: dict[str, Any]) -> None:
        # Written out here and not on the thread: another task might change the payload meanwhile.
        await done_in_thread(self._files.append_event, event_line(event))
