"""The tables and numbers of the documentation are those of the code."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from typing import get_args

from agent_runtime_core import RuntimeConfig, errors
from agent_runtime_core.engines.dbos import DBOSRunEngine
from agent_runtime_core.events import RunEvent
from agent_runtime_framework import ExecutorHooks, JourneyConfig, RunLimits
from agent_runtime_framework.agents.journey_agent import MAX_CONVERSATIONS_IN_MEMORY
from agent_runtime_framework.agents.lint import RULES
from agent_runtime_framework.agents.lint.side_effects import ACTING_MODULES, ACTING_VERBS, READING_CALLS
from tests.docs.markdown_page import ROOT

CONCEPTS = ROOT / "docs" / "concepts"


def rows(name: str, first_cell: str) -> list[list[str]]:
    """The rows, without backticks, of a page's tables whose first cells match."""
    lines = (CONCEPTS / name).read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("|")]
    return [[cell.replace("`", "") for cell in row] for row in cells if re.match(first_cell, row[0].replace("`", ""))]


def test_the_table_of_events_names_every_event() -> None:
    table = [row[:2] for row in rows("the-run.md", r"[A-Z]\w+$")]

    assert table == [[event.__name__, event.kind] for event in get_args(RunEvent)]


def test_the_table_of_hooks_names_every_hook_and_its_arguments() -> None:
    table = rows("the-run.md", "on_")

    hooks = {name: method for name, method in vars(ExecutorHooks).items() if name.startswith("on_")}
    assert table == [[name, ", ".join([*inspect.signature(hooks[name]).parameters][1:])] for name in hooks]


def test_the_table_of_limits_shows_every_limit_and_its_default() -> None:
    table = [row[:2] for row in rows("the-run.md", r"\w+\.\w+$")]

    limits = [[f"RunLimits.{each.name}", str(each.default)] for each in fields(RunLimits)]
    assert table == [["JourneyConfig.max_tool_iterations", str(JourneyConfig().max_tool_iterations)], *limits]


def test_the_table_of_errors_is_the_tree() -> None:
    table = [row[:2] for row in rows("errors-and-debugging.md", r"[A-Z]\w+$")]

    tree = [each for each in vars(errors).values() if isinstance(each, type) and each.__module__ == errors.__name__]
    bases = [[each.__name__, ", ".join(base.__name__ for base in each.__bases__)] for each in tree]
    assert table == bases[1:]  # all but AgentRuntimeError, which the text names


def test_the_tables_of_variables_show_every_variable_and_its_default() -> None:
    shown = {row[0]: row[1] for row in rows("configuration.md", r"[A-Z]+_[A-Z_]+$")}

    own_names = {"openai_api_key": "OPENAI_API_KEY", "anthropic_api_key": "ANTHROPIC_API_KEY"}
    defaults = {
        own_names.get(each.name, f"AGENT_RUNTIME_{each.name.upper()}"): in_words(each.default)
        for each in fields(RuntimeConfig)
    }
    others = {
        "AGENT_RUNTIME_LOG_LEVEL": "INFO, in debug mode DEBUG",
        "OPENAI_BASE_URL": "OpenAI's address",
        "ANTHROPIC_BASE_URL": "Anthropic's address",
    }
    assert shown == {**defaults, **others}


def in_words(default: object) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    return "none" if default is None else str(default)


def test_the_bounds_of_memory_and_history_are_those_of_the_code() -> None:
    text = (CONCEPTS / "conversations.md").read_text(encoding="utf-8")

    assert f"at most {MAX_CONVERSATIONS_IN_MEMORY:,}, then" in text
    assert f"the last {JourneyConfig().max_history_messages} stored messages" in text


def test_the_table_of_the_engines_options_shows_every_option_and_its_default() -> None:
    table = {row[0]: row[1] for row in rows("../howto/deploy.md", r"[a-z_]+( \(\w+\))?$")}

    arguments = inspect.signature(DBOSRunEngine).parameters.values()
    options = {each.name: str(each.default) for each in arguments if each.kind is each.KEYWORD_ONLY}
    own = {"schema (PostgreSQL)": "agent_runtime", "synchronous (SQLite)": "normal"}
    assert {name: default for name, default in table.items() if name in options | own} == options | own


def test_the_table_of_lint_shows_every_code() -> None:
    table = rows("../lint.md", r"J\d{3}$")

    rules = [[rule.code, rule.severity, rule.finds, rule.mend.replace("`", "")] for rule in RULES.values()]
    assert [[cell.removesuffix(" |") for cell in row] for row in table] == rules


def test_the_words_by_which_lint_guesses_are_those_of_the_code() -> None:
    text = " ".join((ROOT / "docs" / "lint.md").read_text(encoding="utf-8").split())

    for words in (ACTING_VERBS, ACTING_MODULES, READING_CALLS):
        assert ", ".join(f"`{word}`" for word in words) in text


def test_the_glossary_is_in_alphabetical_order() -> None:
    words = re.findall(r"^\*\*(.+?)\.\*\*", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert words == sorted(words, key=str.casefold)
