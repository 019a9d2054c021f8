"""`agent-runtime chat` comes back to conversations that a store keeps."""

from __future__ import annotations

import os
import shlex
import sqlite3
from pathlib import Path

STORE = "sqlite:///journeys.db"


def test_a_complete_journey_ends_a_piped_chat_and_can_be_opened_again(agent_runtime) -> None:
    # Given
    done = agent_runtime(
        "chat",
        "chat_journeys:scripted",
        "--store",
        STORE,
        lines=("hello", "Ada", "ada@example.org", "this line is not read any more"),
    )
    assert done.returncode == 0
    assert "not read" not in done.stdout

    # When: the command that it told is run, with nothing to say
    saved, command = done.stdout.splitlines()[-2:]
    assert saved == f"Saved in {STORE}. Open it again:"
    program, *arguments = shlex.split(command)
    again = agent_runtime(*arguments)

    # Then
    assert program == "agent-runtime"
    assert again.returncode == 0
    assert "> ada@example.org\nThank you, that is all.\n" in again.stdout
    assert "✓ welcome → ✓ collect_name → ✓ collect_email → ✓ complete\n✓ The journey is complete.\n" in again.stdout


def test_the_command_to_open_it_again_works_where_the_environment_is_not_on_the_path(agent_runtime) -> None:
    # Given
    chat = ("chat", "chat_journeys:scripted", "--store", STORE, "--conversation", "ada")

    # When
    done = agent_runtime(*chat, lines=("hello",), PATH=os.defpath)
    program, *arguments = shlex.split(done.stdout.splitlines()[-1])

    # Then
    assert os.path.basename(program) == "agent-runtime"
    assert os.path.dirname(program)
    assert arguments == list(chat)


def test_a_complete_journey_still_answers_whoever_opens_it_again(agent_runtime) -> None:
    # Given
    chat = ("chat", "chat_journeys:scripted", "--store", STORE, "--conversation", "ada")
    agent_runtime(*chat, lines=("hello", "Ada", "ada@example.org"))

    # When
    again = agent_runtime(*chat, lines=("One more question", "thank you"))

    # Then
    assert again.returncode == 0
    assert "> One more question\nWelcome! What is your name?\n" in again.stdout
    assert "> thank you\nNothing to answer: the journey is complete.\n" in again.stdout


def test_a_conversation_goes_on_where_it_was_left(agent_runtime) -> None:
    # Given
    chat = ("chat", "chat_journeys:scripted", "--store", STORE, "--conversation", "ada lovelace")
    first = agent_runtime(*chat, lines=("hello", "Ada"))
    assert first.returncode == 0
    assert first.stdout.endswith(
        f"Saved in {STORE}. Open it again:\n"
        f"  agent-runtime chat chat_journeys:scripted --store {STORE} --conversation 'ada lovelace'\n"
    )

    # When
    second = agent_runtime(*chat, lines=("ada@example.org",))

    # Then: what was said before, then what is said now
    before, now = second.stdout.split("> ada@example.org\n")
    assert "> Ada\nThank you. What is your email?\n" in before
    assert "✓ welcome → ✓ collect_name → ● collect_email → ○ complete\n" in before
    assert "Say something to begin" not in before
    assert "· save_email(email='ada@example.org') ✓\n" in now
    assert "The journey is complete." in now


def test_only_the_last_messages_of_a_long_conversation_are_shown(agent_runtime) -> None:
    # Given
    chat = ("chat", "chat_journeys:silent", "--store", STORE, "--conversation", "long")
    agent_runtime(*chat, lines=tuple(f"message {number}" for number in range(9)))

    # When
    again = agent_runtime(*chat)

    # Then
    assert "(3 earlier messages)\n" in again.stdout
    assert "> message 2\n" not in again.stdout
    assert "> message 3\n" in again.stdout
    assert "> message 8\n" in again.stdout


def test_a_conversation_that_is_not_there_is_not_taken_for_an_old_one(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:scripted", "--store", STORE, "--conversation", "typo")

    assert done.returncode == 0
    assert "Nothing is stored under this id yet: a new conversation.\n" in done.stdout
    assert "Open it again" not in done.stdout


def test_a_state_that_the_journey_does_not_read_any_more_is_told(agent_runtime, tmp_path: Path) -> None:
    # Given: a journey whose state has another form than the stored one
    chat = ("--store", STORE, "--conversation", "ada")
    agent_runtime("chat", "chat_journeys:scripted", *chat, lines=("hello",))
    (tmp_path / "changed.py").write_text(
        "import chat_journeys\n"
        "class State(chat_journeys.State):\n"
        "    @classmethod\n"
        "    def from_dict(cls, data):\n"
        "        raise KeyError('age')\n"
        "class Changed(chat_journeys.Onboarding):\n"
        "    def get_initial_state(self):\n"
        "        return State()\n"
    )

    # When
    done = agent_runtime("chat", "changed.py", "--provider", "offline", *chat)

    # Then
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: the stored state of conversation 'ada'")
    assert done.stderr.count("\n") == 1


def test_a_database_in_memory_is_no_place_to_come_back_to(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:scripted", "--store", "sqlite://", lines=("hello",))

    assert done.returncode == 0
    assert "in memory only" in done.stdout
    assert "Open it again" not in done.stdout


def test_a_corrupt_store_is_one_line(agent_runtime, tmp_path: Path) -> None:
    # Given
    (tmp_path / "journeys.db").write_bytes(b"this is no database, whatever its name says" * 100)

    # When
    done = agent_runtime("chat", "chat_journeys:scripted", "--store", STORE, lines=("hello",))

    # Then
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert "journeys.db" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_store_that_breaks_on_the_way_is_one_line(start_agent_runtime, read_until, tmp_path: Path) -> None:
    # Given: a chat that has begun
    process = start_agent_runtime("chat", "chat_journeys:scripted", "--store", STORE)
    process.stdin.write("hello\n")
    process.stdin.flush()
    read_until(process, "✓ welcome → ● collect_name")

    # When: somebody drops its tables
    with sqlite3.connect(tmp_path / "journeys.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            database.execute(f'DROP TABLE "{name}"')
    database.close()
    process.stdin.write("Ada\n")
    process.stdin.close()

    # Then
    assert process.wait(60) == 1
    errors = process.stderr.read()
    assert errors.startswith("Error: ")
    assert errors.count("\n") == 1
