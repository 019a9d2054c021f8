"""`agent-runtime store` on a conversation that somebody has damaged: what can be read is shown, the rest is told."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.stores import open_store

URL = "sqlite:///journeys.db"

Run = Callable[..., Any]


async def fill(path: Path) -> None:
    async with open_store(path) as store:  # type: ignore[attr-defined]
        for name in ("a", "broken", "z"):
            for number in (1, 2):
                await store.commit(
                    name,
                    "onboarding",
                    expected_version=None,
                    state={"n": number},
                    messages=[{"role": "user", "content": f"said {number}"}],
                    owner="ada",
                )


def damage(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        ((number,),) = connection.execute("SELECT number FROM conversations WHERE id = CAST('broken' AS BLOB)")
        assert connection.execute(statement, (number << 32,)).rowcount == 1


@pytest.fixture(autouse=True)
def stored(tmp_path: Path) -> None:
    path = tmp_path / "journeys.db"
    asyncio.run(fill(path))
    damage(path, "UPDATE versions SET state = '{' WHERE key = ? + 2")


def test_show_shows_the_messages_and_tells_of_the_state(agent_runtime: Run) -> None:
    shown = agent_runtime("store", "show", "broken", "--owner", "ada", "--store", URL)
    found = agent_runtime("store", "show", "broken", "--owner", "ada", "--json", "--store", URL)

    assert shown.stdout.splitlines()[1:] == ["user: said 1", "user: said 2"]
    for result in (shown, found):
        assert result.returncode == 1
        (said,) = result.stderr.splitlines()
        assert "the state of agent 'onboarding' of conversation 'broken'" in said
        assert "Its last readable version is 1" in said
    answer = json.loads(found.stdout)
    assert (answer["states"], len(answer["messages"]), len(answer["unreadable"])) == ({}, 2, 1)


def test_show_counts_the_messages_that_cannot_be_read(agent_runtime: Run, tmp_path: Path) -> None:
    damage(tmp_path / "journeys.db", "UPDATE messages SET body = '{' WHERE key = ?")

    few = agent_runtime("store", "show", "broken", "--owner", "ada", "--last", "1", "--store", URL)
    all_of_them = agent_runtime("store", "show", "broken", "--owner", "ada", "--store", URL)

    assert "messages cannot be read" not in few.stderr
    assert "1 of 2 messages cannot be read." in all_of_them.stderr
    assert all_of_them.stdout.splitlines()[1:] == ["user: said 2"]


def test_an_export_goes_on_and_lists_what_it_could_not_read_whole(agent_runtime: Run, tmp_path: Path) -> None:
    printed = agent_runtime("store", "export", "--owner", "ada", "--store", URL)
    written = agent_runtime("store", "export", "--owner", "ada", "--store", URL, "--to", "ada.jsonl")

    for result, lines in ((printed, printed.stdout), (written, (tmp_path / "ada.jsonl").read_text())):
        exports = [json.loads(line) for line in lines.splitlines()]
        assert [each["conversation_id"] for each in exports] == ["a", "broken", "z"]
        assert [len(each["messages"]) for each in exports] == [2, 2, 2]
        assert result.returncode == 1
        head, said = result.stderr.splitlines()
        assert head == "1 conversation could not be read whole:"
        assert said.startswith("broken: the state of agent 'onboarding'")


def test_the_way_back_can_be_gone(agent_runtime: Run) -> None:
    rewound = agent_runtime("store", "rewind", "broken", "1", "--owner", "ada", "--yes", "--store", URL)
    shown = agent_runtime("store", "show", "broken", "--owner", "ada", "--store", URL)

    assert (rewound.returncode, shown.returncode, shown.stderr) == (0, 0, "")
    assert "onboarding, version 0: {'n': 1}" in shown.stdout
