"""`agent-runtime runs`: what an engine runs can be looked at, stopped, repeated and forgotten."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.engines import DurableContext, RunEnd, RunEngine, RunRequest, open_engine
from agent_runtime_framework.runtime import Runtime

from . import engine_apps

URL = "sqlite:///runs.db"
SECRET = "my secret diagnosis"

Run = Callable[..., Any]


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Runs of every kind, by a name."""
    monkeypatch.chdir(tmp_path)
    return asyncio.run(fill())


async def fill() -> dict[str, str]:
    ids: dict[str, str] = {}
    engine = open_engine(f"{URL}?poll_s=0.02")
    runtime = Runtime([engine_apps.Talk(), engine_apps.Other()], "sqlite:///journeys.db", engine)
    await runtime.start()
    for name, text, owner, agent in (
        ("good", SECRET, "ada", "talk"),
        ("bad", f"fail {SECRET}", "bob", "other"),
        ("nobodys", SECRET, "", "talk"),
    ):
        info = await runtime.submit("c1", text, owner=owner, agent=agent)
        await runtime.engine.wait(info.run_id)
        ids[name] = info.run_id
    await runtime.stop()
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    ids["later"] = (await runtime.schedule("c1", tomorrow, says=SECRET, owner="ada", agent="talk")).run_id
    ids["waiting"] = (await runtime.submit("c2", SECRET, agent="talk")).run_id
    await runtime.close()
    await engine.close()
    return ids


