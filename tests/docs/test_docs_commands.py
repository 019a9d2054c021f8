"""Every command in the documentation exists: make targets, options of `agent-runtime`, extras, files."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import typer

from agent_runtime_framework.cli.app import app
from tests.docs.markdown_page import ROOT, Page, documentation

CONTRIBUTING = ROOT / "CONTRIBUTING.md"
EXTRAS = re.compile(r"(?P<package>agent_runtime_\w+)\[(?P<extras>[\w,]+)\]")
_BETWEEN = {"|", "||", "&&", ";", ">", "<"}


def commands(page: Page) -> Iterator[tuple[str, list[str]]]:
    """The commands in the bash blocks of a page as words, each with its place."""
    for block in page.blocks:
        if block.language != "bash":
            continue
        for number, line in enumerate(block.text.replace("\\\n", " ").splitlines(), start=1):
            lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
            lexer.whitespace_split = True
            words: list[str] = []
            for word in [*lexer, ";"]:
                if word not in _BETWEEN:
                    words.append(word)
                elif words:
                    yield f"{block.page.name}, line {block.line + number}", words
                    words = []


def commands_of(program: str) -> list[Any]:
    """The uses of a program in all pages, as parameters of a test: the words behind its name."""
    found: list[Any] = []
    for page in [*documentation(), Page.read(CONTRIBUTING)]:
        for place, words in commands(page):
            while words and "=" in words[0]:  # a variable for this command
                words = words[1:]
            if words and PurePosixPath(words[0]).name == program:
                found.append(pytest.param(words[1:], id=f"{place}: {shlex.join(words)}"))
    return found


@pytest.mark.parametrize("words", commands_of("make"))
def test_make_has_the_target(words: list[str]) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert {word for word in words if "=" not in word and not word.startswith("-")} <= targets


@pytest.mark.parametrize("words", commands_of("agent-runtime"))
def test_agent_runtime_takes_the_arguments(words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]

    # What it does not take is a usage error; nothing is run.
    context = command.make_context("agent-runtime", list(words), resilient_parsing=words == ["--help"])

    target = str(context.params.get("target", ""))
    if target.startswith("examples/"):
        assert (ROOT / target.partition(":")[0]).is_file()


@pytest.mark.parametrize("page", documentation(), ids=lambda page: page.name)
def test_the_extras_exist(page: Page) -> None:
    for package, extras in EXTRAS.findall(page.text):
        project = tomllib.loads((ROOT / "packages" / package / "pyproject.toml").read_text(encoding="utf-8"))["project"]

        assert set(extras.split(",")) <= set(project["optional-dependencies"]), f"{page.name}: {package}[{extras}]"


def test_the_journey_of_the_quick_start_arrives_in_the_terminal(tmp_path: Path) -> None:
    # Given: the file that the page tells to write, and the commands that it tells to run
    page = Page.read(ROOT / "docs" / "quickstart.md")
    journey = "\n\n".join(block.text for block in page.section("Write a journey", "python"))
    (tmp_path / "onboarding.py").write_text(journey, encoding="utf-8")
    scripts = page.section("Talk to it in the terminal", "bash")
    environment = {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}

    # When
    output = ""
    for line in (line for script in scripts for line in script.text.splitlines()):
        done = subprocess.run(
            ["sh", "-c", line],
            input="Hello\nI am Ada\nada@example.org\n",
            capture_output=True,
            encoding="utf-8",
            cwd=tmp_path,
            env={**environment, "PYTHONIOENCODING": "utf-8"},
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        output += done.stdout

    # Then: once in memory, once in a file, once as JSON
    assert output.count("The journey is complete.") == 2
    assert json.loads(output.splitlines()[-1])["state"] == {"step": "done", "name": "Ada", "email": "ada@example.org"}
    assert (tmp_path / "journeys.db").exists()
