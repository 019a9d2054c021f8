"""`agent-runtime store`: what is there, what goes, and whether the code still reads it."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.stores import open_store

URL = "sqlite:///journeys.db"
SECRET = "my secret diagnosis"

CHANGED = '''
"""The journey after a change: `name` became `full_name`."""

from dataclasses import dataclass

import chat_journeys
from agent_runtime_framework import JourneyConfig, migrate


@dataclass
class State(chat_journeys.State):
    full_name: str = ""


class Changed(chat_journeys.Onboarding):
    version = 2

    def get_initial_state(self):
        return State()

    @migrate(1, 2)
    @staticmethod
    def rename(state):
        return {**state, "full_name": state["name"]}


class Restarting(Changed):
    def __init__(self):
        super().__init__(config=JourneyConfig(on_old_state="restart"))


class Elsewhere(Changed):
    async def load_state(self, ctx):
        return None
'''

Run = Callable[..., Any]


async def fill(path: Path) -> None:
    good = {"step": "collect_email", "name": "Ada", "email": ""}
    async with open_store(path) as store:  # type: ignore[attr-defined]
        for number, (owner, state) in enumerate(
            [
                ("ada", good),
                ("ada", {**good, "step": "collect_phone"}),
                ("bob", {"step": "collect_name", "email": SECRET}),
                ("", {"step": "collect_name", "name": "Eve", "email": "", "full_name": "Eve", "mood": SECRET}),
            ]
        ):
            for role in ("user", "assistant"):
                await store.commit(
                    f"c{number}",
                    "onboarding",
                    expected_version=None,
                    state=state,
                    messages=[{"role": role, "content": SECRET}],
                    owner=owner,
                )


@pytest.fixture
def stored(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "journeys.db"))
    (tmp_path / "changed.py").write_text(CHANGED)


pytestmark = pytest.mark.usefixtures("stored")


def done(result: Any) -> str:
    assert (result.returncode, result.stderr) == (0, "")
    text: str = result.stdout
    return text


def refused(result: Any, words: str, code: int = 2) -> None:
    assert words in result.stderr
    assert result.returncode == code
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


def names(agent_runtime: Run) -> list[str]:
    lines = done(agent_runtime("store", "list", "--store", URL, "--json")).splitlines()
    return [json.loads(line)["conversation_id"] for line in lines]


def test_info_and_list_tell_what_is_there(agent_runtime: Run) -> None:
    shown = done(agent_runtime("store", "info", "--store", URL))
    info = json.loads(done(agent_runtime("store", "info", "--store", URL, "--json")))

    assert "conversations  4" in shown
    assert (info["backend"], info["conversations"], info["messages"]) == ("sqlite", 4, 8)
    assert info["size_bytes"] > 0
    assert names(agent_runtime) == ["c3", "c0", "c1", "c2"]
    listed = done(agent_runtime("store", "list", "--store", URL, "--owner", "ada")).splitlines()
    assert [line.split()[0] for line in listed] == ["ada/c0", "ada/c1"]
    assert "2 messages, version 2, onboarding" in listed[0]


def test_show_shows_the_last_messages_and_the_states(agent_runtime: Run) -> None:
    shown = done(agent_runtime("store", "show", "c0", "--store", URL, "--owner", "ada", "--last", "1"))
    found = json.loads(done(agent_runtime("store", "show", "c0", "--store", URL, "--owner", "ada", "--json")))

    assert f"assistant: {SECRET}" in shown
    assert "user:" not in shown
    assert found["states"]["onboarding"]["state"]["name"] == "Ada"
    assert [message["role"] for message in found["messages"]] == ["user", "assistant"]
    refused(agent_runtime("store", "show", "c0", "--store", URL), "no conversation 'c0' in this store. Whose is it?", 1)


def test_an_export_is_lines_of_json_in_a_private_new_file(agent_runtime: Run, tmp_path: Path) -> None:
    one = done(agent_runtime("store", "export", "c3", "--store", URL))
    done(agent_runtime("store", "export", "--owner", "ada", "--store", URL, "--to", "ada.jsonl"))

    assert json.loads(one)["messages"][0]["content"] == SECRET
    file = tmp_path / "ada.jsonl"
    assert [json.loads(line)["conversation_id"] for line in file.read_text().splitlines()] == ["c0", "c1"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    refused(agent_runtime("store", "export", "c3", "--store", URL, "--to", "ada.jsonl"), "It must be a new file")
    refused(agent_runtime("store", "export", "gone", "--store", URL, "--to", "new.jsonl"), "no conversation 'gone'", 1)
    assert not (tmp_path / "new.jsonl").exists()
    refused(agent_runtime("store", "export", "--store", URL), "say what to export")


def test_nothing_is_removed_without_a_yes(agent_runtime: Run) -> None:
    refused(agent_runtime("store", "erase", "c3", "--store", URL, lines=("y",)), "give --yes. Nothing was changed.")
    refused(
        agent_runtime("store", "prune", "--older-than", "0d", "--store", URL),
        "This removes every conversation that nobody writes to at this moment. Nobody can be asked here: give --yes",
    )
    refused(agent_runtime("store", "rewind", "c3", "1", "--store", URL), "give --yes")
    refused(agent_runtime("store", "erase", "--yes", "--store", URL), "say what to erase")

    assert len(names(agent_runtime)) == 4


def test_who_is_asked_may_say_no(agent_runtime: Run, terminal: Run) -> None:
    asked = terminal("store", "erase", "--owner", "ada", "--store", URL)
    asked.wait_for("Erase all conversations of 'ada'? [y/N]:")
    asked.type("n\r")
    assert asked.exit_code() == 1
    assert len(names(agent_runtime)) == 4

    asked = terminal("store", "erase", "--owner", "ada", "--store", URL)
    asked.wait_for("[y/N]:")
    asked.type("y\r")
    asked.wait_for("Removed 2 conversations, 4 messages and 2 states.")
    assert asked.exit_code() == 0
    assert names(agent_runtime) == ["c3", "c2"]


def test_erase_tells_what_went(agent_runtime: Run) -> None:
    one = done(agent_runtime("store", "erase", "c3", "--yes", "--store", URL))
    rest = json.loads(done(agent_runtime("store", "erase", "--owner", "ada", "--yes", "--json", "--store", URL)))

    assert one == "Removed 1 conversation, 2 messages and 1 state.\n"
    assert rest == {"conversations": 2, "messages": 4, "states": 2, "waiting": 0}
    refused(agent_runtime("store", "erase", "c3", "--yes", "--store", URL), "no conversation 'c3'", 1)


def test_prune_removes_by_age_and_can_only_tell(agent_runtime: Run) -> None:
    planned = done(agent_runtime("store", "prune", "--older-than", "0h", "--dry-run", "--store", URL))
    assert planned == "Would remove 4 conversations, 8 messages and 4 states.\n"
    assert done(agent_runtime("store", "prune", "--older-than", "90d", "--store", URL)).startswith("Removed 0 conv")
    assert done(agent_runtime("store", "prune", "--older-than", "2020-01-31", "--store", URL)).startswith("Removed 0")

    pruned = done(agent_runtime("store", "prune", "--older-than", "0w", "--owner", "ada", "--yes", "--store", URL))

    assert pruned == "Removed 2 conversations, 4 messages and 2 states.\n"
    assert names(agent_runtime) == ["c3", "c2"]
    for age in ("soon", "-1d", "9000-01-01", "99999999999w"):
        result = agent_runtime("store", "prune", f"--older-than={age}", "--store", URL)
        refused(result, f"--older-than {age}: ")


def test_versions_rewind_and_fork(agent_runtime: Run) -> None:
    listed = done(agent_runtime("store", "versions", "c3", "--store", URL)).splitlines()
    assert [line.split()[0] for line in listed] == ["1", "2"]
    assert "1 message, state of onboarding" in listed[0]

    forked = done(agent_runtime("store", "fork", "c3", "copy", "--version", "1", "--store", URL))
    rewound = json.loads(done(agent_runtime("store", "rewind", "c3", "1", "--yes", "--json", "--store", URL)))

    assert forked == "Conversation 'copy' is a copy of 'c3' at version 1.\n"
    assert rewound == {"version": 3}
    for name in ("c3", "copy"):
        assert json.loads(done(agent_runtime("store", "show", name, "--json", "--store", URL)))["message_count"] == 1
    refused(agent_runtime("store", "rewind", "c3", "77", "--yes", "--store", URL), "has no version 77", 1)
    refused(
        agent_runtime("store", "fork", "c3", "copy", "--store", URL),
        "a conversation 'copy' already. Nothing was copied",
        1,
    )
    for command in (("fork", "gone", "new"), ("rewind", "gone", "1", "--yes")):
        refused(
            agent_runtime("store", *command, "--store", URL), "no conversation 'gone' in this store. Whose is it?", 1
        )
    refused(agent_runtime("store", "versions", "gone", "--store", URL), "no conversation 'gone'", 1)


def test_upgrade_tells_the_versions(agent_runtime: Run) -> None:
    same = json.loads(done(agent_runtime("store", "upgrade", "--store", URL, "--json")))

    assert same["before"] == same["after"] != ""
    assert "already" in done(agent_runtime("store", "upgrade", "--store", URL))


def test_a_server_without_tables_has_nothing_to_upgrade(agent_runtime: Run, redis_url: str) -> None:
    assert "nothing to upgrade" in done(agent_runtime("store", "upgrade", "--store", redis_url))


@pytest.mark.parametrize("url", ["memory://", "sqlite://", "sqlite:///:memory:"])
@pytest.mark.parametrize(
    "command", [("info",), ("show", "c3"), ("prune", "--older-than", "90d", "--yes"), ("upgrade",)]
)
def test_the_memory_of_another_process_cannot_be_looked_at(
    command: tuple[str, ...], url: str, agent_runtime: Run
) -> None:
    refused(agent_runtime("store", *command, "--store", url), "--store: what is in memory")


def test_upgrade_makes_the_tables_of_a_database(agent_runtime: Run, postgresql_url: str) -> None:
    done(agent_runtime("store", "upgrade", "--store", postgresql_url))

    assert "already" in done(agent_runtime("store", "upgrade", "--store", postgresql_url))
    assert json.loads(done(agent_runtime("store", "info", "--json", "--store", postgresql_url)))["conversations"] == 0


def test_check_tells_what_would_become_of_each_state_and_nothing_that_was_said(
    agent_runtime: Run, tmp_path: Path
) -> None:
    # When
    result = agent_runtime("store", "check", "changed:Changed", "--store", URL)

    # Then
    assert result.returncode == 1
    assert result.stdout.splitlines()[:3] == [
        "4 conversations of onboarding, whose version is 2",
        "  1 go on after a migration, which works",
        "  3 would fail",
    ]
    assert "ada/c1: version 1, step collect_phone: there is no step 'collect_phone' in Step" in result.stdout
    assert (
        "bob/c2: version 1, step collect_name: the migration rename() from 1 to 2: KeyError in rename()"
        in result.stdout
    )
    assert "c3: version 1, step collect_name: TypeError" in result.stdout
    assert SECRET not in result.stdout + result.stderr
    assert result.stderr == ""


def test_check_is_for_scripts_too(agent_runtime: Run) -> None:
    result = agent_runtime("store", "check", "changed.py:Changed", "--store", URL, "--json")
    fine = agent_runtime("store", "check", "changed.py:Changed", "--store", URL, "--owner", "nobody", "--json")

    told = json.loads(result.stdout)
    assert (told["agent"], told["version"], told["migrates"], told["fails"]) == ("onboarding", 2, 1, 3)
    assert {each["conversation_id"] for each in told["misfits"]} == {"c1", "c2", "c3"}
    assert SECRET not in result.stdout
    assert (fine.returncode, json.loads(fine.stdout)["misfits"]) == (0, [])


def test_check_knows_the_policy(agent_runtime: Run) -> None:
    restarting = done(agent_runtime("store", "check", "changed.py:Restarting", "--store", URL))

    assert "3 would begin anew" in restarting
    refused(agent_runtime("store", "check", "changed.py:Elsewhere", "--store", URL), "reads its states by itself")


def test_check_lists_the_first_ones_unless_all_are_wanted(agent_runtime: Run, tmp_path: Path) -> None:
    async def many() -> None:
        async with open_store(tmp_path / "journeys.db") as store:  # type: ignore[attr-defined]
            for number in range(25):
                await store.commit(f"x{number}", "onboarding", expected_version=None, state={"step": "gone"})

    asyncio.run(many())
    arguments = ("store", "check", "changed:Changed", "--store", URL, "--owner", "")

    assert "... and 6 more; --all lists them." in agent_runtime(*arguments).stdout
    everything = agent_runtime(*arguments, "--all").stdout
    assert len([line for line in everything.splitlines() if ": version 1" in line]) == 26


def test_check_writes_nothing(agent_runtime: Run, tmp_path: Path) -> None:
    before = done(agent_runtime("store", "export", "--owner", "ada", "--store", URL))

    agent_runtime("store", "check", "changed:Changed", "--store", URL)

    assert done(agent_runtime("store", "export", "--owner", "ada", "--store", URL)) == before


@pytest.mark.parametrize("command", [("info",), ("list",), ("show", "c"), ("export", "c"), ("versions", "c")])
def test_looking_makes_no_file(command: tuple[str, ...], agent_runtime: Run, tmp_path: Path) -> None:
    refused(agent_runtime("store", *command, "--store", "sqlite:///none.db"), "there is no file")

    assert not (tmp_path / "none.db").exists()


def test_a_wrong_url_is_told_without_its_password(agent_runtime: Run) -> None:
    result = agent_runtime("store", "info", "--store", "nosuch://me:hunter2@host/db")

    refused(result, "--store: ")
    assert "hunter2" not in result.stderr


def test_a_chat_says_in_one_line_that_a_state_does_not_fit(agent_runtime: Run, tmp_path: Path) -> None:
    result = agent_runtime("chat", "changed:Changed", "--store", URL, "--conversation", "c3", "--provider", "offline")

    refused(result, "the stored state of conversation 'c3' (agent 'onboarding', step 'collect_name') does not fit")
