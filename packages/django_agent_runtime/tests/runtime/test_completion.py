"""What a successful run sets off: the hook and the title."""

from __future__ import annotations

import asyncio
import queue
from typing import Any

import pytest

from agent_runtime_core.interfaces import RunResult
from agent_runtime_core.testing import ScriptedLLM
from django_agent_runtime.models import AgentConversation, AgentRun
from django_agent_runtime.runtime import titles
from django_agent_runtime.runtime.runs import asubmit
from tests.django_project.agents import Agent, said
from tests.django_project.runs import ended

CALLS: queue.SimpleQueue[tuple[str, str, dict[str, Any]]] = queue.SimpleQueue()


def note(run_id: str, output: dict[str, Any]) -> None:
    """A project's hook, which uses the ORM."""
    CALLS.put((run_id, AgentRun.objects.get(pk=run_id).status, output["final_output"]))


def fail(run_id: str, output: dict[str, Any]) -> None:
    """A project's hook that breaks."""
    note(run_id, output)
    raise RuntimeError("a hook")


async def work(ctx):
    reply = {"role": "assistant", "content": "Hello!"}
    return RunResult(final_output={"response": "Hello!"}, final_messages=[reply])


async def done(agent: Agent, **fields: Any) -> AgentRun:
    run = await AgentRun.objects.acreate(agent_key=agent.key, input=said("Hi there"), **fields)
    await asubmit(run)
    return await ended(run)


@pytest.mark.parametrize("hook", [note, fail])
async def test_the_hook_is_called_with_the_committed_run(runs_alias, registered, runtime_setting, hook):
    runtime_setting(RUN_COMPLETED_HOOK=f"{__name__}.{hook.__name__}")

    run = await done(registered(Agent(work)))

    called = await asyncio.to_thread(CALLS.get, True, 30)
    assert called == (str(run.pk), "succeeded", {"response": "Hello!"})
    assert (await AgentRun.objects.aget(pk=run.pk)).status == "succeeded"


async def test_the_first_successful_run_gives_a_title(runs_alias, registered, runtime_setting, monkeypatch):
    scripted = ScriptedLLM(['"A  friendly greeting"\n'])

    def client(model: str) -> ScriptedLLM:
        return scripted

    monkeypatch.setattr(titles, "get_llm_client", client)
    runtime_setting(AUTO_GENERATE_CONVERSATION_TITLE=True)
    agent = registered(Agent(work))
    conversation = await AgentConversation.objects.acreate(agent_key=agent.key)

    await done(agent, conversation=conversation)
    await titled(conversation)
    await done(agent, conversation=await AgentConversation.objects.aget(pk=conversation.pk))

    assert (await AgentConversation.objects.aget(pk=conversation.pk)).title == "A friendly greeting"
    (call,) = scripted.calls
    assert "user: Hi there" in str(call)


async def titled(conversation: AgentConversation) -> None:
    async with asyncio.timeout(30):
        while True:
            if (await AgentConversation.objects.aget(pk=conversation.pk)).title:
                return
            await asyncio.sleep(0.01)


async def test_a_conversation_without_a_model_goes_without_a_title(
    runs_alias, registered, runtime_setting, monkeypatch, caplog
):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    runtime_setting(AUTO_GENERATE_CONVERSATION_TITLE=True)
    agent = registered(Agent(work))
    conversation = await AgentConversation.objects.acreate(agent_key=agent.key)

    assert (await done(agent, conversation=conversation)).status == "succeeded"

    async with asyncio.timeout(60):
        while True:
            if "was given no title" in caplog.text:
                break
            await asyncio.sleep(0.01)


async def test_debug_mode_tries_nothing_again(runs_alias, registered, runtime_setting, caplog):
    runtime_setting(SWALLOW_EXCEPTIONS=False)

    async def broken(ctx):
        raise ValueError("look here")

    run = await done(registered(Agent(broken)))

    assert (run.status, run.attempt) == ("failed", 1)
    assert any(record.levelname == "ERROR" and record.exc_info for record in caplog.records)
