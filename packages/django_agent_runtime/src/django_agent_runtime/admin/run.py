"""Runs: what was asked, how far each is, what happened in it; those that go on can be cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from django_agent_runtime.admin.pieces import STYLE, as_json, link_to, table
from django_agent_runtime.models import AgentRun
from django_agent_runtime.runtime.runs import cancel

__all__ = ["AgentRunAdmin"]

_SHOWN_EVENTS = 500


if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[AgentRun]
else:
    _Admin = admin.ModelAdmin


@admin.register(AgentRun)
class AgentRunAdmin(_Admin):
    """Runs are looked at, not edited."""

    list_display = ("id", "agent_key", "status", "conversation_link", "attempt", "created_at", "finished_at")
    list_filter = ("status", "agent_key", "created_at")
    list_select_related = ("conversation",)
    search_fields = ("=id", "agent_key", "=conversation__id", "=idempotency_key")
    search_help_text = "Id of the run or of its conversation, agent, idempotency key"
    show_full_result_count = False
    actions = ("cancel_runs",)
    fields = (
        "id",
        "agent_key",
        "status",
        "conversation_link",
        "attempt",
        "max_attempts",
        "idempotency_key",
        "created_at",
        "started_at",
        "cancel_requested_at",
        "finished_at",
        "input_shown",
        "output_shown",
        "error_shown",
        "metadata_shown",
        "events",
    )

    class Media:
        css = STYLE

    readonly_fields: ClassVar[list[str]] = [*fields]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Runs begin with a message."""
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of a run, without buttons that save nothing."""
        nothing = {"show_save": False, "show_save_and_continue": False}
        return super().change_view(request, object_id, form_url, {**nothing, **(extra_context or {})})

    @admin.action(description="Cancel selected runs", permissions=["change"])
    def cancel_runs(self, request: HttpRequest, queryset: QuerySet[AgentRun]) -> None:
        """Ask each run that has not ended to stop."""
        asked = sum(cancel(pk) for pk in queryset.values_list("pk", flat=True))
        ended = queryset.count() - asked
        if asked:
            self.message_user(request, f"{asked} asked to stop.", messages.SUCCESS)
        if ended:
            self.message_user(request, f"{ended} had ended before.", messages.WARNING)

    @admin.display(description="conversation")
    def conversation_link(self, run: AgentRun) -> Any:
        """The page of its conversation."""
        return link_to(run.conversation, str(run.conversation_id))

    @admin.display(description="input")
    def input_shown(self, run: AgentRun) -> Any:
        """What was asked."""
        return as_json(run.input)

    @admin.display(description="output")
    def output_shown(self, run: AgentRun) -> Any:
        """What came of it."""
        return as_json(run.output)

    @admin.display(description="error")
    def error_shown(self, run: AgentRun) -> Any:
        """Why it failed."""
        return as_json(run.error)

    @admin.display(description="metadata")
    def metadata_shown(self, run: AgentRun) -> Any:
        """Notes."""
        return as_json(run.metadata)

    @admin.display(description="events")
    def events(self, run: AgentRun) -> Any:
        """What happened, the latest at the end."""
        latest = run.events.order_by("-seq")[:_SHOWN_EVENTS]
        rows = [(each.seq, each.event_type, as_json(each.payload), each.timestamp) for each in reversed(latest)]
        return table(("", "event", "payload", "time"), rows, name="agent-events") if rows else "-"
