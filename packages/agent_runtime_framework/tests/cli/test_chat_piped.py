"""`agent-runtime chat` with pipes: readable for people, exact for programs."""

from __future__ import annotations

import json
import shlex
import signal
import sqlite3
from pathlib import Path
from typing import IO

STORE = "sqlite:///journeys.db"


def kinds(output: str) -> list[str]:
    return [json.loads(line)["kind"] for line in output.splitlines()]


def read_until(text: str, output: IO[str]) -> None:
    shown = ""
    while text not in shown:
        character = output.read(1)
        assert character, f"the output ended with {shown!r}"
        shown += character


def test_a_piped_conversation_reads_as_one(agent_runtime) -> None:
    # When
    done = agent_runtime(
        "chat", "chat_journeys:scripted", "--conversation", "ada", lines=("hello", "Ada", "ada@example.org")
    )

    # Then
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout == (
        "onboarding · conversation ada · in memory only\n"
        "● welcome → ○ collect_name → ○ collect_email → ○ complete\n"
        "Say something to begin; Ctrl-D or /quit leaves.\n"
        "\n"
        "> hello\n"
        "Welcome! What is your name?\n"
        "✓ welcome → ● collect_name → ○ collect_email → ○ complete\n"
        "\n"
        "> Ada\n"
        "· save_name(name='Ada') ✓\n"
        "✓ welcome → ✓ collect_name → ● collect_email → ○ complete\n"
        "Thank you. What is your email?\n"
        "\n"
        "> ada@example.org\n"
        "· save_email(email='ada@example.org') ✓\n"
        "✓ welcome → ✓ collect_name → ✓ collect_email → ● complete\n"
        "Thank you, that is all.\n"
        "✓ The journey is complete.\n"
        "\n"
        "This conversation was kept in memory only; --store sqlite:///journeys.db would save it.\n"
    )


def test_the_offline_client_carries_a_journey_and_says_what_it_is(agent_runtime) -> None:
    # When
    done = agent_runtime(
        "chat", "chat_journeys:Onboarding", "--provider", "offline", lines=("hello", "Ada", "ada@example.org")
    )

    # Then
    assert done.returncode == 0
    assert done.stdout.count("offline client: rules, no AI\n") == 1
    assert "· save_name(name='Ada') ✓\n" in done.stdout
    assert "· save_email(email='ada@example.org') ✓\n" in done.stdout
    assert "✓ The journey is complete.\n" in done.stdout
    assert done.stderr == ""


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


def test_json_is_one_event_a_line_and_nothing_else(agent_runtime) -> None:
    # When
    done = agent_runtime(
        "chat",
        "chat_journeys:Onboarding",
        "--json",
        "--provider",
        "offline",
        "--store",
        STORE,
        "--conversation",
        "ada",
        lines=("hello", "Ada", "ada@example.org"),
    )

    # Then
    assert done.returncode == 0
    assert done.stderr == ""
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["kind"] for event in events].count("run_finished") == 3
    assert {event["conversation_id"] for event in events if event["kind"] == "run_started"} == {"ada"}
    assert events[-1]["kind"] == "run_finished"
    assert events[-1]["state"] == {"step": "complete", "name": "Ada", "email": "ada@example.org"}


