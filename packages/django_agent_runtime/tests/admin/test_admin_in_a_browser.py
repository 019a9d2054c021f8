"""The admin as somebody sees it: in a real browser, on a server that listens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread
from playwright.async_api import Page, async_playwright, expect

from agent_runtime_core.interfaces import Begun
from django_agent_runtime.models import AgentConversation, AgentRun, RunStatus
from django_agent_runtime.stores import DjangoCheckpointStore


@pytest.fixture
def server(default_alias: str) -> Iterator[str]:
    """The address of the project's server."""
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    assert thread.error is None
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


@pytest.fixture
async def page(server: str, chromium: str) -> AsyncIterator[Page]:
    """A page of the admin, with somebody signed in."""
    await sync_to_async(get_user_model().objects.create_superuser)("admin", password="secret")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page(base_url=server)
        await page.goto("/admin/")
        await page.fill("#id_username", "admin")
        await page.fill("#id_password", "secret")
        await page.click("text=Log in")
        await expect(page.locator("#site-name")).to_be_visible()
        yield page
        await browser.close()


async def test_a_conversation_is_found_read_and_its_run_cancelled(page: Page) -> None:
    # Given: a conversation in which somebody says their name, and a run that goes on
    row = await AgentConversation.objects.acreate(agent_key="onboarding", title="A title")
    run = await AgentRun.objects.acreate(agent_key="onboarding", conversation=row, status=RunStatus.QUEUED)
    store = DjangoCheckpointStore()
    message = {"role": "user", "content": "I am Ada <b>Lovelace</b>"}
    begun = await store.begin(
        str(row.pk), "onboarding", message=message, message_id=str(run.pk), remember=True, lease_seconds=60.0
    )
    assert isinstance(begun, Begun)
    await store.commit(str(row.pk), "onboarding", expected_version=1, state={"step": "email"}, lease=begun.lease)
    await AgentConversation.objects.acreate(agent_key="sales")
    await run.events.acreate(seq=0, event_type="run.started", payload={"attempt": 1})

    # When: it is searched for
    await page.click("text=Conversations")
    await expect(page.locator("#result_list tbody tr")).to_have_count(2)
    await page.fill("#searchbar", "Lovelace")
    await page.press("#searchbar", "Enter")

    # Then: it is the one, and tells where it stands
    await expect(page.locator("#result_list tbody tr")).to_have_count(1)
    await expect(page.locator(".field-step")).to_have_text("email")

    # When: it is opened
    await page.click(f"text={row.pk}")

    # Then: what was said and the state are there, as text
    await expect(page.locator(".agent-messages tbody tr")).to_have_count(1)
    await expect(page.locator(".agent-messages")).to_contain_text("I am Ada <b>Lovelace</b>")
    await expect(page.locator(".agent-states")).to_contain_text('"step": "email"')
    await expect(page.locator("input[name=title]")).to_have_value("A title")

    # When: its run is opened, and cancelled from the list
    await page.click(f".agent-runs >> text={run.pk}")
    await expect(page.locator(".agent-events")).to_contain_text("run.started")
    await page.click(".breadcrumbs >> text=Runs")
    await page.check(".action-select")
    await page.select_option("select[name=action]", "cancel_runs")
    await page.click("button[name=index]")

    # Then
    await expect(page.locator(".messagelist")).to_contain_text("1 asked to stop.")
    assert (await AgentRun.objects.aget(pk=run.pk)).cancel_requested_at is not None


async def test_long_words_are_wrapped_and_lines_kept(page: Page) -> None:
    # Given: a word and a state that are very long, and a message of two lines
    store = DjangoCheckpointStore()
    messages = [{"role": "user", "content": "x" * 3000}, {"role": "assistant", "content": "first\nsecond"}]
    await store.commit("c", "agent", expected_version=0, state={"note": "y" * 3000}, messages=messages)
    row = await AgentConversation.objects.aget()

    await page.goto(f"/admin/django_agent_runtime/agentconversation/{row.pk}/change/")

    for name in (".agent-messages", ".agent-states"):
        box = await page.locator(name).bounding_box()
        assert box is not None
        assert page.viewport_size is not None
        assert box["x"] + box["width"] <= page.viewport_size["width"]
    assert "first\nsecond" in await page.locator(".agent-messages").inner_text()


async def test_a_run_has_nothing_to_save(page: Page) -> None:
    run = await AgentRun.objects.acreate(agent_key="onboarding")

    await page.goto(f"/admin/django_agent_runtime/agentrun/{run.pk}/change/")

    await expect(page.locator(".field-status")).to_contain_text("queued")
    await expect(page.locator(".submit-row input[type=submit]")).to_have_count(0)
