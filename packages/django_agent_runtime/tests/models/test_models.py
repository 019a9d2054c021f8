"""What the models say of a conversation and its runs; they read what the store has written."""

from __future__ import annotations

from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.db import DatabaseError, IntegrityError, transaction
from django.test import TestCase, override_settings

from agent_runtime_core.interfaces import Begun
from django_agent_runtime import models
from django_agent_runtime.models import (
    AgentCheckpoint,
    AgentConversation,
    AgentEvent,
    AgentRun,
    Message,
    RunStatus,
    base,
)
from django_agent_runtime.stores import DjangoCheckpointStore

USER = {"role": "user", "content": "My name is Ada"}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "save"}}]}
RESULT = {"role": "tool", "content": "Saved.", "tool_call_id": "1", "name": "save"}
REPLY = {"role": "assistant", "content": "Hello Ada", "metadata": {"score": 0.5}}
SYSTEM = {"role": "system", "content": "Be kind."}


class TestConversation(TestCase):
    def setUp(self):
        self.user = get_user_model().objects.create_user("ada")
        self.conversation = AgentConversation.objects.create(agent_key="onboarding", user=self.user)
        self.store = DjangoCheckpointStore()
        self.name = str(self.conversation.pk)

    def commit(self, *messages, **more):
        return async_to_sync(self.store.commit)(
            self.name, "onboarding", expected_version=None, messages=messages, **more
        )

    def test_names(self):
        assert str(self.conversation) == f"onboarding - {self.conversation.id}"
        assert str(AgentRun(agent_key="a", pk=self.conversation.pk)) == f"a - queued - {self.conversation.pk}"
        assert str(AgentEvent(event_type="run.started", seq=3)) == "run.started (seq=3)"
        assert str(AgentCheckpoint(seq=2)) == "Checkpoint 2"

    def test_the_history_is_what_the_store_has(self):
        self.commit(SYSTEM, USER, CALL, RESULT, {"role": "assistant", "content": ""}, REPLY)
        self.commit(USER, {"role": "user", "content": "yes"}, {"role": "user", "content": "yes"})

        history = self.conversation.get_message_history()

        without_content = {key: value for key, value in CALL.items() if value is not None}
        yes = {"role": "user", "content": "yes"}
        assert history == [USER, without_content, RESULT, REPLY, USER, yes, yes]
        assert self.conversation.get_last_assistant_message() == REPLY
        assert AgentConversation.objects.create().get_last_assistant_message() is None
        assert self.conversation.get_message_storage_mode() == "normalized"

    def test_what_runs_wrote_that_failed_is_left_out_unless_it_is_asked_for(self):
        run = AgentRun.objects.create(agent_key="onboarding", conversation=self.conversation, status=RunStatus.RUNNING)
        answer = async_to_sync(self.store.begin)(
            self.name, "onboarding", message=USER, message_id=str(run.pk), remember=True, lease_seconds=60
        )
        assert isinstance(answer, Begun)
        self.commit(REPLY, lease=answer.lease, state={"step": "email"}, finish={})

        assert list(run.messages.values_list("seq", flat=True)) == [0, 1]
        assert [each.state for each in run.checkpoints.all()] == [{"step": "email"}]
        assert self.conversation.get_message_history() == []
        assert self.conversation.get_message_history(include_failed_runs=True) == [USER, REPLY]
        AgentRun.objects.filter(pk=run.pk).update(status=RunStatus.SUCCEEDED)
        assert self.conversation.get_message_history() == [USER, REPLY]

    def test_saving_an_old_object_takes_nothing_back_that_the_store_has_written(self):
        old = AgentConversation.objects.get(pk=self.conversation.pk)
        self.commit(USER, state={"step": "name"})

        old.title = "A title"
        old.save()

        new = AgentConversation.objects.get(pk=self.conversation.pk)
        assert (new.title, new.version, new.message_count) == ("A title", 1, 1)
        assert new.updated_at >= old.created_at
        assert self.commit(REPLY) == 2

    def test_saving_what_was_read_in_part_writes_that_part(self):
        part = AgentConversation.objects.only("title").get(pk=self.conversation.pk)
        AgentConversation.objects.filter(pk=self.conversation.pk).update(metadata={"n": 1})

        part.title = "A title"
        with self.assertNumQueries(1):
            part.save()

        row = AgentConversation.objects.get(pk=self.conversation.pk)
        assert (row.title, row.metadata, row.agent_key) == ("A title", {"n": 1}, "onboarding")

    def test_saving_does_not_bring_a_removed_conversation_back(self):
        async_to_sync(self.store.delete)(self.name)

        with pytest.raises(DatabaseError), transaction.atomic():
            self.conversation.save()
        assert AgentConversation.objects.count() == 0

    def test_messages_are_read_by_their_parts(self):
        self.commit(CALL, RESULT, REPLY)
        call, result, reply = self.conversation.messages.all()

        assert (call.role, call.content, call.tool_calls) == ("assistant", None, CALL["tool_calls"])
        assert (result.role, result.tool_call_id, result.name) == ("tool", "1", "save")
        assert (reply.content, reply.metadata, reply.tool_calls) == ("Hello Ada", {"score": 0.5}, [])
        assert Message.from_dict(REPLY, self.conversation, seq=7).to_dict() == REPLY

    def test_a_user_who_is_removed_takes_the_conversations_along(self):
        self.commit(USER, state={"step": "name"})
        AgentRun.objects.create(agent_key="onboarding", conversation=self.conversation)

        self.user.delete()

        for model in (AgentConversation, Message, AgentCheckpoint, AgentRun):
            assert model.objects.count() == 0

    def test_the_owner_is_the_user_or_the_session(self):
        assert self.conversation.owner == self.user
        without = AgentConversation.objects.create()
        assert (without.owner, without.anonymous_session) == (None, None)

    def test_a_session_is_of_the_model_of_the_settings(self):
        # Any model whose key is a UUID will do here.
        session = AgentRun.objects.create(agent_key="stands for a session")
        without = AgentConversation.objects.create()

        without.anonymous_session = session
        without.save()

        with override_settings(DJANGO_AGENT_RUNTIME={"ANONYMOUS_SESSION_MODEL": "django_agent_runtime.AgentRun"}):
            found = AgentConversation.objects.get(pk=without.pk)
            assert found.anonymous_session == found.owner == session
            found.anonymous_session = None
            assert found.owner is None

    def test_the_latest_state_of_each_agent(self):
        self.commit(state={"step": "a"})
        self.commit(state={"step": "b"})
        async_to_sync(self.store.commit)(self.name, "claims", expected_version=None, state={"n": 1})
        async_to_sync(self.store.commit)(self.name, "gone", expected_version=None, state={"n": 1})
        async_to_sync(self.store.delete_state)(self.name, "gone")

        latest = self.conversation.latest_checkpoints()

        assert [(each.agent_key, each.state) for each in latest] == [
            ("claims", {"n": 1}),
            ("onboarding", {"step": "b"}),
        ]