def test_in_json_a_line_with_a_slash_is_for_the_agent(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:scripted", "--json", lines=("hello", "/state"))

    names = [event.get("arguments") for event in map(json.loads, done.stdout.splitlines())]
    assert {"name": "/state"} in names


def test_in_json_a_failed_run_is_an_event_and_a_line_on_the_error_output(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:broken", "--json", lines=("hello", "Ada"))

    assert done.returncode == 1
    assert kinds(done.stdout)[-1] == "run_failed"
    assert done.stderr == "Error: the model at 127.0.0.1 does not answer; try again later\n"


def test_tool_calls_that_did_not_work_say_why(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:clumsy", lines=("hello", "Ada"))

    assert "\n· save_email(email='a@example.org') ✗ refused: Unknown tool 'save_email'." in done.stdout
    assert "\n· save_name(nickname='Ada') ✗ invalid: " in done.stdout
    assert "\n· save_name(name='Nobody') ✗ failed: there is nobody of that name\nThat did not work.\n" in done.stdout


def test_the_words_of_a_tool_that_ends_the_run_are_shown(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:terminal_tool", lines=("hello", "Ada"))

    assert "· save_name(name='Ada') ✓\n" in done.stdout
    assert done.stdout.count("Saved Ada.\n") == 1


def test_a_run_that_meets_a_limit_says_which(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:limited", lines=("hello", "Ada"))

    assert "✗ refused: not run, because this run has used up its tool calls.\n" in done.stdout
    assert "\nThe run met a limit: limit:tool_calls.\n" in done.stdout


def test_an_empty_answer_is_told(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:silent", lines=("hello",))

    assert "> hello\nThe model gave no answer.\n" in done.stdout


def test_nothing_that_a_model_writes_commands_the_terminal(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:rude", lines=("hello \x1b[2J",))

    assert "> hello [2J\n[31mred]0;owned [bold]not bold[/bold] 2J:smile: done.\n" in done.stdout
    assert all(character == "\n" or character.isprintable() for character in done.stdout)


def test_nothing_in_a_tools_arguments_commands_the_terminal(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:rude_tool", lines=("hello", "Ada", "/state"))

    assert r"· save_name(name='\x1b[2J[red]Ada[/red]') ✓" in done.stdout
    assert r'name: "\u001b[2J[red]Ada[/red]"' in done.stdout
    assert "\x1b" not in done.stdout


def test_long_lines_are_left_to_whoever_reads_them(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:wordy", lines=("hello",))

    assert f"\n{'word ' * 60}end\n" in done.stdout


def test_an_output_without_utf8_gets_plain_signs(agent_runtime) -> None:
    # When
    done = agent_runtime("chat", "chat_journeys:scripted", lines=("hello", "Zoë"), PYTHONIOENCODING="ascii")

    # Then
    assert done.returncode == 0
    assert "[x] welcome -> [x] collect_name -> [*] collect_email -> [ ] complete\n" in done.stdout
    assert "\n- save_name(name='" in done.stdout
    assert done.stdout.isascii()


def test_a_failing_model_ends_a_piped_chat_with_one_line(agent_runtime) -> None:
    # When
    done = agent_runtime("chat", "chat_journeys:broken", "--store", STORE, lines=("hello", "Ada", "not read"))

    # Then
    assert done.returncode == 1
    assert done.stderr == "Error: the model at 127.0.0.1 does not answer; try again later\n"
    assert "> Ada\n" in done.stdout
    assert "not read" not in done.stdout
    assert "Open it again:" in done.stdout


def test_an_unexpected_error_is_told_with_its_type(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:buggy", lines=("hello",))

    assert done.returncode == 1
    assert done.stderr.endswith("KeyError: 'nonsense'\n")
    assert done.stderr.count("\n") == 1


def test_debug_mode_shows_the_traceback(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:buggy", lines=("hello",), AGENT_RUNTIME_DEBUG="1")

    assert done.returncode == 1
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert "KeyError: 'nonsense'" in done.stderr


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


def test_state_and_help_can_be_piped_and_quit_leaves(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:scripted", lines=("hello", "Ada", "/state", "/help", "/quit", "more"))

    assert done.returncode == 0
    assert 'step: "collect_email"\nname: "Ada"\nemail: ""\n' in done.stdout
    assert "/state   what the journey has collected\n" in done.stdout
    assert "more" not in done.stdout


def test_blank_lines_and_foreign_line_ends_are_no_messages(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:scripted", lines=("", "  ", "hello\r", "Ada\r"))

    assert done.stdout.count("\n> ") == 2
    assert "save_name(name='Ada') ✓" in done.stdout


def test_nobody_reading_the_output_ends_the_chat_quietly(start_agent_runtime) -> None:
    # Given: a reader that leaves after the first line, like `| head -1`
    process = start_agent_runtime("chat", "chat_journeys:scripted")
    assert process.stdout.readline().startswith("onboarding")
    process.stdout.close()

    # When
    process.stdin.write("hello\nAda\n")
    process.stdin.close()

    # Then
    assert process.wait(60) == 1
    assert process.stderr.read() == ""


def test_nobody_reading_the_json_ends_the_chat_quietly(start_agent_runtime) -> None:
    # Given
    process = start_agent_runtime("chat", "chat_journeys:scripted", "--json")
    process.stdin.write("hello\n")
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["kind"] == "run_started"
    process.stdout.close()

    # When
    process.stdin.write("Ada\n")
    process.stdin.close()

    # Then
    assert process.wait(60) == 1
    assert process.stderr.read() == ""


def test_text_is_shown_as_it_arrives_and_an_interrupt_ends_a_piped_chat(start_agent_runtime) -> None:
    # Given: a model that has begun to speak and does not go on
    process = start_agent_runtime("chat", "chat_journeys:hanging", "--store", STORE)
    process.stdin.write("hello\n")
    process.stdin.flush()
    read_until("Let me think", process.stdout)

    # When
    process.send_signal(signal.SIGINT)

    # Then
    assert process.wait(60) == 130
    assert process.stdout.read() == "\nCancelled. What was committed before stays.\n"
    assert process.stderr.read() == ""


def test_an_interrupt_ends_a_piped_chat_in_json_too(start_agent_runtime) -> None:
    # Given
    process = start_agent_runtime("chat", "chat_journeys:hanging", "--json")
    process.stdin.write("hello\n")
    process.stdin.flush()
    read_until("Let me think", process.stdout)

    # When
    process.send_signal(signal.SIGINT)

    # Then
    assert process.wait(60) == 130
    assert process.stdout.read() == '"}\n'
    assert process.stderr.read() == "Cancelled.\n"


def test_an_interrupt_while_nothing_is_answered_leaves_without_a_word(start_agent_runtime) -> None:
    # Given: a chat that waits for a line
    process = start_agent_runtime("chat", "chat_journeys:scripted")
    read_until("leaves.\n", process.stdout)

    # When
    process.send_signal(signal.SIGINT)

    # Then
    assert process.wait(60) == 130
    assert process.stdout.read() == ""
    assert process.stderr.read() == ""


def test_a_database_in_memory_is_no_place_to_come_back_to(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:scripted", "--store", "sqlite://", lines=("hello",))

    assert done.returncode == 0
    assert "in memory only" in done.stdout
    assert "Open it again" not in done.stdout


def test_an_agent_that_cannot_be_closed_is_one_line(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:Leaking", "--provider", "offline", lines=("hello",))

    assert done.returncode == 1
    assert done.stderr.endswith(": OSError: the backend is gone\n")
    assert done.stderr.count("\n") == 1


def test_what_is_piped_may_be_any_bytes(start_agent_runtime) -> None:
    # Given
    process = start_agent_runtime("chat", "chat_journeys:scripted")

    # When: no UTF-8, a null byte, and no newline at the end
    process.stdin.buffer.write(b"hel\xfflo\nA\x00da")
    process.stdin.close()

    # Then
    assert process.wait(60) == 0
    shown = process.stdout.read()
    assert "\n> hel\N{REPLACEMENT CHARACTER}lo\nWelcome!" in shown
    assert r"save_name(name='A\x00da') ✓" in shown


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


def test_a_store_that_breaks_on_the_way_is_one_line(start_agent_runtime, tmp_path: Path) -> None:
    # Given: a chat that has begun
    process = start_agent_runtime("chat", "chat_journeys:scripted", "--store", STORE)
    process.stdin.write("hello\n")
    process.stdin.flush()
    read_until("✓ welcome → ● collect_name", process.stdout)

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
