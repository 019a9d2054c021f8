"""A title for a conversation, by a model, from what was said first."""

from __future__ import annotations

import asyncio

from django_agent_runtime.conf import runtime_settings
from django_agent_runtime.models import AgentConversation, AgentRun, RunStatus
from django_agent_runtime.runtime.llm import get_llm_client
from django_agent_runtime.stores.database import Database

__all__ = ["give_title"]

_INSTRUCTION = (
    "Give the conversation a title of two to six words, in its language. Answer with the title alone, without quotes."
)
_LONGEST_TEXT = 2000
_LONGEST_TITLE = 255


async def give_title(run: AgentRun) -> None:
    """Ask the model of the settings for a title, if this was the conversation's first successful run.

    Raises:
        Exception: The model could not be asked, or the database not be used.
    """
    database = Database(None)
    conversation_id = run.conversation_id

    def is_first(alias: str) -> bool:
        others = AgentRun.objects.using(alias).filter(conversation=conversation_id, status=RunStatus.SUCCEEDED)
        return not others.exclude(pk=run.pk).exists()

    if not await database.run(is_first):
        return
    model = runtime_settings().TITLE_GENERATION_MODEL
    client = await asyncio.to_thread(get_llm_client, model=model)  # a vendor's SDK is slow to import
    try:
        said = _text(run)
        messages = [{"role": "system", "content": _INSTRUCTION}, {"role": "user", "content": said}]
        reply = await client.generate(messages, model=model)
    finally:
        await client.close()
    title = " ".join(str(reply.message.get("content") or "").split()).strip("\"'")[:_LONGEST_TITLE]
    if not title:
        return

    def write(alias: str) -> None:
        AgentConversation.objects.using(alias).filter(runs=run.pk, title="").update(title=title)

    await database.run(write)


def _text(run: AgentRun) -> str:
    messages = [*run.input.get("messages", []), *run.output.get("final_messages", [])]
    said = [each for each in messages if isinstance(each, dict) and each.get("role") in ("user", "assistant")]
    lines = [f"{each['role']}: {each['content']}" for each in said if isinstance(each.get("content"), str)]
    return "\n".join(lines)[:_LONGEST_TEXT]
