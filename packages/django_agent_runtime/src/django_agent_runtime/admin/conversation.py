"""Conversations: found by what was said, shown with what was said and where each agent stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest

from django_agent_runtime.admin.pieces import STYLE, as_json, as_text, link_to, table
from django_agent_runtime.models import AgentCheckpoint, AgentConversation, Message
from django_agent_runtime.models.documents import read_document
from django_agent_runtime.models.names import name_of

__all__ = ["AgentConversationAdmin"]

_SHOWN_MESSAGES = 200
_DAMAGED = "cannot be read"


if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[AgentConversation]
else:
    _Admin = admin.ModelAdmin


@admin.register(AgentConversation)
class AgentConversationAdmin(_Admin):
    """The history and the states are shown, and not edited: the store writes them."""

    list_display = ("id", "agent_key", "title", "user", "step", "message_count", "updated_at")
    list_filter = ("agent_key", "updated_at")
    list_select_related = ("user",)
    ordering = ("-updated_at",)
    search_help_text = "Title, agent, user, id, or anything that was said"
    show_full_result_count = False
    fields = (
        "id",
        "agent_key",
        "title",
        "user",
        "anonymous_session_id",
        "metadata",
        "version",
        "created_at",
        "updated_at",
        "states",
        "messages",
        "runs",
    )

    class Media:
        css = STYLE

    readonly_fields: ClassVar[list[str]] = [name for name in fields if name not in ("title", "metadata")]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """The columns that are searched beside the messages."""
        return ["title", "agent_key", "store_name", f"user__{get_user_model().USERNAME_FIELD}"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AgentConversation]:
        """Conversations, each with the latest state in it."""
        later = AgentCheckpoint.objects.filter(
            conversation=OuterRef("conversation"), agent_key=OuterRef("agent_key"), seq__gt=OuterRef("seq")
        )
        states = AgentCheckpoint.objects.filter(~Exists(later), conversation=OuterRef("pk"), body__isnull=False)
        latest = states.order_by("-seq").values("body")[:1]
        return super().get_queryset(request).annotate(latest_body=Subquery(latest))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AgentConversation], search_term: str
    ) -> tuple[QuerySet[AgentConversation], bool]:
        """Those whose columns have every word, and those in which the whole term was said."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if search_term:
            written = json.dumps(search_term, ensure_ascii=False)[1:-1]
            said = Message.objects.filter(conversation=OuterRef("pk"), body__icontains=written)
            found = queryset.filter(Q(pk__in=found.values("pk")) | Exists(said))
        return found, may_repeat

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Conversations begin with a message."""
        return False

    @admin.display(description="step")
    def step(self, conversation: AgentConversation) -> str:
        """Where the agent that was last at work stands."""
        body = getattr(conversation, "latest_body", None)
        if body is None:
            return "-"
        try:
            step = read_document(body).get("step")
        except ValueError:
            return _DAMAGED
        return step if isinstance(step, str) else "-"

    @admin.display(description="states")
    def states(self, conversation: AgentConversation) -> Any:
        """The present state of each agent."""
        rows = [
            (name_of(each.agent_key, each.long_agent), each.journey_version, f"version {each.seq}", _state(each))
            for each in conversation.latest_checkpoints()
        ]
        return table(("agent", "journey", "written with", "state"), rows, name="agent-states") if rows else "-"

    @admin.display(description="messages")
    def messages(self, conversation: AgentConversation) -> Any:
        """What was said, the latest at the end."""
        latest = conversation.messages.select_related("run").order_by("-seq")[:_SHOWN_MESSAGES]
        rows = [(each.seq, *_said(each), each.created_at, link_to(each.run, "run")) for each in reversed(latest)]
        return table(("", "role", "message", "time", ""), rows, name="agent-messages") if rows else "-"

    @admin.display(description="runs")
    def runs(self, conversation: AgentConversation) -> Any:
        """The latest runs."""
        rows = [(link_to(each, str(each.id)), each.status, each.created_at) for each in conversation.runs.all()[:50]]
        return table(("run", "status", "since"), rows, name="agent-runs") if rows else "-"


def _state(checkpoint: AgentCheckpoint) -> Any:
    try:
        return as_json(checkpoint.state)
    except ValueError:
        return _DAMAGED


def _said(message: Message) -> tuple[str, Any]:
    """Who speaks, and what: a text as it is, anything else as JSON."""
    try:
        data = message.to_dict()
    except ValueError:
        return "?", _DAMAGED
    content = data.get("content")
    if isinstance(content, str) and not data.get("tool_calls"):
        return str(data.get("role", "")), as_text(content)
    return str(data.get("role", "")), as_json({key: value for key, value in data.items() if key != "role"})
