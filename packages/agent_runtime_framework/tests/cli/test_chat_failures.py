"""What goes wrong in the middle of a chat is one line, and what is interrupted ends."""

from __future__ import annotations

import signal

STORE = "sqlite:///journeys.db"


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


def test_text_is_shown_as_it_arrives_and_an_interrupt_ends_a_piped_chat(start_agent_runtime, read_until) -> None:
    # Given: a model that has begun to speak and does not go on
    process = start_agent_runtime("chat", "chat_journeys:hanging", "--store", STORE)
    process.stdin.write("hello\n")
    process.stdin.flush()
    read_until(process, "Let me think")

    # When
    process.send_signal(signal.SIGINT)

    # Then
    assert process.wait(60) == 130
    assert process.stdout.read() == "\nCancelled. What was committed before stays.\n"
    assert process.stderr.read() == ""


def test_an_interrupt_while_nothing_is_answered_leaves_without_a_word(start_agent_runtime, read_until) -> None:
    # Given: a chat that waits for a line
    process = start_agent_runtime("chat", "chat_journeys:scripted")
    read_until(process, "leaves.\n")

    # When
    process.send_signal(signal.SIGINT)

    # Then
    assert process.wait(60) == 130
    assert process.stdout.read() == ""
    assert process.stderr.read() == ""


def test_an_agent_that_cannot_be_closed_is_one_line(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:Leaking", "--provider", "offline", lines=("hello",))

    assert done.returncode == 1
    assert done.stderr.endswith(": OSError: the backend is gone\n")
    assert done.stderr.count("\n") == 1
