"""A run in files: it outlives its process, says which file is damaged, and stays in its directory."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runtime_core.contexts import FileRunContext
from agent_runtime_core.contexts.run_files import RunFiles
from agent_runtime_core.errors import ConfigError, StoreUnavailable
from agent_runtime_core.testing.contracts import RunContextContract


class TestFileRunContext(RunContextContract):
    @pytest.fixture
    def ctx(self, tmp_path: Path):
        return FileRunContext(checkpoint_dir=tmp_path)

    async def emitted(self, ctx):
        events = await asyncio.to_thread(ctx.get_events)
        return [(event["event_type"], event["payload"]) for event in events]

    async def request_cancel(self, ctx):
        ctx.cancel()
        return True


async def test_the_files_are_those_that_tools_expect(tmp_path: Path) -> None:
    # Given: a directory that does not exist, below one that does not exist either
    run_id = uuid4()
    ctx = FileRunContext(run_id, checkpoint_dir=str(tmp_path / "a" / "b"))

    # When
    await ctx.checkpoint({"n": 1})
    await ctx.emit("my.event", {"n": 1})
    await ctx.emit("my.event", {"n": 2})

    # Then
    checkpoint = json.loads((tmp_path / "a" / "b" / f"{run_id}.json").read_text())
    lines = (tmp_path / "a" / "b" / f"{run_id}_events.jsonl").read_text().splitlines()
    assert set(checkpoint) == {"run_id", "state", "updated_at"}
    assert (checkpoint["run_id"], checkpoint["state"]) == (str(run_id), {"n": 1})
    assert [json.loads(line)["payload"] for line in lines] == [{"n": 1}, {"n": 2}]
    assert sorted(os.listdir(tmp_path / "a" / "b")) == [f"{run_id}.json", f"{run_id}_events.jsonl"]


def test_outside_of_an_event_loop_the_directory_is_made_at_once(tmp_path: Path) -> None:
    FileRunContext("run", checkpoint_dir=tmp_path / "a" / "b")

    assert os.listdir(tmp_path / "a" / "b") == []
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="file cannot be made"):
        FileRunContext("run", checkpoint_dir=tmp_path / "file")


async def test_the_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    ctx = FileRunContext("run", checkpoint_dir=tmp_path)

    await ctx.checkpoint({})
    await ctx.emit("my.event", {})

    modes = {stat.S_IMODE(path.stat().st_mode) for path in (ctx.checkpoint_path, ctx.events_path)}
    assert modes == {0o600}


async def test_a_later_context_of_the_same_run_goes_on(tmp_path: Path) -> None:
    first = FileRunContext("order 42", checkpoint_dir=tmp_path)
    await first.checkpoint({"n": 1})
    await first.emit("my.event", {"n": 1})

    second = FileRunContext("order 42", checkpoint_dir=tmp_path)
    await second.emit("my.event", {"n": 2})

    assert await second.get_state() == {"n": 1}
    events = await asyncio.to_thread(second.get_events)
    assert [event["payload"]["n"] for event in events] == [1, 2]


async def test_a_cleared_run_has_neither_state_nor_events_nor_files(tmp_path: Path) -> None:
    # Given: two runs, and what a crash in the middle of a write has left of each
    ctx = FileRunContext("a", checkpoint_dir=tmp_path)
    other = FileRunContext("a.b", checkpoint_dir=tmp_path)
    for each in (ctx, other):
        await each.checkpoint({"n": 1})
        await each.emit("my.event", {})
    (tmp_path / ".k2j4_x9z.a.tmp").touch()
    (tmp_path / ".k2j4_x9z.a.b.tmp").touch()

    # When
    await asyncio.to_thread(ctx.clear)
    await asyncio.to_thread(ctx.clear)

    # Then
    assert await ctx.get_state() is None
    assert await asyncio.to_thread(ctx.get_events) == []
    assert sorted(os.listdir(tmp_path)) == [".k2j4_x9z.a.b.tmp", "a.b.json", "a.b_events.jsonl"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b'{"run_id": "run", "sta', "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[]", "`state`"),
        (b'{"run_id": "run", "state": 7}', "`state`"),
        (b'{"run_id": "another", "state": {}}', "'another'"),
    ],
)
async def test_a_corrupt_checkpoint_is_an_error_that_names_the_file(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(content)

    with pytest.raises(StoreUnavailable) as caught:
        await FileRunContext("run", checkpoint_dir=tmp_path).get_state()

    assert str(path) in str(caught.value)
    assert reason in str(caught.value)
    assert caught.value.key == str(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "run_id", ["../x", "a/b", "a\\b", "/etc/passwd", "..", ".", ".hidden", "", "a\0b", "a\nb", "C:x"]
)
def test_an_id_that_leads_out_of_the_directory_is_refused(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(ConfigError, match="run_id"):
        FileRunContext(run_id, checkpoint_dir=tmp_path)


def test_an_id_that_no_file_system_takes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="200 bytes"):
        FileRunContext("ü" * 101, checkpoint_dir=tmp_path)


@given(st.text(max_size=60))
def test_any_id_is_refused_or_stays_in_its_directory(run_id: str) -> None:
    try:
        files = RunFiles("/somewhere", run_id)
    except ConfigError:
        return

    for path in (files.checkpoint_path, files.events_path):
        assert os.path.dirname(os.path.normpath(path)) == "/somewhere"


async def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ctx = FileRunContext("run", checkpoint_dir=tmp_path / "file")

    with pytest.raises(StoreUnavailable, match=r"run\.json cannot be written"):
        await ctx.checkpoint({})
    with pytest.raises(StoreUnavailable, match=r"run_events\.jsonl cannot be written"):
        await ctx.emit("my.event", {})


async def test_a_state_that_is_not_json_is_refused_and_the_one_before_stays(tmp_path: Path) -> None:
    ctx = FileRunContext("run", checkpoint_dir=tmp_path)
    await ctx.checkpoint({"n": 1})

    with pytest.raises(TypeError, match=r"the state\['bad'\]"):
        await ctx.checkpoint({"n": 2, "bad": object()})

    assert await ctx.get_state() == {"n": 1}


async def test_a_disk_that_refuses_leaves_the_state_before_and_no_rubbish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    ctx = FileRunContext("run", checkpoint_dir=tmp_path)
    await ctx.checkpoint({"n": 1})

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    # When
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreUnavailable, match="No space left on device"):
            await ctx.checkpoint({"n": 2})

    # Then
    assert await ctx.get_state() == {"n": 1}
    assert os.listdir(tmp_path) == ["run.json"]


async def test_what_is_not_json_in_an_event_is_written_as_text(tmp_path: Path) -> None:
    ctx = FileRunContext("run", checkpoint_dir=tmp_path)

    await ctx.emit("my.event", {"path": Path("x"), "words": "\ud800"})

    (event,) = await asyncio.to_thread(ctx.get_events)
    assert event["payload"] == {"path": "x", "words": "\ud800"}


async def test_a_payload_that_cannot_be_written_at_all_does_not_break_the_run(tmp_path: Path) -> None:
    ctx = FileRunContext("run", checkpoint_dir=tmp_path)
    circle: dict[str, object] = {}
    circle["circle"] = circle

    await ctx.emit("my.event", circle)
    await ctx.emit("my.event", {"n": float("nan")})

    events = await asyncio.to_thread(ctx.get_events)
    assert [(event["event_type"], list(event["payload"])) for event in events] == [("my.event", ["not_json"])] * 2


async def test_a_value_that_cannot_say_what_it_is_does_not_break_the_run(tmp_path: Path) -> None:
    class Mute:
        def __str__(self) -> str:
            raise AttributeError("private words")

    ctx = FileRunContext("run", checkpoint_dir=tmp_path)

    await ctx.emit("my.event", {"value": Mute()})

    (event,) = await asyncio.to_thread(ctx.get_events)
    assert event["payload"] == {"not_json": "AttributeError while it was written"}


async def test_an_event_that_was_kept_is_heard_of_even_if_its_teller_was_cancelled(tmp_path: Path) -> None:
    # Given
    heard: list[str] = []
    ctx = FileRunContext("run", checkpoint_dir=tmp_path, on_event=lambda name, payload: heard.append(name))
    task = asyncio.create_task(ctx.emit("run.succeeded", {}))
    await asyncio.sleep(0)

    # When
    task.cancel()
    await asyncio.wait({task})

    # Then
    events = await asyncio.to_thread(ctx.get_events)
    assert task.cancelled()
    assert heard == [event["event_type"] for event in events] == ["run.succeeded"]


async def test_the_name_of_a_new_state_is_on_the_disk_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(handle).st_mode))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)

    await FileRunContext("run", checkpoint_dir=tmp_path).checkpoint({"n": 1})

    assert synced == [False, True]


async def test_an_event_that_a_crash_has_cut_takes_no_other_with_it(tmp_path: Path) -> None:
    ctx = FileRunContext("run", checkpoint_dir=tmp_path)
    await ctx.emit("my.event", {"n": 1})
    with ctx.events_path.open("a") as file:
        file.write('{"event_type": "my.ev')

    await ctx.emit("my.event", {"n": 2})

    events = await asyncio.to_thread(ctx.get_events)
    assert [event["payload"]["n"] for event in events] == [1, 2]


async def test_a_cancelled_checkpoint_never_overwrites_a_later_one(tmp_path: Path) -> None:
    ctx = FileRunContext("run", checkpoint_dir=tmp_path)
    for n in range(30):
        task = asyncio.create_task(ctx.checkpoint({"n": n, "late": True}))
        for _ in range(n % 3):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        await ctx.checkpoint({"n": n})

        assert await ctx.get_state() == {"n": n}


KILLED = """
import asyncio, os, signal, sys
from agent_runtime_core.contexts import FileRunContext

async def main():
    ctx = FileRunContext("run", checkpoint_dir=sys.argv[1])
    n = 0
    while True:
        n += 1
        await ctx.checkpoint({"n": n, "body": [n] * 20_000})
        if n == 3:
            print("at it", flush=True)

asyncio.run(main())
"""


async def test_a_process_killed_while_it_writes_leaves_a_whole_state(tmp_path: Path) -> None:
    # Given: the state before
    ctx = FileRunContext("run", checkpoint_dir=tmp_path)
    await ctx.checkpoint({"n": 0, "body": [0] * 20_000})

    for _ in range(3):
        # When: another process writes one state after the other, and is killed
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", KILLED, str(tmp_path), stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        await process.stdout.readline()
        process.kill()
        await process.wait()

        # Then
        state = await ctx.get_state() or {}
        assert state["body"] == [state["n"]] * 20_000
