"""`agent-runtime chat`: a tool that asks a person first asks the one at the terminal, and nobody in a pipe."""

from __future__ import annotations

import json
import re

SAVED = ("--store", "sqlite:///journeys.db", "--conversation", "ada")


def test_a_yes_at_the_terminal_runs_the_tool(terminal) -> None:
    window = terminal("chat", "chat_journeys:paying", *SAVED)

    # When
    window.say("5")
    window.wait_for("[y/N]")
    window.type("y\r")

    # Then
    window.wait_for("I read: Paid 5.")
    window.wait_for("The journey is complete.")
    window.wait_for_prompt()
    window.press("d")
    assert window.exit_code() == 0


def test_anything_else_is_a_no_and_the_model_is_told(terminal) -> None:
    window = terminal("chat", "chat_journeys:paying")

    # When
    window.say("5")
    window.wait_for("[y/N]")
    window.type("\r")

    # Then
    window.wait_for("I read: [Not approved by terminal: Pay 5 euros?]")
    assert "Paid" not in window.shown
    assert "The journey is complete." not in window.shown


def test_without_an_answer_it_waits_and_is_asked_when_the_conversation_is_opened_again(terminal) -> None:
    # Given
    window = terminal("chat", "chat_journeys:paying", *SAVED)
    window.say("5")
    window.wait_for("[y/N]")
    window.press("d")
    window.wait_for("Waits for approval ")
    window.wait_for_prompt()
    window.press("d")
    assert window.exit_code() == 0

    # When
    again = terminal("chat", "chat_journeys:paying", *SAVED)
    again.wait_for("[y/N]")
    again.type("yes\r")

    # Then
    again.wait_for("I read: Paid 5.")


def test_a_pipe_prints_the_question_and_its_id_and_nothing_in_it_is_an_answer(agent_runtime) -> None:
    # When
    done = agent_runtime("chat", "chat_journeys:paying", lines=("5", "y", "yes"))

    # Then
    assert done.returncode == 0, done.stderr
    assert re.search(r"^Waits for approval [0-9a-f]{32}: Pay 5 euros\?$", done.stdout, re.MULTILINE)
    assert "I read: yes" in done.stdout
    assert "Paid" not in done.stdout


def test_json_lines_hold_the_question_and_the_id(agent_runtime) -> None:
    # When
    done = agent_runtime("chat", "chat_journeys:paying", "--json", lines=("5",))

    # Then
    events = [json.loads(line) for line in done.stdout.splitlines()]
    asked = next(event["approval"] for event in events if event["kind"] == "tool_call_finished")
    assert asked["question"] == "Pay 5 euros?"
    assert events[-1]["reason"] == f"approval:{asked['approval_id']}"
