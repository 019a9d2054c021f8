"""`manage.py agent_check_journeys`: whether the agents' present code still reads what is stored."""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing
from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_agent_runtime.runtime.registry import get_runtime, list_runtimes
from django_agent_runtime.runtime.state_checks import ChecksStates
from django_agent_runtime.stores import DjangoCheckpointStore

__all__ = ["Command"]

_LISTED = 20
_WORDS = {
    "fits": "go on as they are",
    "migrates": "go on after a migration, which works",
    "pinned": "go on with the older journey",
    "restarts": "would begin anew",
    "fails": "would fail",
}


class Command(BaseCommand):
    """Tries every stored state on the code that is here."""

    help = "Try every stored state on the agents' present code; the exit code is 1 when one would fail."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options."""
        parser.add_argument("agents", nargs="*", metavar="KEY", help="The agents; all that are registered without it.")
        parser.add_argument("--all", action="store_true", help=f"List all misfits, not only the first {_LISTED}.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what would become of the states.

        Raises:
            CommandError: One would fail, or there is no such agent.
        """
        store = DjangoCheckpointStore()
        failing = 0
        for key in options["agents"] or list_runtimes():
            try:
                runtime = get_runtime(key)
            except KeyError as error:
                raise CommandError(str(error.args[0])) from error
            if isinstance(runtime, ChecksStates):
                failing += async_to_sync(self._checked)(key, runtime, store, options["all"])
            else:
                self.stdout.write(f"{key}: {type(runtime).__name__} has no `check_states`; it was not checked")
        if failing:
            raise CommandError(f"{failing} stored states would fail")

    async def _checked(self, key: str, runtime: ChecksStates, store: DjangoCheckpointStore, everything: bool) -> int:
        counts: Counter[str] = Counter()
        misfits: list[str] = []
        async with aclosing(runtime.check_states(store)) as checks:
            async for each in checks:
                counts[each.outcome] += 1
                if each.reason and (everything or len(misfits) < _LISTED):
                    step = "" if each.step is None else f", step {each.step}"
                    misfits.append(f"  {each.conversation_id}: version {each.state_version}{step}: {each.reason}")
        self.stdout.write(f"{key}: {counts.total()} conversations")
        for outcome, words in _WORDS.items():
            if counts[outcome]:
                self.stdout.write(f"  {counts[outcome]} {words}")
        for line in misfits:
            self.stdout.write(line)
        left_out = counts["fails"] + counts["restarts"] - len(misfits)
        if left_out > 0:
            self.stdout.write(f"  ... and {left_out} more; --all lists them")
        return counts["fails"]
