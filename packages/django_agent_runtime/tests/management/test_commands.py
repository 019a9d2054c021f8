"""The commands of `manage.py`: list and show conversations, prune, and check stored journeys."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import TestCase
from django.utils import timezone

from agent_runtime_core.interfaces import AgentRuntime, RunResult
from django_agent_runtime.models import AgentConversation, AgentRun, Message
from django_agent_runtime.runtime.registry import clear_registry, register_runtime
from django_agent_runtime.stores import DjangoCheckpointStore

HELLO = {"role": "user", "content": "Hello \ud83d"}
REPLY = {"role": "assistant", "content": "Good day"}


def said(*words, **options) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


class Commands(TestCase):
    def setUp(self):
        self.store = DjangoCheckpointStore()
        self.ada = AgentConversation.objects.create(
            agent_key="onboarding", user=get_user_model().objects.create_user("ada"), title="Ada's"
        )
        self.commit(str(self.ada.pk), HELLO, REPLY, state={"step": "email"})
        self.commit("order 17", HELLO, owner="bob")

    def commit(self, name, *messages, agent="onboarding", **more):
        async_to_sync(self.store.commit)(name, agent, expected_version=None, messages=messages, **more)


class TestListing(Commands):
    def test_the_latest_come_first_and_nothing_that_was_said(self):
        lines = said("agent_conversations").splitlines()

        assert len(lines) == 2
        assert "'order 17'" in lines[0]
        assert lines[1].startswith(f"{self.ada.pk}  onboarding  ada  2 messages  ")
        assert "Hello" not in "".join(lines)

    def test_it_can_be_narrowed(self):
        assert str(self.ada.pk) in said("agent_conversations", user="ada")
        assert said("agent_conversations", user="eve") == said("agent_conversations", agent="sales") == ""
        assert len(said("agent_conversations", limit=1).splitlines()) == 1

    def test_json_is_one_line_for_each(self):
        first, second = map(json.loads, said("agent_conversations", "--json").splitlines())

        assert (first["name"], first["owner"], first["user"], first["message_count"]) == ("order 17", "bob", None, 1)
        assert (second["id"], second["user"], second["version"]) == (str(self.ada.pk), "ada", 1)


class TestShowing(Commands):
    def test_a_conversation_is_shown_with_state_messages_and_runs(self):
        run = AgentRun.objects.create(agent_key="onboarding", conversation=self.ada)

        text = said("agent_conversation", str(self.ada.pk))

        assert "version 1" in text
        assert 'state of onboarding (journey version 0):\n  {"step": "email"}' in text
        assert "messages (2 of 2):" in text
        assert '"content": "Good day"' in text
        assert f"{run.pk}  queued" in text

    def test_it_is_found_by_name_and_owner_or_by_its_row(self):
        shown = json.loads(said("agent_conversation", "order 17", "--owner", "bob", "--json"))

        assert shown["messages"] == [HELLO]
        assert json.loads(said("agent_conversation", shown["id"], "--json")) == shown
        for name in ("order 17", "nobody", str(uuid4())):
            with pytest.raises(CommandError, match=f"no conversation '{name}'"):
                said("agent_conversation", name)

    def test_only_the_last_messages_are_shown(self):
        text = said("agent_conversation", str(self.ada.pk), last=1)

        assert "messages (1 of 2):" in text
        assert "Hello" not in text

    def test_what_is_damaged_is_told_behind_the_rest(self):
        Message.objects.filter(conversation=self.ada, seq=0).update(body="{")
        self.ada.checkpoints.update(body="[]")
        out = io.StringIO()

        with pytest.raises(CommandError, match=r"state of 'onboarding' is damaged .*; message 0 is damaged"):
            call_command("agent_conversation", str(self.ada.pk), stdout=out)
        assert "Good day" in out.getvalue()


class TestPruning(Commands):
    def setUp(self):
        super().setUp()
        long_ago = timezone.now() - timedelta(days=100)
        AgentConversation.objects.filter(pk=self.ada.pk).update(updated_at=long_ago)
        AgentRun.objects.create(agent_key="a", conversation=self.ada)
        AgentRun.objects.create(agent_key="a", finished_at=long_ago)
        AgentRun.objects.create(agent_key="a", finished_at=timezone.now())

    def test_what_is_old_goes_with_its_runs(self):
        text = said("agent_prune", "--yes", older_than="90d")

        assert text.strip() == (
            "removed 1 conversations with 2 messages and 1 states, and 1 runs without a conversation"
        )
        assert [each.store_name for each in AgentConversation.objects.all()] == ["order 17"]
        assert AgentRun.objects.count() == 1

    def test_a_dry_run_removes_nothing(self):
        text = said("agent_prune", "--dry-run", older_than="90d")

        assert text.startswith("would remove 1 conversations with 2 messages and 1 states, and 1 runs")
        assert (AgentConversation.objects.count(), AgentRun.objects.count()) == (2, 3)

    def test_an_age_is_a_number_and_a_unit(self):
        assert "removed 0" in said("agent_prune", "--yes", older_than="30w")
        for age in ("90", "d", "-1d", "1y", "9999999999w"):
            with pytest.raises(CommandError, match="--older-than"):
                said("agent_prune", "--yes", older_than=age)

    def test_where_nobody_can_be_asked_nothing_goes(self):
        program = (
            "from tests.django_project.project import set_up; set_up()\n"
            "from django.core.management import call_command\n"
            "call_command('agent_prune', older_than='90d', skip_checks=True)"
        )
        done = subprocess.run([sys.executable, "-c", program], input="", capture_output=True, text=True, check=False)

        assert done.returncode == 1
        assert "nothing was removed; give --yes" in done.stderr


@dataclass
class Check:
    conversation_id: str
    outcome: str
    reason: str = ""
    step: str | None = "email"
    state_version: int = 1
    owner: str = ""


class Checked(AgentRuntime):
    """As an agent with journeys does it: it looks at each stored state."""

    key = "onboarding"

    def __init__(self, known: set[str]) -> None:
        self.known = known

    async def run(self, ctx):
        return RunResult()

    async def check_states(self, store):
        for info in await store.conversations():
            if self.key in info.agent_keys:
                state = (await store.load(info.conversation_id, self.key, owner=info.owner)).state
                fits = state["step"] in self.known
                reason = "" if fits else f"there is no step {state['step']!r}"
                yield Check(info.conversation_id, "fits" if fits else "fails", reason, state["step"])


class Plain(AgentRuntime):
    key = "plain"

    async def run(self, ctx):
        return RunResult()


class TestChecking(Commands):
    def setUp(self):
        super().setUp()
        clear_registry()
        self.addCleanup(clear_registry)

    def test_states_that_fit_are_counted(self):
        register_runtime(Checked({"email"}))
        register_runtime(Plain())

        lines = said("agent_check_journeys").splitlines()

        assert lines == [
            "onboarding: 1 conversations",
            "  1 go on as they are",
            "plain: Plain has no `check_states`; it was not checked",
        ]

    def test_states_that_do_not_fit_are_named_and_fail_the_command(self):
        for n in range(25):
            self.commit(f"c{n:02}", state={"step": "gone"})
        register_runtime(Checked({"email"}))
        out = io.StringIO()

        with pytest.raises(CommandError, match="25 stored states would fail"):
            call_command("agent_check_journeys", "onboarding", stdout=out)
        lines = out.getvalue().splitlines()
        assert lines[:4] == [
            "onboarding: 26 conversations",
            "  1 go on as they are",
            "  25 would fail",
            "  c00: version 1, step gone: there is no step 'gone'",
        ]
        assert lines[-1] == "  ... and 5 more; --all lists them"
        with pytest.raises(CommandError):
            call_command("agent_check_journeys", "--all", stdout=out)
        assert "c24" in out.getvalue()

    def test_an_unknown_agent_is_told(self):
        with pytest.raises(CommandError, match="Agent runtime not found: nobody"):
            said("agent_check_journeys", "nobody")
