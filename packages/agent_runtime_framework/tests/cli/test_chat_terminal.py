"""`agent-runtime chat` in a terminal: typed, streamed, interrupted."""

from __future__ import annotations

from pathlib import Path


def test_a_journey_is_typed_from_start_to_end(terminal) -> None:
    # When
    window = terminal("chat", "chat_journeys:scripted", "--store", "sqlite:///journeys.db", "--conversation", "ada")
    window.say("hello")
    window.say("Ada")
    window.say("ada@example.org")
    window.wait_for("The journey is complete.")
    window.wait_for_prompt()
    window.press("d")

    # Then
    assert window.exit_code() == 0
    assert "onboarding · conversation ada · sqlite:///journeys.db" in window.shown
    assert "Welcome! What is your name?" in window.shown
    assert "· save_name(name='Ada') ✓" in window.shown
    assert "✓ welcome → ✓ collect_name → ● collect_email → ○ complete" in window.shown
    assert "agent-runtime chat chat_journeys:scripted --store sqlite:///journeys.db --conversation ada" in window.shown


def test_the_steps_stand_below_the_prompt(terminal) -> None:
    # Given
    window = terminal("chat", "chat_journeys:scripted")
    window.say("hello")
    window.wait_for("Welcome!")

    # When
    window.wait_for_prompt()

    # Then: the line comes once more, as the toolbar of the prompt
    window.wait_for("✓ welcome")
    window.wait_for("● collect_name")
    assert window.shown.count("● collect_name") >= 2


def test_ctrl_c_stops_an_answer_and_the_chat_goes_on(terminal) -> None:
    # Given
    window = terminal("chat", "chat_journeys:hanging")
    window.say("hello")
    window.wait_for("Let me think")

    # When
    window.press("c")

    # Then
    window.wait_for("Cancelled. What was committed before stays.")
    window.say("hello again")
    window.wait_for("Welcome back!")
    window.wait_for_prompt()
    window.press("c")
    assert window.exit_code() == 0


def test_ctrl_c_twice_leaves_whatever_the_answer_is_doing(terminal) -> None:
    # Given: a model that does not let itself be cancelled
    window = terminal("chat", "chat_journeys:stubborn")
    window.say("hello")
    window.wait_for("Let me think")

    # When
    window.press("c")
    window.wait_for("some more")
    window.press("c")

    # Then
    assert window.exit_code() == 130
    assert "Traceback" not in window.shown


def test_ctrl_c_drops_what_is_typed_before_it_leaves(terminal) -> None:
    # Given
    window = terminal("chat", "chat_journeys:scripted")
    window.wait_for_prompt()
    window.type("hel")
    window.wait_for("hel")

    # When
    window.press("c")
    window.say("hello")
    window.wait_for("Welcome!")
    window.wait_for_prompt()
    window.press("c")

    # Then
    assert window.exit_code() == 0


def test_after_an_error_the_user_can_try_again(terminal) -> None:
    # Given
    window = terminal("chat", "chat_journeys:broken")
    window.say("hello")

    # When
    window.say("Ada")
    window.wait_for("Error: the model at 127.0.0.1 does not answer; try again later")
    window.say("Ada")

    # Then
    window.wait_for("Here I am again.")
    window.say("/quit")
    assert window.exit_code() == 0


def test_help_and_state_answer_without_the_model(terminal) -> None:
    # Given
    window = terminal("chat", "chat_journeys:scripted")
    window.say("hello")
    window.say("Ada")

    # When
    window.say("/state")

    # Then
    window.wait_for('name: "Ada"')
    window.say("/what")
    window.wait_for("/quit    leave (Ctrl-D does, too); Ctrl-C stops an answer")
    window.say("/quit")
    assert window.exit_code() == 0


def test_json_leaves_the_prompt_to_the_error_output(terminal, tmp_path: Path) -> None:
    # Given: the standard output is a file, the keyboard and the error output are the terminal
    window = terminal("chat", "chat_journeys:scripted", "--json", output=tmp_path / "events")

    # When
    window.say("hello")
    window.wait_for_prompt()
    window.press("d")

    # Then
    assert window.exit_code() == 0
    assert "run_started" not in window.shown
    lines = (tmp_path / "events").read_text().splitlines()
    assert lines[0].startswith('{"kind": "run_started"')
    assert lines[-1].startswith('{"kind": "run_finished"')


def test_a_transcript_into_a_file_holds_both_sides(terminal, tmp_path: Path) -> None:
    # Given
    window = terminal("chat", "chat_journeys:scripted", output=tmp_path / "transcript")

    # When
    window.say("hello")
    window.wait_for_prompt()
    window.press("d")

    # Then
    assert window.exit_code() == 0
    assert "\n> hello\nWelcome! What is your name?\n" in (tmp_path / "transcript").read_text()


def test_nothing_that_a_model_writes_commands_a_real_terminal(terminal) -> None:
    # When
    window = terminal("chat", "chat_journeys:rude")
    window.say("hello")

    # Then: the escape characters are gone, so the rest of the sequences is plain text
    window.wait_for("[31mred]0;owned [bold]not bold[/bold] 2J:smile: done.")
    assert "not bold" in window.shown
