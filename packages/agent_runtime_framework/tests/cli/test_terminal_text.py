"""Text that reaches a terminal commands nothing."""

from __future__ import annotations

import pytest

from agent_runtime_core.events import ToolOutcome
from agent_runtime_core.messages import ToolCall
from agent_runtime_framework.cli.marks import marks_for
from agent_runtime_framework.cli.terminal_text import one_line, plain, question_line
from agent_runtime_framework.cli.tool_line import call_text, outcome_text

UNICODE = marks_for("utf-8")


def test_every_control_character_but_newline_and_tab_is_dropped() -> None:
    everything = "".join(map(chr, range(0x00, 0x100)))

    kept = set(everything) - set(plain(everything))

    assert {character for character in everything if not character.isprintable()} - kept == {"\n", "\t", "\xa0", "\xad"}
    assert plain("Zoë\tsagt\n你好 👋") == "Zoë\tsagt\n你好 👋"


def test_one_line_is_one_line_and_not_longer_than_wanted() -> None:
    assert one_line("a\r\nb\n\n  c\x1b[31m") == "a b c[31m"
    assert one_line("abcdefgh", 6) == "abc..."
    assert one_line("abcdef", 6) == "abcdef"
    assert len(one_line("x" * 1_000_000, 40)) == 40


def test_a_call_is_written_as_in_python_and_shortened() -> None:
    call = ToolCall({"id": "1", "name": "save", "arguments": {"name": "Ada", "age": 36, "note": "n" * 500}})

    text = call_text(call, UNICODE)

    assert text.startswith("· save(name='Ada', age=36, note='nnn")
    assert text.endswith("...)")
    assert len(text) < 90


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ({"name": "save", "arguments": "{not json"}, "· save({not json)"),
        ({"arguments": "{}"}, "· ?()"),
        ({"name": "save\x1b[2J", "arguments": {"\x1b[1m": "\x1b[2J"}}, r"· save[2J([1m='\x1b[2J')"),
    ],
)
def test_a_strange_call_is_shown_without_harm(call: dict, text: str) -> None:
    assert call_text(ToolCall(call), UNICODE) == text


def test_an_outcome_says_why_it_did_not_work() -> None:
    call = ToolCall({"name": "save", "arguments": {}})

    assert outcome_text(call, ToolOutcome("a secret\nresult"), UNICODE) == "✓"
    assert outcome_text(call, ToolOutcome("Error executing save: it\nbroke", "failed"), UNICODE) == "✗ failed: it broke"
    assert (
        outcome_text(call, ToolOutcome("Error: no such tool", "refused"), marks_for("cp1252"))
        == "! refused: no such tool"
    )


def test_a_question_is_shown_whole_and_in_its_order() -> None:
    shown = question_line("Pay 5 euros to \u202edcba\u202c\x1b[2K" + "a" * 5000 + "\nand more?")

    assert shown == "Pay 5 euros to dcba[2K" + "a" * 5000 + " and more?"


def test_a_call_that_waits_for_a_person_is_no_failure() -> None:
    call = ToolCall({"id": "a", "function": {"name": "pay", "arguments": "{}"}})

    assert outcome_text(call, ToolOutcome("Not run yet", "pending", "id", "Pay?"), UNICODE) == "· waits for a person"
