"""The example's page as somebody sees it: in a real browser, behind Django's own server and behind an ASGI one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.served_process import free_port, served

SITE = Path(__file__).parents[2] / "examples" / "django_site"


def manage(*command: str) -> list[str]:
    return [sys.executable, str(SITE / "manage.py"), *command]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith(("AGENT_RUNTIME_", "DJANGO_"))}
    return {**known, "DJANGO_SITE_DATABASE": str(tmp_path / "site.db")}


@pytest.fixture
def password(environment: dict[str, str]) -> str:
    """The demo user's, as it is printed."""
    subprocess.run(manage("migrate", "--verbosity", "0"), env=environment, check=True, timeout=100)
    printed = subprocess.run(
        manage("demo_user"), env=environment, check=True, timeout=60, capture_output=True, text=True
    )
    found = re.search(r"password (\S+),", printed.stdout)
    assert found is not None
    return found.group(1)


@pytest.fixture(params=["runserver", "uvicorn"])
def server(request: pytest.FixtureRequest, environment: dict[str, str], password: str, tmp_path: Path) -> Iterator[str]:
    """The address of the project's server."""
    port = free_port()
    command = manage("runserver", "--noreload", f"127.0.0.1:{port}")
    if request.param == "uvicorn":
        served_by = ["-m", "uvicorn", "--app-dir", str(SITE), "--port", str(port), "chat.asgi:application"]
        command = [sys.executable, *served_by]
    with served(command, port, environment=environment, log=tmp_path / "log") as (_, address):
        yield address


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        await browser.close()


async def say(page: Page, text: str) -> None:
    """Say something, and wait for the answer."""
    answers = await page.locator("p.assistant").count()
    await page.fill("#text", text)
    await page.press("#text", "Enter")
    await expect(page.locator("p.assistant")).to_have_count(answers + 1, timeout=60_000)
    await expect(page.locator("form[inert]")).to_have_count(0, timeout=60_000)


async def test_a_visitor_talks_to_the_journey_and_finds_the_conversation_again(browser: Browser, server: str) -> None:
    # Given: somebody without a user
    page = await browser.new_page(base_url=server)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.goto("/")

    # When: they go through the journey, with a name that is no HTML
    for text in ("Hello!", "My name is Ada", "ada@example.org"):
        await say(page, text)

    # Then: the journey has ended, and the page shows the same when it is loaded anew
    said = await page.locator("main p").all_inner_texts()
    assert len(said) == 6
    await page.reload()
    await expect(page.locator("main p.user")).to_have_count(3)
    assert (await page.locator("main p").all_inner_texts())[-2:] == said[-2:]
    assert problems == []

    # And: nobody else sees it
    other = await (await browser.new_context(base_url=server)).new_page()
    await other.goto("/")
    await expect(other.locator("#text")).to_be_focused()
    assert await other.locator("main p").count() == 0


async def test_who_signs_in_talks_as_a_user_and_is_seen_in_the_admin(
    browser: Browser, server: str, password: str
) -> None:
    page = await browser.new_page(base_url=server)
    await page.goto("/")
    await page.click("text=Sign in")
    await page.fill("#id_username", "demo")
    await page.fill("#id_password", password)
    await page.click("text=Log in")
    await expect(page.locator("header")).to_contain_text("demo")

    await say(page, "<b>Hello</b>")

    assert "<b>Hello</b>" in await page.locator("p.user").inner_text()
    await page.goto("/admin/django_agent_runtime/agentconversation/")
    await expect(page.locator("#result_list tbody tr")).to_have_count(1)
    await expect(page.locator("#result_list")).to_contain_text("onboarding")