def with_engine(work: Callable[[RunEngine], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        engine = open_engine(f"{URL}?poll_s=0.02")
        try:
            return await work(engine)
        finally:
            await engine.close()

    return asyncio.run(run())


def done(result: Any, code: int = 0) -> str:
    assert (result.returncode, result.stderr) == (code, "")
    text: str = result.stdout
    return text


def refused(result: Any, words: str, code: int = 1) -> None:
    assert words in result.stderr
    assert result.returncode == code
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.stderr


def listed(in_process: Run, *arguments: str) -> list[str]:
    lines = done(in_process("runs", "list", "--engine", URL, "--json", *arguments)).splitlines()
    return [json.loads(line)["run_id"] for line in lines]


def test_runs_are_listed_by_status_agent_conversation_and_owner(in_process: Run, filled: dict[str, str]) -> None:
    good, bad, nobodys, later, waiting = filled.values()

    assert listed(in_process) == [waiting, later, nobodys, bad, good]
    assert listed(in_process, "--status", "failed") == [bad]
    assert listed(in_process, "--agent", "other") == [bad]
    assert listed(in_process, "--conversation", "c1") == [nobodys]
    assert listed(in_process, "--conversation", "c1", "--owner", "ada") == [later, good]
    assert listed(in_process, "--owner", "bob") == [bad]
    assert listed(in_process, "--limit", "2") == [waiting, later]


def test_the_list_says_how_runs_stand_and_nothing_of_what_was_said(in_process: Run, filled: dict[str, str]) -> None:
    lines = done(in_process("runs", "list", "--engine", URL)).splitlines()
    as_json = done(in_process("runs", "list", "--engine", URL, "--json"))

    by_id = {line.split()[0]: line for line in lines}
    assert "  failed  " in by_id[filled["bad"]]
    assert "bob/c1" in by_id[filled["bad"]]
    assert by_id[filled["bad"]].endswith("LLMRejected")
    assert "reminder  due 20" in by_id[filled["later"]]
    assert SECRET not in "".join(lines) + as_json


def test_a_run_is_shown_with_its_events_and_its_text_only_when_asked(in_process: Run, filled: dict[str, str]) -> None:
    def show(name: str, *arguments: str) -> str:
        return done(in_process("runs", "show", filled[name], "--engine", URL, *arguments))

    for name in ("good", "bad", "waiting"):
        assert SECRET not in show(name) + show(name, "--json")
    good, bad = show("good"), show("bad")
    with_text = show("good", "--text")
    told = json.loads(show("good", "--json", "--text"))

    assert "status        succeeded" in good
    assert "conversation  ada/c1" in good
    assert "llm_call_finished  turn=0" in good
    assert "error         LLMRejected" in bad
    assert f"cannot say fail {SECRET}" in show("bad", "--text")
    assert f"You said: {SECRET}" in with_text
    assert told["result"]["response"] == f"You said: {SECRET}"
    assert [event["kind"] for event in told["events"]] == [
        "run_started",
        "llm_call_started",
        "llm_call_finished",
        "turn_finished",
    ]
    assert all(event["offset"] > 0 for event in told["events"])


def test_a_failed_run_is_retried(in_process: Run, filled: dict[str, str]) -> None:
    shown = done(in_process("runs", "retry", filled["bad"], "--engine", URL))

    assert shown.split()[:2] == [filled["bad"], "queued"]
    refused(in_process("runs", "retry", filled["good"], "--engine", URL), "is succeeded; only one that failed")
    refused(in_process("runs", "retry", "nothing", "--engine", URL), "there is no run 'nothing'")


def test_a_run_is_cancelled(in_process: Run, filled: dict[str, str]) -> None:
    def cancel(run_id: str, *arguments: str) -> Any:
        return in_process("runs", "cancel", run_id, "--engine", URL, *arguments)

    assert done(cancel(filled["waiting"])) == f"Run {filled['waiting']} is cancelled.\n"
    assert json.loads(done(cancel(filled["later"], "--json")))["status"] == "cancelled"
    refused(cancel(filled["waiting"]), "cancelled. There is nothing to cancel.")
    refused(cancel(filled["good"]), ": succeeded. There is nothing to cancel.")
    refused(cancel("nothing"), "there is no run 'nothing'")


def test_old_runs_are_forgotten_and_counted(in_process: Run, filled: dict[str, str]) -> None:
    def prune(*arguments: str) -> Any:
        return in_process("runs", "prune", "--engine", URL, *arguments)

    refused(prune("--older-than", "0h"), "give --yes. Nothing was changed.", 2)
    refused(prune("--older-than", "soon"), "--older-than soon: give an age", 2)
    assert done(prune("--older-than", "30d", "--yes")) == "Forgot 0 runs.\n"
    assert json.loads(done(prune("--older-than", "0h", "--yes", "--json"))) == {"runs": 3}
    assert listed(in_process) == [filled["waiting"], filled["later"]]


def test_health_is_printed_and_its_exit_code_is_for_probes(in_process: Run, filled: dict[str, str]) -> None:
    def health(*arguments: str) -> Any:
        return in_process("runs", "health", "--engine", URL, *arguments)

    alone = health()
    assert alone.returncode == 1
    assert alone.stderr == "No worker is alive; 1 run cannot go on.\n"
    assert "queued         1" in alone.stdout
    assert "scheduled      1" in alone.stdout

    async def watched(engine: RunEngine) -> list[Any]:
        async def work(ctx: DurableContext) -> RunEnd:
            return RunEnd()

        await engine.cancel(filled["waiting"])
        await engine.start(work)
        return [await asyncio.to_thread(health, *arguments) for arguments in ((), ("--json",))]

    text, as_json = with_engine(watched)
    assert "workers        1" in done(text)
    assert json.loads(done(as_json))["problems"] == []


def test_a_run_that_waits_too_long_fails_a_probe(in_process: Run, filled: dict[str, str]) -> None:
    probed = in_process("runs", "health", "--engine", URL, "--max-wait", "0", "--json")

    assert probed.returncode == 1
    assert any("has waited for" in problem for problem in json.loads(probed.stdout)["problems"])


def test_runs_of_other_agents_are_shown_by_what_orders_them(in_process: Run, filled: dict[str, str]) -> None:
    request = RunRequest(run_id="nightly", agent_key="batch", order_key="nightly jobs", input={"params": {"n": 1}})
    with_engine(lambda engine: engine.submit(request))

    assert "batch  nightly jobs" in done(in_process("runs", "show", "nightly", "--engine", URL)).replace(
        "conversation  ", "batch  "
    )
    assert listed(in_process, "--agent", "batch") == ["nightly"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("memory://", "--engine: the runs of memory://"),
        ("sqlite:///missing.db", "--engine: there is no file missing.db."),
        ("mysql://me:secret@host/db", "--engine: no engine is known"),
    ],
)
def test_an_engine_that_is_not_there_is_told_in_one_line(in_process: Run, url: str, words: str) -> None:
    result = in_process("runs", "health", "--engine", url)

    refused(result, words, 2)
    assert "secret" not in result.stderr


def test_a_server_out_of_reach_fails_a_probe(in_process: Run) -> None:
    result = in_process("runs", "health", "--engine", "postgresql://me:secret@127.0.0.1:1/runs")

    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "secret" not in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: ")
