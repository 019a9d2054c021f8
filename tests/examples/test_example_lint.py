"""Lint finds nothing in the examples, and in the published quick start the one note on its first step."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_framework import JourneyAgent, lint_journey
from tests.docs.free_names import free_names_of
from tests.docs.markdown_page import ROOT, Page, seed_texts
from tests.docs.page_run import PageRun

EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))


def journeys(name: str) -> list[Any]:
    module = importlib.import_module(f"examples.{name}")
    return [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, JourneyAgent) and value.__module__ == module.__name__
    ]


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "quick_start"])
def test_nothing_is_found_in_an_example(name: str) -> None:
    for journey in journeys(name):
        assert lint_journey(journey) == []


def test_the_quick_start_as_a_file_gets_the_note_at_its_line() -> None:
    (journey,) = journeys("quick_start")

    (finding,) = lint_journey(journey)

    line = Path(finding.file).read_text(encoding="utf-8").splitlines()[finding.line - 1]
    assert (finding.code, finding.severity, line.strip()) == ("J103", "note", 'WELCOME = "welcome"')


@pytest.mark.parametrize("page", seed_texts(), ids=lambda page: page.path.stem)
def test_the_published_quick_start_gets_one_note_on_welcome(page: Page, tmp_path: Path) -> None:
    run = PageRun(page, tmp_path, free_names_of(page))
    try:
        (block,) = page.section("Quick Start")
        run.run(block)
        (finding,) = lint_journey(run.names["OnboardingAgent"])
    finally:
        run.close()

    assert (finding.code, finding.severity) == ("J103", "note")
    assert "WELCOME" in finding.message
