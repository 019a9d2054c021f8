"""Every Python block of the documentation runs, offline, and prints what the page says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docs.free_names import free_names_of
from tests.docs.markdown_page import OUTPUT, Block, Page, documentation, seed_texts
from tests.docs.page_run import PageRun

PAGES = [*documentation(), *seed_texts()]
BLOCKS = [pytest.param(page, block, id=block.name) for page in PAGES for block in page.runnable]
LANGUAGES = {"python", "bash", "text", "json", "toml", "mermaid", "html"}


@pytest.fixture(scope="session")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Page], PageRun]]:
    """The run of a page; its blocks share it."""
    runs: dict[Path, PageRun] = {}

    def run_of(page: Page) -> PageRun:
        if page.path not in runs:
            runs[page.path] = PageRun(page, tmp_path_factory.mktemp(page.path.stem), free_names_of(page))
        return runs[page.path]

    yield run_of
    for run in runs.values():
        run.close()


@pytest.mark.parametrize(("page", "block"), BLOCKS)
def test_a_block_runs(page: Page, block: Block, run_of: Callable[[Page], PageRun]) -> None:
    printed = run_of(page).run(block)

    said = page.output_of(block)
    if said is not None:
        assert printed == said


def test_the_pages_are_found() -> None:
    names = {page.name for page in PAGES}

    assert {"README.md", "docs/quickstart.md", "docs/glossary.md"} <= names
    assert len([name for name in names if name.startswith("tests/docs/seeds/")]) == 2


def test_a_block_that_does_not_run_says_why_and_is_counted() -> None:
    left_out = [
        (block.page.name, block.reason_not_to_run)
        for page in PAGES
        for block in page.python
        if block.reason_not_to_run is not None
    ]

    pieces_of_a_project = [left for left in left_out if left[1].startswith("mysite/")]
    # tests/docs/test_django_pages.py puts these together, and runs them.
    assert {name for name, _ in pieces_of_a_project} == {"django.md"}
    assert [left for left in left_out if left not in pieces_of_a_project] == [
        ("readme_0_1_0.md", "in a Django project, by tests/docs/test_seed_texts.py"),
        ("readme_0_3_0.md", "in a Django project, by tests/docs/test_seed_texts.py"),
    ]


def test_no_block_hides_behind_an_unknown_language_or_marker() -> None:
    for page in PAGES:
        for block in page.blocks:
            assert block.language in LANGUAGES, f"{block.name}: say what it is, one of {sorted(LANGUAGES)}"
            if block.comment is not None:
                assert (block.comment == OUTPUT and block.language == "text") or (
                    block.language in {"python", "html"} and block.reason_not_to_run
                ), f"{block.name}: {block.comment!r} is no marker that the tests know"


def test_each_output_follows_a_block_that_runs() -> None:
    for page in PAGES:
        before: Block | None = None
        for block in page.blocks:
            if block.comment == OUTPUT:
                assert before in page.runnable, f"{block.name}: nothing has printed it"
            before = block


def test_a_failing_block_names_its_file_and_line(tmp_path: Path) -> None:
    # Given
    path = Path(__file__).parent / "missing.md"
    page = Page(path, "# A page\n\n```python\nimport asyncio\n\nawait asyncio.sleep(0)\nprint(1 / 0)\n```\n")
    run = PageRun(page, tmp_path, {})

    # When
    with pytest.raises(ZeroDivisionError) as caught:
        run.run(page.blocks[0])
    run.close()

    # Then
    place = caught.traceback[-1]
    assert (Path(place.path), place.lineno + 1) == (path, 7)


def test_what_a_block_configures_stays_on_its_page(tmp_path: Path) -> None:
    # Given
    blocks = "```python\nfrom agent_runtime_framework import configure\nconfigure(debug=True)\n```\n"
    blocks += "```python\nfrom agent_runtime_framework import is_debug\nprint(is_debug())\n```\n"
    page = Page(Path(__file__).parent / "missing.md", blocks)
    run = PageRun(page, tmp_path, {})

    # When
    printed = run.run(page.blocks[1])
    run.close()

    # Then
    from agent_runtime_framework import is_debug

    assert printed == "True\n"
    assert not is_debug()


def test_a_block_that_is_not_closed_is_found() -> None:
    text = "```text\nno end\n\n```python\nprint(1)\n```\n"

    with pytest.raises(ValueError, match=r"test_docs\.md:1: this block is not closed"):
        Page(Path(__file__).with_suffix(".md"), text).blocks  # noqa: B018


LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")


@pytest.mark.parametrize("page", documentation(), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Page) -> None:
    for target in LINK.findall(page.text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        path = page.path.parent / name if name else page.path
        assert path.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(Page.read(path)), f"{page.name} links to {target}"


def anchors(page: Page) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for _, text in page.headings}
