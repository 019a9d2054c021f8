"""`agent-runtime chat --json` is for programs: one event a line."""

from __future__ import annotations

import json
import signal

STORE = "sqlite:///journeys.db"


def kinds(output: str) -> list[str]:
    return [json.loads(line)["kind"] for line in output.splitlines()]


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


def test_an_interrupt_ends_a_piped_chat_in_json_too(start_agent_runtime, read_until) -> None:
    # Given
    process = start_agent_runtime("chat", "chat_journeys:hanging", "--json")
    process.stdin.write("hello\n")
    process.stdin.flush()
    read_until(process, "Let me think")

    # When
    process.send_signal(signal.SIGINT)

    # Then
    assert process.wait(60) == 130
    assert process.stdout.read() == '"}\n'
    assert process.stderr.read() == "Cancelled.\n"
