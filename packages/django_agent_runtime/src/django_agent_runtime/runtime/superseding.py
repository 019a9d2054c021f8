"""A message that is said anew: an agent that keeps its conversation goes back to where the first one was said."""

from __future__ import annotations

import logging

from django.db.models import Min

from django_agent_runtime.conf import runtime_settings
from django_agent_runtime.models import AgentRun, ConversationVersion, Message
from django_agent_runtime.runtime.rows import locked_run
from django_agent_runtime.stores import housekeeping
from django_agent_runtime.stores.head import ALL

__all__ = ["go_back", "supersedes"]

_LOGGER = logging.getLogger("django_agent_runtime.runtime")


def supersedes(alias: str, run: AgentRun) -> bool:
    """Whether there is a run whose place this one takes."""
    return AgentRun.objects.using(alias).filter(superseded_by=run.pk).exists()


def go_back(alias: str, run: AgentRun) -> None:
    """Take messages and states out of the conversation that came with the runs which this one supersedes, or later.

    Nothing happens when the run supersedes none, or has said something already.

    Raises:
        ConversationBusy: Somebody else is at the conversation.
    """
    locked_run(alias, run.pk)  # on SQLite whoever reads first in a transaction may not come to write
    rows = Message.objects.using(alias).filter(conversation=run.conversation_id)
    first = rows.filter(run__superseded_by=run.pk).aggregate(first=Min("seq"))["first"]
    if first is None or rows.filter(run=run.pk).exists():
        return
    name, keep = str(run.conversation_id), runtime_settings().KEEP_VERSIONS or ALL
    versions = ConversationVersion.objects.using(alias).filter(conversation=run.conversation_id)
    version = versions.filter(message_count__lte=first).order_by("-version").values_list("version", flat=True).first()
    if version is not None:
        housekeeping.rewind(alias, "", name, version, keep)
    elif first == 0:
        housekeeping.delete_messages(alias, "", name, keep)
        housekeeping.delete_state(alias, "", name, run.agent_key, keep)
    else:
        _LOGGER.warning("run %s: conversation %s keeps no version that is so old; it is not turned back", run.pk, name)
