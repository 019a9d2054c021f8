"""How short a journey is: the one of the first page, counted as a reader would."""

from __future__ import annotations

from tests.docs.markdown_page import ROOT, Page

LINES = 22
"""Lines of the journey: imports in, blank lines and comments out."""
PERSISTED = 25
"""The same, with what makes it a conversation that is kept."""


def lines_of(code: str) -> list[str]:
    return [line for line in code.splitlines() if line.strip() and not line.strip().startswith("#")]


def readme_blocks() -> list[str]:
    return [block.text for block in Page.read(ROOT / "README.md").runnable]


def test_the_journey_of_the_first_page_has_at_most_22_lines() -> None:
    journey = lines_of(readme_blocks()[0])

    assert len(journey) <= LINES
    assert all(";" not in line and len(line) <= 120 for line in journey)


def test_with_a_store_it_has_at_most_25() -> None:
    journey, use = readme_blocks()[:2]

    [opened] = [line for line in lines_of(use) if "store=" in line]
    [sent] = [line for line in lines_of(use) if ".send(" in line]
    imported = [line for line in lines_of(use) if "import" in line]  # the model of the example

    assert len(lines_of(journey)) + len(imported) + len([opened, sent]) <= PERSISTED
