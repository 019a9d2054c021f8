"""`agent-runtime chat` with pipes is a transcript that people can read."""

from __future__ import annotations


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


def test_the_tokens_of_a_chat_are_told_when_asked_for(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:scripted", lines=("/usage", "hello", "Ada", "/usage", "/quit"))

    before, after = done.stdout.split("> hello")
    assert "tokens: 0\n" in before
    assert "prompt_tokens: 30\ncompletion_tokens: 60\ntotal_tokens: 90\n" in after


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
