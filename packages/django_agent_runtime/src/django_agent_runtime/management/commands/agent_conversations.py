"""`manage.py agent_conversations`: what conversations there are, newest first."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandParser

from django_agent_runtime.models import AgentConversation
from django_agent_runtime.models.names import name_of

__all__ = ["Command"]


class Command(BaseCommand):
    """Lists conversations; nothing that was said is told."""

    help = "List conversations, the one that was last written to first."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options."""
        parser.add_argument("--agent", metavar="KEY", help="Only those of this agent.")
        parser.add_argument("--user", metavar="NAME", help="Only those of this user, by user name.")
        parser.add_argument("--limit", type=int, default=50, metavar="N", help="How many at most (50).")
        parser.add_argument("--json", action="store_true", help="One line of JSON for each.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them."""
        rows = AgentConversation.objects.select_related("user").order_by("-updated_at")
        if options["agent"] is not None:
            rows = rows.filter(agent_key=options["agent"])
        if options["user"] is not None:
            rows = rows.filter(**{f"user__{get_user_model().USERNAME_FIELD}": options["user"]})
        for row in rows.defer("metadata")[: max(0, options["limit"])]:
            self.stdout.write(json.dumps(_told(row)) if options["json"] else _line(row))


def _told(row: AgentConversation) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "name": name_of(row.store_name, row.long_name),
        "owner": name_of(row.store_owner, row.long_owner),
        "agent_key": row.agent_key,
        "user": None if row.user is None else row.user.get_username(),
        "title": row.title,
        "version": row.version,
        "message_count": row.message_count,
        "created_at": row.created_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
    }


def _line(row: AgentConversation) -> str:
    user = "-" if row.user is None else row.user.get_username()
    name = "" if row.store_name == str(row.pk) else f"  {name_of(row.store_name, row.long_name)!a}"
    return (
        f"{row.pk}  {row.agent_key or '-'}  {user}  {row.message_count} messages  {row.updated_at:%Y-%m-%d %H:%M}{name}"
    )