class TestRun(TestCase):
    def test_a_run_begins_queued_and_ends_once(self):
        run = AgentRun.objects.create(agent_key="a")

        assert (run.status, run.attempt, run.max_attempts, run.is_terminal) == ("queued", 1, 3, False)
        assert (run.input, run.output, run.error, run.metadata) == ({}, {}, {}, {})
        for status in RunStatus:
            assert AgentRun(status=status).is_terminal == (status not in ("queued", "running"))

    def test_idempotency_keys_are_those_of_their_owner(self):
        AgentRun.objects.create(agent_key="a", owner_key="user:1", idempotency_key="k")
        AgentRun.objects.create(agent_key="a", owner_key="user:2", idempotency_key="k")
        for _ in range(2):
            AgentRun.objects.create(agent_key="a", owner_key="user:1")

        with pytest.raises(IntegrityError), transaction.atomic():
            AgentRun.objects.create(agent_key="a", owner_key="user:1", idempotency_key="k")

    def test_events_are_in_order_and_numbered_once(self):
        run = AgentRun.objects.create(agent_key="a")
        for seq in (1, 0):
            run.events.create(seq=seq, event_type="x")

        assert [event.seq for event in run.events.all()] == [0, 1]
        with pytest.raises(IntegrityError), transaction.atomic():
            run.events.create(seq=1, event_type="x")

    def test_a_run_without_its_supersedor_stands_again(self):
        old, new = AgentRun.objects.create(agent_key="a"), AgentRun.objects.create(agent_key="a")
        old.superseded_by = new
        old.save()
        assert list(new.supersedes.all()) == [old]

        new.delete()

        assert AgentRun.objects.get(pk=old.pk).superseded_by is None


class TestWorkflow(TestCase):
    def test_a_workflow_has_one_checkpoint_of_a_key(self):
        run_id = uuid4()
        checkpoint = models.StepCheckpoint.objects.create(run_id=run_id)
        checkpoint.events.create(run_id=run_id, event_type="step.started", step_name="a", step_index=0)

        assert (checkpoint.status, checkpoint.checkpoint_key) == ("pending", "_step_executor_state")
        assert str(checkpoint) == f"_step_executor_state - pending - {run_id}"
        assert [str(event) for event in checkpoint.events.all()] == ["step.started a"]
        with pytest.raises(IntegrityError), transaction.atomic():
            models.StepCheckpoint.objects.create(run_id=run_id)


def test_abstract_models_are_importable_from_both_places():
    for name in base.__all__:
        assert getattr(models, name) is getattr(base, name)
