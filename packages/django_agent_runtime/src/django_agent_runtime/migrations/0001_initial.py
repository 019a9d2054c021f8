"""Conversations with their messages, states, versions and line; runs with their events; progress of workflows."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import django_agent_runtime.models.documents
import django_agent_runtime.models.names


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AgentConversation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("anonymous_session_id", models.UUIDField(blank=True, db_index=True, null=True)),
                ("agent_key", models.CharField(blank=True, db_index=True, max_length=100)),
                ("title", models.CharField(blank=True, max_length=255)),
                ("metadata", django_agent_runtime.models.documents.AnyTextJSONField(blank=True, default=dict)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False)),
                (
                    "store_owner",
                    django_agent_runtime.models.names.NameField(blank=True, default="", editable=False, max_length=255),
                ),
                (
                    "store_name",
                    django_agent_runtime.models.names.ConversationNameField(default="", editable=False, max_length=255),
                ),
                ("long_owner", models.TextField(editable=False, null=True)),
                ("long_name", models.TextField(editable=False, null=True)),
                ("version", models.PositiveBigIntegerField(default=0, editable=False)),
                ("message_count", models.PositiveBigIntegerField(default=0, editable=False)),
                ("lease", models.BigIntegerField(default=0, editable=False)),
                ("lease_until", models.FloatField(default=0.0, editable=False)),
                ("lease_seconds", models.FloatField(default=0.0, editable=False)),
                ("running_id", django_agent_runtime.models.names.NameField(default="", editable=False, max_length=255)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="agent_conversations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "conversation",
                "db_table": "agent_runtime_conversation",
            },
        ),
        migrations.CreateModel(
            name="AgentRun",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("agent_key", models.CharField(db_index=True, max_length=100)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("running", "running"),
                            ("succeeded", "succeeded"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                            ("timed_out", "timed out"),
                        ],
                        db_index=True,
                        default="queued",
                        max_length=20,
                    ),
                ),
                ("input", django_agent_runtime.models.documents.AnyTextJSONField(blank=True, default=dict)),
                ("output", django_agent_runtime.models.documents.AnyTextJSONField(blank=True, default=dict)),
                ("error", django_agent_runtime.models.documents.AnyTextJSONField(blank=True, default=dict)),
                ("attempt", models.PositiveIntegerField(default=1)),
                ("max_attempts", models.PositiveIntegerField(default=3)),
                ("lease_owner", models.CharField(blank=True, max_length=255)),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("idempotency_key", models.CharField(blank=True, max_length=255, null=True)),
                ("cancel_requested_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("metadata", django_agent_runtime.models.documents.AnyTextJSONField(blank=True, default=dict)),
                (
                    "owner_key",
                    django_agent_runtime.models.names.NameField(blank=True, default="", editable=False, max_length=255),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="django_agent_runtime.agentconversation",
                    ),
                ),
                (
                    "superseded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="supersedes",
                        to="django_agent_runtime.agentrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "run",
                "db_table": "agent_runtime_run",
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="AgentEvent",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("seq", models.PositiveBigIntegerField()),
                ("event_type", models.CharField(max_length=50)),
                ("payload", django_agent_runtime.models.documents.AnyTextJSONField(blank=True, default=dict)),
                ("timestamp", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="django_agent_runtime.agentrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "event",
                "db_table": "agent_runtime_event",
                "ordering": ["seq"],
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="agentconversation",
            name="current_run",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="django_agent_runtime.agentrun",
            ),
        ),
        migrations.CreateModel(
            name="AgentCheckpoint",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("agent_key", django_agent_runtime.models.names.NameField(max_length=255)),
                ("seq", models.PositiveBigIntegerField()),
                ("journey_version", models.BigIntegerField(default=0)),
                ("body", models.TextField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("long_agent", models.TextField(editable=False, null=True)),
                (
                    "conversation",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="checkpoints",
                        to="django_agent_runtime.agentconversation",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="checkpoints",
                        to="django_agent_runtime.agentrun",
                    ),
                ),
            ],
            options={
                "db_table": "agent_runtime_checkpoint",
                "ordering": ["seq"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ConversationVersion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("version", models.PositiveBigIntegerField()),
                ("message_count", models.PositiveBigIntegerField()),
                ("committed_at", models.DateTimeField()),
                (
                    "conversation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="django_agent_runtime.agentconversation",
                    ),
                ),
            ],
            options={
                "db_table": "agent_runtime_version",
                "ordering": ["version"],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("seq", models.PositiveBigIntegerField()),
                ("body", models.TextField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "conversation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="django_agent_runtime.agentconversation",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="messages",
                        to="django_agent_runtime.agentrun",
                    ),
                ),
            ],
            options={
                "db_table": "agent_runtime_message",
                "ordering": ["seq"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("message_id", django_agent_runtime.models.names.NameField(max_length=255)),
                ("position", models.PositiveBigIntegerField()),
                ("end_position", models.PositiveBigIntegerField(null=True)),
                ("remember", models.BooleanField()),
                ("result", models.TextField(null=True)),
                (
                    "conversation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="receipts",
                        to="django_agent_runtime.agentconversation",
                    ),
                ),
            ],
            options={
                "db_table": "agent_runtime_receipt",
            },
        ),
        migrations.CreateModel(
            name="StepCheckpoint",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("run_id", models.UUIDField(db_index=True)),
                ("conversation_id", models.UUIDField(blank=True, db_index=True, null=True)),
                ("checkpoint_key", models.CharField(default="_step_executor_state", max_length=255)),
                ("execution_id", models.UUIDField(default=uuid.uuid4)),
                ("current_step_index", models.PositiveIntegerField(default=0)),
                ("completed_steps", django_agent_runtime.models.documents.AnyTextJSONField(blank=True, default=list)),
                ("step_results", django_agent_runtime.models.documents.AnyTextJSONField(blank=True, default=dict)),
                ("custom_state", django_agent_runtime.models.documents.AnyTextJSONField(blank=True, default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("running", "running"),
                            ("completed", "completed"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                            ("retrying", "retrying"),
                        ],
                        db_index=True,
                        default="pending",
                        max_length=20,
                    ),
                ),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                ("last_error", models.TextField(blank=True)),
                ("total_attempts", models.PositiveIntegerField(default=0)),
                ("metadata", django_agent_runtime.models.documents.AnyTextJSONField(blank=True, default=dict)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="step_checkpoints",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "agent_step_checkpoint",
            },
        ),
        migrations.CreateModel(
            name="StepEvent",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("run_id", models.UUIDField(db_index=True)),
                ("event_type", models.CharField(max_length=50)),
                ("step_name", models.CharField(blank=True, max_length=255)),
                ("step_index", models.IntegerField(blank=True, null=True)),
                ("payload", django_agent_runtime.models.documents.AnyTextJSONField(blank=True, default=dict)),
                ("timestamp", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                (
                    "checkpoint",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="django_agent_runtime.stepcheckpoint",
                    ),
                ),
            ],
            options={
                "db_table": "agent_step_event",
                "ordering": ["timestamp"],
            },
        ),
        migrations.CreateModel(
            name="WaitingMessage",
            fields=[
                ("place", models.BigAutoField(primary_key=True, serialize=False)),
                ("message_id", django_agent_runtime.models.names.NameField(max_length=255)),
                ("body", models.TextField()),
                ("remember", models.BooleanField()),
                ("merges", models.BooleanField()),
                ("until", models.FloatField()),
                ("seconds", models.FloatField()),
                (
                    "conversation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="waiting",
                        to="django_agent_runtime.agentconversation",
                    ),
                ),
            ],
            options={
                "db_table": "agent_runtime_waiting",
                "ordering": ["place"],
            },
        ),
        migrations.AddIndex(
            model_name="agentrun",
            index=models.Index(fields=["status", "created_at"], name="agent_runtime_run_line"),
        ),
        migrations.AddConstraint(
            model_name="agentrun",
            constraint=models.UniqueConstraint(
                fields=("owner_key", "idempotency_key"), name="agent_runtime_run_idempotency"
            ),
        ),
        migrations.AddConstraint(
            model_name="agentevent",
            constraint=models.UniqueConstraint(fields=("run", "seq"), name="agent_runtime_event_place"),
        ),
        migrations.AddConstraint(
            model_name="agentconversation",
            constraint=models.UniqueConstraint(
                fields=("store_owner", "store_name"), name="agent_runtime_conversation_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="agentcheckpoint",
            constraint=models.UniqueConstraint(
                fields=("conversation", "agent_key", "seq"), name="agent_runtime_checkpoint_place"
            ),
        ),
        migrations.AddConstraint(
            model_name="agentcheckpoint",
            constraint=models.UniqueConstraint(fields=("run", "seq"), name="agent_runtime_checkpoint_of_run"),
        ),
        migrations.AddConstraint(
            model_name="conversationversion",
            constraint=models.UniqueConstraint(fields=("conversation", "version"), name="agent_runtime_version_place"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(fields=("conversation", "seq"), name="agent_runtime_message_place"),
        ),
        migrations.AddConstraint(
            model_name="receipt",
            constraint=models.UniqueConstraint(fields=("conversation", "message_id"), name="agent_runtime_receipt_id"),
        ),
        migrations.AddConstraint(
            model_name="stepcheckpoint",
            constraint=models.UniqueConstraint(fields=("run_id", "checkpoint_key"), name="agent_step_checkpoint_key"),
        ),
        migrations.AddConstraint(
            model_name="waitingmessage",
            constraint=models.UniqueConstraint(fields=("conversation", "message_id"), name="agent_runtime_waiting_id"),
        ),
    ]
