"""`manage.py agent_conversation ID`: what was said, where each agent stands, and what runs there were."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_agent_runtime.models import AgentConversation
from django_agent_runtime.models.names import key_of, name_of

__all__ = ["Command"]


class Command(BaseCommand):
    """Shows one conversation."""

    help = "Show a conversation: its messages, the states of its agents, its runs."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options."""
        parser.add_argument("conversation", metavar="ID", help="Its id, or the name that the store has it under.")
        parser.add_argument("--owner", default="", metavar="OWNER", help="Whose it is in the store, with a name.")
        parser.add_argument("--last", type=int, default=20, metavar="N", help="How many of the last messages (20).")
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it.

        Raises:
            CommandError: There is no such conversation, or something of it cannot be read; the rest is shown.
        """
        row = _found(options["conversation"], options["owner"])
        shown, damages = _shown(row, max(0, options["last"]))
        if options["json"]:
            self.stdout.write(json.dumps({**shown, **({"unreadable": damages} if damages else {})}, indent=2))
        else:
            self._tell(shown)
        if damages:
            raise CommandError("; ".join(damages))

    def _tell(self, shown: dict[str, Any]) -> None:
        self.stdout.write(f"{shown['id']}  {shown['agent_key'] or '-'}  version {shown['version']}")
        for agent_key, state in shown["states"].items():
            self.stdout.write(f"state of {agent_key} (journey version {state['state_version']}):")
            self.stdout.write(f"  {json.dumps(state['state'])}")
        self.stdout.write(f"messages ({len(shown['messages'])} of {shown['message_count']}):")
        for message in shown["messages"]:
            self.stdout.write(f"  {json.dumps(message)}")
        self.stdout.write(f"runs ({len(shown['runs'])}):")
        for run in shown["runs"]:
            self.stdout.write(f"  {run['id']}  {run['status']}  {run['created_at']}")


def _found(name: str, owner: str) -> AgentConversation:
    rows = AgentConversation.objects.all()
    row = rows.filter(store_owner=key_of(owner), store_name=key_of(name)).first()
    if row is None and not owner:
        try:
            row = rows.filter(pk=UUID(name)).first()
        except ValueError:
            row = None
    if row is None:
        raise CommandError(f"there is no conversation {name!r}; `manage.py agent_conversations` lists those there are")
    return row


def _shown(row: AgentConversation, last: int) -> tuple[dict[str, Any], list[str]]:
    damages: list[str] = []
    states: dict[str, Any] = {}
    for each in row.latest_checkpoints():
        agent_key = name_of(each.agent_key, each.long_agent)
        try:
            states[agent_key] = {"state": each.state, "state_version": each.journey_version}
        except ValueError as error:
            damages.append(f"the state of {agent_key!r} is damaged ({error})")
    messages = []
    for message in reversed(row.messages.order_by("-seq")[:last]):
        try:
            messages.append(message.to_dict())
        except ValueError as error:
            damages.append(f"message {message.seq} is damaged ({error})")
    shown = {
        "id": str(row.pk),
        "agent_key": row.agent_key,
        "version": row.version,
        "message_count": row.message_count,
        "states": states,
        "messages": messages,
        "runs": [
            {"id": str(run.pk), "status": run.status, "created_at": run.created_at.isoformat()}
            for run in row.runs.all()[:20]
        ],
    }
    return shown, damages
