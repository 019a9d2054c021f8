"""The admin: conversations are found and shown, runs are shown and cancelled, nothing of the history is edited."""

from __future__ import annotations

from uuid import uuid4

from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.test import TestCase
from django.urls import reverse

from django_agent_runtime.models import AgentConversation, AgentEvent, AgentRun, Message, RunStatus
from django_agent_runtime.stores import DjangoCheckpointStore

SCRIPT = "<script>alert(1)</script>"
LIST = "admin:django_agent_runtime_agentconversation_changelist"
PAGE = "admin:django_agent_runtime_agentconversation_change"
RUNS = "admin:django_agent_runtime_agentrun_changelist"
RUN = "admin:django_agent_runtime_agentrun_change"


class Admin(TestCase):
    def setUp(self):
        users = get_user_model().objects
        self.client.force_login(users.create_superuser("admin"))
        self.ada = AgentConversation.objects.create(
            agent_key="onboarding", title="A title", user=users.create_user("ada")
        )
        self.commit({"role": "user", "content": f'My "name" is Zoë {SCRIPT} \ud83d'}, state={"step": "email"})
        self.commit({"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "save_name"}}]})
        self.other = AgentConversation.objects.create(agent_key="sales")

    def commit(self, *messages, **more):
        async_to_sync(DjangoCheckpointStore().commit)(
            str(self.ada.pk), "onboarding", expected_version=None, messages=messages, **more
        )

    def page(self, name, *args, **query):
        answer = self.client.get(reverse(name, args=args), query)
        assert answer.status_code == 200
        return answer.content.decode()


class TestConversations(Admin):
    def test_the_list_tells_where_each_stands(self):
        text = self.page(LIST)

        assert '<td class="field-step">email</td>' in text
        assert '<td class="field-step">-</td>' in text
        assert '<td class="field-message_count">2</td>' in text

    def test_a_state_that_was_removed_is_no_step(self):
        async_to_sync(DjangoCheckpointStore().delete_state)(str(self.ada.pk), "onboarding")

        assert '<td class="field-step">email</td>' not in self.page(LIST)
        assert "&quot;step&quot;" not in self.page(PAGE, self.ada.pk)

    def test_conversations_are_found_by_anything_that_was_said(self):
        found = {"Zoë", 'My "name"', "save_name", "A title", "ada", "onboarding", str(self.ada.pk)}
        for term in found:
            text = self.page(LIST, q=term)
            assert str(self.ada.pk) in text, term
            assert str(self.other.pk) not in text, term
        assert "0 conversations" in self.page(LIST, q="nobody said this")

    def test_a_conversation_shows_what_was_said_and_the_state(self):
        text = self.page(PAGE, self.ada.pk)

        assert "My &quot;name&quot; is Zoë &lt;script&gt;alert(1)&lt;/script&gt; ?" in text
        assert SCRIPT not in text
        assert "save_name" in text
        assert "&quot;step&quot;: &quot;email&quot;" in text

    def test_only_title_and_metadata_are_edited(self):
        self.client.post(
            reverse(PAGE, args=[self.ada.pk]),
            {"title": "Another", "metadata": '{"n": 1}', "agent_key": "x", "version": 9},
        )

        row = AgentConversation.objects.get(pk=self.ada.pk)
        assert (row.title, row.metadata, row.agent_key, row.version) == ("Another", {"n": 1}, "onboarding", 2)

    def test_what_is_damaged_does_not_break_the_page(self):
        Message.objects.filter(conversation=self.ada, seq=0).update(body="{")
        self.ada.checkpoints.update(body="{")

        assert self.page(PAGE, self.ada.pk).count("cannot be read") == 2
        assert '<td class="field-step">cannot be read</td>' in self.page(LIST)

    def test_the_list_takes_as_many_queries_for_two_as_for_twenty(self):
        with self.assertNumQueries(5):
            self.page(LIST)
        for _ in range(18):
            AgentConversation.objects.create(agent_key="sales", user=self.ada.user)
        with self.assertNumQueries(5):
            self.page(LIST)

    def test_removing_one_takes_all_that_belongs_to_it(self):
        AgentRun.objects.create(agent_key="onboarding", conversation=self.ada)
        delete = "admin:django_agent_runtime_agentconversation_delete"
        assert self.client.post(reverse(delete, args=[self.ada.pk]), {"post": "yes"}).status_code == 302

        assert [each.pk for each in AgentConversation.objects.all()] == [self.other.pk]
        assert (Message.objects.count(), AgentRun.objects.count()) == (0, 0)

    def test_nothing_is_added_by_hand(self):
        for name in ("agentconversation", "agentrun"):
            assert self.client.get(reverse(f"admin:django_agent_runtime_{name}_add")).status_code == 403

    def test_a_name_of_a_conversation_that_is_no_uuid_is_found(self):
        async_to_sync(DjangoCheckpointStore().commit)("order 17", "sales", expected_version=0)

        assert "1 conversation" in self.page(LIST, q="order 17")


class TestRuns(Admin):
    def setUp(self):
        super().setUp()
        self.run_of_ada = AgentRun.objects.create(
            agent_key="onboarding",
            conversation=self.ada,
            status=RunStatus.RUNNING,
            input={"messages": [{"content": SCRIPT}]},
            error={"type": "ValueError"},
        )
        AgentEvent.objects.create(run=self.run_of_ada, seq=0, event_type="run.started", payload={"attempt": 1})
        AgentEvent.objects.create(run=self.run_of_ada, seq=1, event_type="tool.call", payload={"tool_name": "save"})

    def test_a_run_shows_what_happened_in_order(self):
        text = self.page(RUN, self.run_of_ada.pk)

        assert text.index("run.started") < text.index("tool.call")
        assert "&quot;tool_name&quot;: &quot;save&quot;" in text
        assert "ValueError" in text
        assert SCRIPT not in text
        assert reverse(PAGE, args=[self.ada.pk]) in text

    def test_runs_are_found(self):
        for term in (str(self.run_of_ada.pk), str(self.ada.pk), "onboarding"):
            assert "1 run" in self.page(RUNS, q=term), term
        assert "0 runs" in self.page(RUNS, q=str(uuid4()))
        assert "0 runs" in self.page(RUNS, status__exact="failed")

    def test_runs_that_go_on_are_asked_to_stop(self):
        ended = AgentRun.objects.create(agent_key="a", status=RunStatus.SUCCEEDED)

        answer = self.client.post(
            reverse(RUNS),
            {"action": "cancel_runs", "_selected_action": [self.run_of_ada.pk, ended.pk]},
            follow=True,
        )

        text = answer.content.decode()
        assert "1 asked to stop." in text
        assert "1 had ended before." in text
        assert AgentRun.objects.get(pk=self.run_of_ada.pk).cancel_requested_at is not None
        assert AgentRun.objects.get(pk=ended.pk).cancel_requested_at is None

    def test_who_may_only_look_cancels_nothing(self):
        from django.contrib.auth.models import Permission

        viewer = get_user_model().objects.create_user("viewer", is_staff=True)
        viewer.user_permissions.set(Permission.objects.filter(codename="view_agentrun"))
        self.client.force_login(viewer)

        assert "cancel_runs" not in self.page(RUNS)
        self.client.post(reverse(RUNS), {"action": "cancel_runs", "_selected_action": [self.run_of_ada.pk]})

        assert AgentRun.objects.get(pk=self.run_of_ada.pk).cancel_requested_at is None

    def test_a_conversation_lists_its_runs(self):
        assert reverse(RUN, args=[self.run_of_ada.pk]) in self.page(PAGE, self.ada.pk)
