"""A store is chosen by its URL, its path, or given as an object."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.stores import InMemoryCheckpointStore, SQLiteCheckpointStore, open_store


def sqlite_path(url: str) -> str:
    store = open_store(url)
    assert isinstance(store, SQLiteCheckpointStore)
    return store.path


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///journeys.db", "journeys.db"),
        ("sqlite:///data/journeys.db", "data/journeys.db"),
        ("sqlite:////var/lib/journeys.db", "/var/lib/journeys.db"),
        ("SQLite:///journeys.db", "journeys.db"),
        ("sqlite:///my%20journeys%3F.db", "my journeys?.db"),
        ("sqlite:///100%25.db", "100%.db"),
        ("sqlite:///%C3%A4.db", "ä.db"),
        ("sqlite:///a#b@c:d.db", "a#b@c:d.db"),
        ("sqlite://", ":memory:"),
        ("sqlite:///:memory:", ":memory:"),
        ("sqlite:///journeys.db?synchronous=full&busy_timeout_ms=10", "journeys.db"),
        ("sqlite://?busy_timeout_ms=10", ":memory:"),
    ],
)
def test_a_sqlite_url_names_a_file(url: str, path: str) -> None:
    assert sqlite_path(url) == path


def test_a_memory_url_is_a_store_in_memory() -> None:
    store = open_store("memory://")

    assert isinstance(store, InMemoryCheckpointStore)
    assert store.max_conversations is None


def test_a_memory_url_may_have_a_bound() -> None:
    store = open_store("memory://?max_conversations=500")

    assert isinstance(store, InMemoryCheckpointStore)
    assert store.max_conversations == 500


async def test_a_path_is_a_sqlite_file(tmp_path: Path) -> None:
    store = open_store(tmp_path / "100%.db")

    await store.commit("c", "agent", expected_version=0)
    await store.close()

    assert os.listdir(tmp_path) == ["100%.db"]


def test_a_store_is_given_back_as_it_is() -> None:
    store = InMemoryCheckpointStore()

    assert open_store(store) is store


def test_opening_creates_nothing(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/journeys.db")

    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "mysql://ada:secret@host/db",
            "no store is known for URLs that begin with 'mysql://'; known are memo",
        ),
        ("journeys.db", "sqlite://; a SQLite file is written sqlite:///journeys.db"),
        ("", "has no '://'"),
        ("sqlite:journeys.db", "has no '://'"),
        ("sqlite://journeys.db", "has two slashes; write 'sqlite:///journeys.db'"),
        ("sqlite:///", "names no file"),
        ("sqlite:///a%00b.db", "names no file"),
        ("sqlite:///j.db?synchronous=sometimes", "synchronous is 'sometimes'; give one of NORMAL, FULL"),
        ("sqlite:///j.db?keep_versions=x", "keep_versions is 'x'; give a whole number, or 'all'"),
        ("memory://?keep_versions=x", "keep_versions is 'x'; give a whole number, or 'all'"),
        ("sqlite:///j.db?busy_timeout_ms=soon", "busy_timeout_ms is 'soon'; give a whole number"),
        (
            "sqlite:///j.db?mode=ro",
            "sqlite:// has no option 'mode'; known are busy_timeout_ms, keep_versions, synchronous",
        ),
        ("memory://place", "names a place"),
        ("memory://?max_conversations=0", "max_conversations is 0"),
        (
            "memory://?synchronous=full",
            "memory:// has no option 'synchronous'; known are keep_versions, max_conversations",
        ),
    ],
)
def test_a_wrong_url_is_explained(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_store(url)

    assert sentence in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("thing", [None, 7, object(), InMemoryCheckpointStore, ["sqlite:///journeys.db"], b"memory://"])
def test_what_is_no_store_is_explained(thing: Any) -> None:
    with pytest.raises(ConfigError, match=r"give a URL such as 'sqlite:///journeys.db'"):
        open_store(thing)


def test_the_driver_is_loaded_with_the_first_sqlite_store() -> None:
    program = (
        "import sys; from agent_runtime_core.stores import open_store\n"
        "open_store('memory://'); before = 'sqlite3' in sys.modules\n"
        "open_store('sqlite://'); print(before, 'sqlite3' in sys.modules)"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COV")}

    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )

    assert finished.stdout.split() == ["False", "True"]
