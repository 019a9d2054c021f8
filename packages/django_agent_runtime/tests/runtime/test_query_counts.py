"""A run asks the database as often in a long conversation as in a short one."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.db.backends.signals import connection_created

from agent_runtime_core.interfaces import RunResult
from agent_runtime_core.testing import FunctionLLM
from django_agent_runtime.models import AgentConversation, AgentRun, Message
from django_agent_runtime.runtime.runs import asubmit
from tests.django_project.agents import Agent, said
from tests.django_project.journey import Onboarding
from tests.django_project.runs import ended


async def conversation_of(length: int, agent_key: str) -> AgentConversation:
    """A conversation with so many messages."""

    def write() -> AgentConversation:
        conversation = AgentConversation.objects.create(agent_key=agent_key)
        Message.objects.bulk_create(
            Message.from_dict({"role": ("user", "assistant")[n % 2], "content": f"{n}"}, conversation, seq=n)
            for n in range(length)
        )
        AgentConversation.objects.filter(pk=conversation.pk).update(message_count=length, version=1)
        return conversation

    return await sync_to_async(write)()


async def queries_of(agent_key: str, length: int) -> int:
    """How many statements a run of such a conversation executes."""
    conversation = await conversation_of(length, agent_key)
    statements: list[str] = []

    def note(execute, sql, params, many, context):
        statements.append(sql)
        return execute(sql, params, many, context)

    def wrap(sender, connection, **_):
        connection.execute_wrappers.append(note)  # it is closed with the run

    connection_created.connect(wrap)
    try:
        run = await AgentRun.objects.acreate(agent_key=agent_key, conversation=conversation, input=said("Hi"))
        await asubmit(run)
        assert (await ended(run)).status == "succeeded"
    finally:
        connection_created.disconnect(wrap)
    assert statements
    return len([sql for sql in statements if not sql.startswith(("SAVEPOINT", "RELEASE"))])


@pytest.mark.parametrize("agent_key", ["agent", "onboarding"])
async def test_a_run_of_a_long_conversation_asks_no_more(runs_alias, registered, agent_key):
    seen = []

    async def work(ctx):
        seen.append(len(ctx.input_messages))
        reply = {"role": "assistant", "content": "Hello!"}
        return RunResult(final_messages=[reply])

    def answer(messages, tools):
        seen.append(len(messages))
        return "Hello!"

    registered(Agent(work))
    registered(Onboarding(FunctionLLM(answer)))
    first = await AgentRun.objects.acreate(agent_key="agent", input=said("Hi"))
    await asubmit(first)  # the process begins to execute runs
    await ended(first)
    seen.clear()

    short, long = await queries_of(agent_key, 10), await queries_of(agent_key, 1000)

    assert seen[0] >= 10
    assert seen[1] >= 200  # a journey looks at the last 200
    assert short == long
    print(f"{long} statements")
    assert long <= 40
