"""The pages on Django: the project that they build works, command by command, and the tables are those of the code."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from tests.django_project.project import set_up
from tests.docs.markdown_page import ROOT, Page
from tests.served_process import free_port, served

pytestmark = pytest.mark.timeout(600)  # a dozen processes of Django begin, one after the other

HOWTO = ROOT / "docs" / "howto"
PAGE = Page.read(HOWTO / "django.md")
_NOT_HERE = ("pip", "cd")
_SERVES = "runserver"


def environment() -> dict[str, str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith(("AGENT_RUNTIME_", "DJANGO_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**known, "PATH": path, "DJANGO_SUPERUSER_PASSWORD": "secret", "PYTHONWARNINGS": "error"}


def run(line: str, folder: Path) -> str:
    if "createsuperuser" in line:
        line += " --noinput --username admin --email admin@example.org"
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{line}: {done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the reader works."""
    return tmp_path_factory.mktemp("reader")


@pytest.fixture(scope="module")
def printed(folder: Path) -> dict[str, str]:
    """What each command of the page prints, when a reader follows it from the top."""
    said: dict[str, str] = {}
    for block in PAGE.blocks:
        file = block.reason_not_to_run if block.language in ("python", "html") else None
        if file is not None:
            (folder / "mysite" / file).parent.mkdir(exist_ok=True)
            with (folder / "mysite" / file).open("a", encoding="utf-8") as out:
                out.write(f"\n{block.text}")
        for line in block.text.splitlines() if block.language == "bash" else ():
            words = shlex.split(line)
            if words[0] in _NOT_HERE or _SERVES in words:
                continue
            said[line] = run(line, folder if words[0] == "django-admin" else folder / "mysite")
    return said


def test_the_project_of_the_page_works(printed: dict[str, str]) -> None:
    (talk,) = [text for line, text in printed.items() if "talk()" in line]
    (ask,) = [text for line, text in printed.items() if "ask(" in line]
    said, events = re.findall(r"It prints `([^`]+)`", PAGE.text)

    assert talk.splitlines()[-1] == said
    assert ask.splitlines()[-1] == events
    assert "no issues" in printed["python manage.py check"]


def test_the_commands_of_the_page_find_the_conversation(printed: dict[str, str]) -> None:
    rows = printed["python manage.py agent_conversations --agent onboarding"].splitlines()

    assert [row for row in rows if "  onboarding  ada  10 messages  " in row]
    assert "Ada's onboarding" in printed["python manage.py agent_conversations --user ada --json"]
    assert printed["python manage.py agent_prune --older-than 90d --dry-run"].startswith("would remove 0 conversations")
    assert printed["python manage.py agent_check_journeys"].startswith("onboarding: ")


async def test_the_chat_of_the_page_answers_in_a_browser(
    printed: dict[str, str], folder: Path, chromium: str, tmp_path: Path
) -> None:
    port = free_port()
    command = [sys.executable, "manage.py", "runserver", "--noreload", str(port)]
    server = served(command, port, environment=environment(), log=tmp_path / "log", folder=folder / "mysite")
    with server as (_, address):
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = await browser.new_page(base_url=address)
            await page.goto("/admin/")
            await page.fill("#id_username", "admin")
            await page.fill("#id_password", "secret")
            await page.click("text=Log in")
            await expect(page.locator("#site-name")).to_be_visible()
            await page.goto("/")
            for text, answer in (("Hi", r"> Hi\n.+\n"), ("My name is Ada", r"> My name is Ada\n.+\n$")):
                await page.fill("#text", text)
                await page.press("#text", "Enter")
                await expect(page.locator("#said")).to_have_text(re.compile(answer), timeout=60_000)
            await browser.close()


def rows(first_cell: str) -> list[list[str]]:
    lines = (HOWTO / "django-settings.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in lines if line[:1] == "|"]
    return [row for row in cells if re.fullmatch(first_cell, row[0])]


def test_the_table_of_settings_shows_every_key_and_its_default() -> None:
    set_up()
    from django_agent_runtime.conf import AgentRuntimeSettings

    keys = [[each.name, repr(getattr(AgentRuntimeSettings(), each.name))] for each in fields(AgentRuntimeSettings)]
    assert [row[:2] for row in rows(r"[A-Z_]+") if len(row) == 3] == keys


def test_the_table_of_keys_that_are_refused_says_what_the_error_says() -> None:
    from django_agent_runtime.setting_values import _LEFT_OUT, instead_of

    table = [row for row in rows(r"[A-Z_.]+") if len(row) == 2]

    assert [row[0] for row in table] == [*sorted(_LEFT_OUT), "FILE_..."]
    assert [row[1].strip() for row in table] == [instead_of(key) for key in [*sorted(_LEFT_OUT), "FILE_X"]]
