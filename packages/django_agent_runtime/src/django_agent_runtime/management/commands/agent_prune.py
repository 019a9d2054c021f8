"""`manage.py agent_prune`: removes conversations that nobody has written to for long, with all that belongs to them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from agent_runtime_core.housekeeping import prune
from django_agent_runtime.models import AgentCheckpoint, AgentRun
from django_agent_runtime.stores import DjangoCheckpointStore

__all__ = ["Command"]

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "w": "weeks"}


class Command(BaseCommand):
    """Removes what is old."""

    help = "Remove conversations, with their runs, that were not written to for a time; and old runs without one."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options."""
        parser.add_argument("--older-than", required=True, metavar="AGE", help="Such as 90d, 12h or 30m.")
        parser.add_argument("--dry-run", action="store_true", help="Remove nothing, and tell what would go.")
        parser.add_argument("--yes", "-y", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Remove them, and tell what went.

        Raises:
            CommandError: The age is none, or the answer was no.
        """
        age = _age(options["older_than"])
        dry_run = options["dry_run"]
        if not (dry_run or options["yes"]) and not _agreed(options["older_than"]):
            raise CommandError("nothing was removed; give --yes where nobody can be asked")
        runs = AgentRun.objects.filter(conversation=None, finished_at__lt=timezone.now() - age)
        orphans = runs.count() if dry_run else runs.delete()[1].get("django_agent_runtime.AgentRun", 0)
        if not dry_run:
            AgentCheckpoint.objects.filter(conversation=None, run=None).delete()  # states of runs that are no more
        removed = async_to_sync(prune)(DjangoCheckpointStore(), older_than=age, dry_run=dry_run)
        self.stdout.write(
            f"{'would remove' if dry_run else 'removed'} {removed.conversations} conversations with "
            f"{removed.messages} messages and {removed.states} states, and {orphans} runs without a conversation"
        )


def _age(text: str) -> timedelta:
    found = re.fullmatch(r"(\d+)([dhmw])", text.strip())
    if found is None:
        raise CommandError(f"--older-than is {text!r}; give a number and d, h, m or w, such as 90d")
    try:
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError as error:
        raise CommandError(f"--older-than is {text!r}, which is before the calendar begins") from error


def _agreed(age: str) -> bool:
    try:
        return input(f"Remove every conversation that is older than {age}? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
