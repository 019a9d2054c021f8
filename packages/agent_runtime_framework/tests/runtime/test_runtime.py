"""Agents on the engine of this process: the same journeys, submitted, followed, cancelled, and done once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.contexts import DurableRunContext
from agent_runtime_core.engines import DurableContext, InProcessRunEngine, RunEnd, RunRequest, RunStatus
from agent_runtime_core.errors import ConfigError, LLMRejected, LLMUnavailable, RunNotFound, StoreUnavailable
from agent_runtime_core.interfaces import AgentRuntime, RunContext, RunResult
from agent_runtime_core.steps import Step as WorkflowStep
from agent_runtime_core.steps import StepExecutor
from agent_runtime_core.stores import InMemoryCheckpointStore
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import JourneyRouter, ToolSchemaBuilder, tool
from agent_runtime_framework.runtime import RunNotSucceeded, Runtime

from .payment_journey import Payment, PaymentTools, Step


class UnsteadyStore(InMemoryCheckpointStore):
    """A store that is out of reach at some of its commits, counted from 1, or after some that it has made."""

    def __init__(self, *fails_at: int, fails_after: int = 0) -> None:
        super().__init__()
        self.fails_at = set(fails_at)
        self.fails_after = fails_after
        self.commits = 0

    async def commit(self, *args: Any, **kwargs: Any) -> int:
        self.commits += 1
        if self.commits in self.fails_at:
            raise StoreUnavailable("the store is out of reach")
        version = await super().commit(*args, **kwargs)
        if self.commits == self.fails_after:
            raise StoreUnavailable("the connection broke off")
        return version


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where payments are written: what can be seen from outside."""
    path = tmp_path / "ledger"
    path.touch()
    monkeypatch.setattr(PaymentTools, "ledger", path, raising=False)
    return path


@pytest.fixture
async def engine() -> AsyncGenerator[InProcessRunEngine, None]:
    engine = InProcessRunEngine(retry_pause_s=0.001)
    yield engine
    await engine.close()


def scripted(*replies: Any) -> ScriptedLLM:
    return ScriptedLLM(replies, strict=True)


def payments(ledger: Path) -> list[str]:
    """The lines that the payments have left."""
    return ledger.read_text(encoding="utf-8").splitlines()


async def told(runtime: Runtime, run_id: str, **options: Any) -> list[dict[str, Any]]:
    async with aclosing(runtime.events(run_id, **options)) as events:
        return [event async for _, event in events]


async def test_a_message_is_answered_as_by_the_agent_itself(ledger: Path, engine: InProcessRunEngine):
    llm = scripted(tool_call_reply("save_name", name="Ada"), "How much?")
    runtime = Runtime(Payment(llm), InMemoryCheckpointStore(), engine)

    result = await runtime.send("c1", "I'm Ada", message_id="m1")

    assert result.response == "How much?"
    assert result.state == {"step": "pay", "name": "Ada", "paid": 0}
    assert result.metadata["stopped_reason"] == "text_response"
    assert [message.role for message in result.messages] == ["assistant", "tool", "assistant"]
    assert result.usage == {"prompt_tokens": 20, "completion_tokens": 40, "total_tokens": 60}


async def test_a_message_that_comes_twice_is_one_run(ledger: Path, engine: InProcessRunEngine):
    llm = scripted("Hello.")
    runtime = Runtime(Payment(llm), InMemoryCheckpointStore(), engine)

    first = await runtime.submit("c1", "Hi", message_id="m1")
    again = await runtime.submit("c1", "Hi", message_id="m1")
    others = await runtime.submit("c1", "Hi", message_id="m1", owner="somebody else")

    assert first.run_id == again.run_id != others.run_id
    assert (await runtime.result(first.run_id)).response == "Hello."
    assert llm.call_count == 1 or (await runtime.engine.wait(others.run_id)).status is RunStatus.FAILED


async def test_the_events_are_those_of_a_stream(ledger: Path, engine: InProcessRunEngine):
    def llm() -> ScriptedLLM:
        return scripted(tool_call_reply("save_name", name="Ada"), "How much is it?")

    runtime = Runtime(Payment(llm()), InMemoryCheckpointStore(), engine)
    submitted = await runtime.submit("c1", "I'm Ada")
    events = await told(runtime, submitted.run_id)
    streamed = [event.to_dict() async for event in Payment(llm()).stream("c1", "I'm Ada")]

    kinds = [event["kind"] for event in events]
    assert kinds == [event["kind"] for event in streamed]
    assert "".join(event["text"] for event in events if event["kind"] == "text_delta") == "How much is it?"
    assert events[-1] == streamed[-1]
    assert [event for event in events if event["kind"] == "step_changed"] == [
        {"kind": "step_changed", "from_step": "name", "to_step": "pay"}
    ]


async def test_a_run_has_one_id_wherever_it_is_told_of(ledger: Path, engine: InProcessRunEngine):
    class Noting(Payment):
        def create_tools(self, state, ctx):
            seen.append(str(ctx.run_id))
            return super().create_tools(state, ctx)

    seen: list[str] = []
    runtime = Runtime(Noting(scripted("Hello.")), InMemoryCheckpointStore(), engine)
    submitted = await runtime.submit("c1", "Hi")
    events = await told(runtime, submitted.run_id)

    assert events[0]["run_id"] == submitted.run_id
    assert set(seen) == {submitted.run_id}


async def test_a_reader_goes_on_where_it_was(ledger: Path, engine: InProcessRunEngine):
    runtime = Runtime(
        Payment(scripted(tool_call_reply("save_name", name="Ada"), "How much?")), InMemoryCheckpointStore(), engine
    )
    submitted = await runtime.submit("c1", "I'm Ada")
    async with aclosing(runtime.events(submitted.run_id)) as events:
        every = [pair async for pair in events]

    for place, (offset, _) in enumerate(every):
        async with aclosing(runtime.events(submitted.run_id, after=offset)) as events:
            assert [pair async for pair in events] == every[place + 1 :]


async def test_an_answer_that_was_not_committed_is_not_asked_for_again(ledger: Path, engine: InProcessRunEngine):
    llm = scripted(tool_call_reply("save_name", name="Ada"), tool_call_reply("pay", amount=5), "Thank you.")
    store = UnsteadyStore(1, 2, 4)  # the first turn twice, and the second once
    runtime = Runtime(Payment(llm), store, engine, max_attempts=5)

    result = await runtime.send("c1", "I'm Ada, 5 euros", message_id="m1")

    assert result.response == "Thank you."
    assert result.state == {"step": "done", "name": "Ada", "paid": 5}
    assert llm.call_count == 3
    assert len(payments(ledger)) == 1
    history = await store.history("c1")
    assert [message["role"] for message in history] == ["user", "assistant", "tool", "assistant", "tool", "assistant"]


async def test_events_are_told_once_over_attempts(ledger: Path, engine: InProcessRunEngine):
    llm = scripted(tool_call_reply("save_name", name="Ada"), tool_call_reply("pay", amount=5), "Thank you.")
    runtime = Runtime(Payment(llm), UnsteadyStore(1, 3, 5), engine, max_attempts=5)

    submitted = await runtime.submit("c1", "I'm Ada, 5 euros")
    events = await told(runtime, submitted.run_id)

    lasting = [event["kind"] for event in events if event["kind"] != "text_delta"]
    turn = ["llm_call_started", "llm_call_finished", "tool_call_started", "tool_call_finished", "step_changed"]
    assert lasting == [
        "run_started",
        *turn,
        "turn_finished",
        *turn,
        "turn_finished",
        "llm_call_started",
        "llm_call_finished",
        "turn_finished",
        "run_finished",
    ]
    last = max(event["attempt"] for event in events if event["kind"] == "text_delta")
    words = [event["text"] for event in events if event["kind"] == "text_delta" and event["attempt"] == last]
    assert "".join(words) == "Thank you."


@pytest.mark.parametrize("fails_after", [1, 2])
async def test_turns_are_counted_over_attempts(ledger: Path, engine: InProcessRunEngine, fails_after: int):
    llm = scripted(tool_call_reply("save_name", name="Ada"), tool_call_reply("pay", amount=5), "Thank you.")
    store = UnsteadyStore(fails_after=fails_after)  # a turn is committed, and nobody is told so
    runtime = Runtime(Payment(llm), store, engine, max_attempts=2)

    submitted = await runtime.submit("c1", "I'm Ada, 5 euros")
    events = await told(runtime, submitted.run_id)

    turns = [(event["kind"], event["turn"]) for event in events if "turn" in event]
    one = ("llm_call_started", "llm_call_finished", "turn_finished")
    assert turns == [(kind, turn) for turn in range(3) for kind in one]


async def test_a_call_has_one_key_and_no_other_call_has_it(ledger: Path):
    keys: list[str] = []

    class Reading(PaymentTools):
        async def read(self) -> str:
            keys.append(self.idempotency_key)
            return "read"

    class Reader(Payment):
        def get_tool_schemas(self, state):
            return [ToolSchemaBuilder("read").description("Read.").build()]

        def create_tools(self, state, ctx):
            return Reading(state)

        async def execute_tool(self, tools, name, arguments):
            return await tools.read()

    agent = Reader(scripted(tool_call_reply("read", ("read", {})), tool_call_reply("read"), "Done."))
    await agent.send("c1", "Read.")

    assert len(keys) == len(set(keys)) == 3
    with pytest.raises(RuntimeError, match="no"):
        _ = Reading(agent.get_initial_state()).idempotency_key


async def test_a_failed_run_says_why_and_can_be_retried(ledger: Path, engine: InProcessRunEngine):
    llm = scripted(LLMRejected("no such model.", provider="scripted"), "Hello.")
    store = InMemoryCheckpointStore()
    runtime = Runtime(Payment(llm), store, engine)

    submitted = await runtime.submit("c1", "Hi", message_id="m1")
    with pytest.raises(RunNotSucceeded, match=r"no such model\. What it had committed stays") as caught:
        await runtime.result(submitted.run_id)
    events = await told(runtime, submitted.run_id)

    assert caught.value.info.status is RunStatus.FAILED
    assert events[-1] == {
        "kind": "run_failed",
        "error": "LLMRejected",
        "message": "no such model.",
        "status": "failed",
    }
    await runtime.engine.retry(submitted.run_id)
    assert (await runtime.result(submitted.run_id)).response == "Hello."
    assert [message["role"] for message in await store.history("c1")] == ["user", "assistant"]


async def test_a_model_out_of_reach_is_asked_again(ledger: Path, engine: InProcessRunEngine):
    llm = scripted(LLMUnavailable("no connection"), LLMUnavailable("no connection"), "Hello.")
    runtime = Runtime(Payment(llm), InMemoryCheckpointStore(), engine, max_attempts=3)

    assert (await runtime.send("c1", "Hi")).response == "Hello."


async def test_messages_of_one_conversation_are_answered_in_order(ledger: Path, engine: InProcessRunEngine):
    seen: list[str] = []

    def answer(messages: list[dict[str, Any]], tools: Any) -> str:
        seen.append(messages[-1]["content"])
        return f"You said {seen[-1]}."

    store = InMemoryCheckpointStore()
    runtime = Runtime(Payment(ScriptedLLM([answer] * 20)), store, engine)
    submitted = [await runtime.submit("c1", str(number)) for number in range(10)]
    answers = [(await runtime.result(info.run_id)).response for info in submitted]

    assert seen == [str(number) for number in range(10)]
    assert answers == [f"You said {number}." for number in range(10)]


# Cancelling.


async def test_a_question_to_the_model_is_taken_back(ledger: Path, engine: InProcessRunEngine):
    asked, taken_back = asyncio.Event(), asyncio.Event()

    async def endless(messages: Any, tools: Any) -> str:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            taken_back.set()
        return ""

    store = InMemoryCheckpointStore()
    runtime = Runtime(Payment(ScriptedLLM([endless, "And now?"])), store, engine)
    submitted = await runtime.submit("c1", "Hi")
    await asked.wait()

    assert await runtime.cancel(submitted.run_id) is True
    events = await told(runtime, submitted.run_id)

    assert taken_back.is_set()
    assert events[-1]["kind"] == "run_finished"
    assert events[-1]["reason"] == "cancelled"
    assert (await runtime.status(submitted.run_id)).status is RunStatus.CANCELLED  # type: ignore[union-attr]
    assert (await runtime.send("c1", "Again")).response == "And now?"


async def test_a_tool_that_is_on_ends_first_and_nothing_runs_behind_it(ledger: Path, engine: InProcessRunEngine):
    inside, go_on = asyncio.Event(), asyncio.Event()

    class Slow(PaymentTools):
        @tool(step=Step.NAME, to=Step.PAY)
        async def save_name(self, name: str) -> str:
            """Save the name.

            Args:
                name: The user's name.
            """
            inside.set()
            await go_on.wait()
            self.state.name = name
            return "Saved."

    class SlowPayment(Payment):
        def create_tools(self, state, ctx):
            return Slow(state)

    llm = scripted(tool_call_reply("save_name", ("pay", {"amount": 3}), name="Ada"))
    runtime = Runtime(SlowPayment(llm), InMemoryCheckpointStore(), engine)
    submitted = await runtime.submit("c1", "I'm Ada, 3 euros")
    await inside.wait()
    await runtime.cancel(submitted.run_id)
    go_on.set()
    result = await runtime.result(submitted.run_id)

    assert result.metadata["stopped_reason"] == "cancelled"
    assert result.state == {"step": "pay", "name": "Ada", "paid": 0}
    assert payments(ledger) == []


async def test_a_message_that_waits_is_taken_out(ledger: Path, engine: InProcessRunEngine):
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(messages: Any, tools: Any) -> str:
        asked.set()
        await go_on.wait()
        return "One."

    store = InMemoryCheckpointStore()
    runtime = Runtime(Payment(scripted(slow)), store, engine)
    first = await runtime.submit("c1", "1")
    await asked.wait()
    second = await runtime.submit("c1", "2")

    assert await runtime.cancel(second.run_id) is True
    go_on.set()
    await runtime.result(first.run_id)

    assert await told(runtime, second.run_id) == [{"kind": "run_cancelled"}]
    with pytest.raises(RunNotSucceeded, match="cancelled"):
        await runtime.result(second.run_id)
    assert [message["content"] for message in await store.history("c1")] == ["1", "One."]


# Whose runs they are.


async def test_owners_see_only_their_own(ledger: Path, engine: InProcessRunEngine):
    runtime = Runtime(Payment(scripted("Hello.")), InMemoryCheckpointStore(), engine)
    submitted = await runtime.submit("c1", "Hi", owner="ada")
    await runtime.result(submitted.run_id)

    assert await runtime.status(submitted.run_id, owner="bob") is None
    assert await runtime.cancel(submitted.run_id, owner="bob") is False
    with pytest.raises(RunNotFound):
        await told(runtime, submitted.run_id, owner="bob")
    assert (await told(runtime, submitted.run_id, owner="ada"))[-1]["response"] == "Hello."
    assert await runtime.runs("c1") == []
    assert [info.run_id for info in await runtime.runs("c1", owner="ada")] == [submitted.run_id]


# Approvals.


async def test_a_person_says_yes_and_the_tool_runs_once(ledger: Path, engine: InProcessRunEngine):
    llm = scripted(
        tool_call_reply("save_name", name="Ada"),
        tool_call_reply("refund", amount=7),
        "It is on its way.",
    )
    store = UnsteadyStore(5)  # the turn in which the tool has run
    runtime = Runtime(Payment(llm), store, engine, max_attempts=3)

    asked = await runtime.send("c1", "I'm Ada, give me 7 back")
    approval_id = asked.metadata["approval_id"]
    assert payments(ledger) == []
    yes = await runtime.approve("c1", approval_id, True, by="boss")
    again = await runtime.approve("c1", approval_id, True, by="boss")
    result = await runtime.result(yes.run_id)

    assert yes.run_id == again.run_id
    assert result.response == "It is on its way."
    assert len(payments(ledger)) == 1
    assert store.commits >= 5


# Time.


async def soon(seconds: float = 0.02) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def test_a_silent_user_is_reminded(ledger: Path, engine: InProcessRunEngine):
    store = InMemoryCheckpointStore()
    runtime = Runtime(Payment(scripted("Who are you?")), store, engine)
    await runtime.send("c1", "Hi")

    reminder = await runtime.schedule("c1", await soon(), says="Are you still there?")
    assert reminder.status is RunStatus.SCHEDULED
    result = await runtime.result(reminder.run_id)

    assert result.response == "Are you still there?"
    assert (await store.history("c1"))[-1] == {"role": "assistant", "content": "Are you still there?"}


async def test_a_user_who_has_written_is_not_reminded(ledger: Path, engine: InProcessRunEngine):
    store = InMemoryCheckpointStore()
    runtime = Runtime(Payment(scripted("Who are you?", "Well?")), store, engine)
    await runtime.send("c1", "Hi")

    reminder = await runtime.schedule("c1", await soon(0.2), says="Are you still there?")
    await runtime.send("c1", "Yes")
    result = await runtime.result(reminder.run_id)

    assert result.metadata["stopped_reason"] == "superseded"
    assert [message["content"] for message in await store.history("c1")] == ["Hi", "Who are you?", "Yes", "Well?"]


async def test_a_reminder_may_be_written_by_the_model(ledger: Path, engine: InProcessRunEngine):
    llm = scripted("Who are you?", "Ada, was it?")
    runtime = Runtime(Payment(llm), InMemoryCheckpointStore(), engine)
    await runtime.send("c1", "Hi")

    reminder = await runtime.schedule("c1", await soon(), prompt="Ask whether they want to go on.")
    result = await runtime.result(reminder.run_id)

    assert result.response == "Ada, was it?"
    assert "not written by the user" in llm.calls[-1]["messages"][-1]["content"]


async def test_an_offer_expires(ledger: Path, engine: InProcessRunEngine):
    agent = Payment(scripted(tool_call_reply("save_name", name="Ada"), "How much?"))
    runtime = Runtime(agent, InMemoryCheckpointStore(), engine)
    await runtime.send("c1", "I'm Ada")

    reminder = await runtime.schedule("c1", await soon(), to=Step.EXPIRED, says="The offer is over.")
    await runtime.result(reminder.run_id)

    state = await agent.get_state("c1")
    assert state is not None
    assert (state.step, state.name) == (Step.EXPIRED, "Ada")
    assert [event["kind"] for event in await told(runtime, reminder.run_id)] == ["step_changed", "run_finished"]


@pytest.mark.parametrize("options", [{"says": "The offer is over."}, {"to": Step.EXPIRED}])
async def test_a_reminder_is_written_once_although_nobody_knew_that_it_was(
    ledger: Path, engine: InProcessRunEngine, options: dict[str, Any]
):
    store = UnsteadyStore(3, fails_after=4)  # first it is not written, and then it is, and both look alike
    agent = Payment(scripted(tool_call_reply("save_name", name="Ada"), "How much?"))
    runtime = Runtime(agent, store, engine, max_attempts=4)
    await runtime.send("c1", "I'm Ada")
    before = await store.history("c1")

    reminder = await runtime.schedule("c1", await soon(), **options)
    result = await runtime.result(reminder.run_id)

    assert result.metadata["stopped_reason"] == "reminder"
    words = [{"role": "assistant", "content": options["says"]}] if "says" in options else []
    assert await store.history("c1") == before + words
    assert (await runtime.status(reminder.run_id)).attempts == 3  # type: ignore[union-attr]
    assert store.commits == 4


async def test_a_name_is_scheduled_once(ledger: Path, engine: InProcessRunEngine):
    store = InMemoryCheckpointStore()
    runtime = Runtime(Payment(scripted("Who are you?")), store, engine)
    await runtime.send("c1", "Hi")

    first = await runtime.schedule("c1", await soon(3600), says="One.", name="nudge")
    second = await runtime.schedule("c1", await soon(), says="Two.", name="nudge")
    await runtime.result(second.run_id)

    assert (await runtime.status(first.run_id)).status is RunStatus.CANCELLED  # type: ignore[union-attr]
    assert (await store.history("c1"))[-1]["content"] == "Two."


async def test_nobody_is_reminded_of_what_was_erased(ledger: Path, engine: InProcessRunEngine):
    store = InMemoryCheckpointStore()
    runtime = Runtime(Payment(scripted("Who are you?")), store, engine)
    await runtime.send("c1", "Hi")
    reminder = await runtime.schedule("c1", await soon(0.1), says="Still there?", until_reply=False)
    await store.delete("c1")

    assert (await runtime.result(reminder.run_id)).metadata["stopped_reason"] == "superseded"
    assert await store.history("c1") == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "does nothing"),
        ({"says": "a", "prompt": "b"}, "either"),
        ({"prompt": "b", "to": Step.DONE}, "either"),
        ({"to": "nowhere"}, "'expired'"),
    ],
)
async def test_a_reminder_that_makes_no_sense_is_refused(
    ledger: Path, engine: InProcessRunEngine, options: dict[str, Any], words: str
):
    runtime = Runtime(Payment(scripted()), InMemoryCheckpointStore(), engine)
    with pytest.raises(ValueError, match=words):
        await runtime.schedule("c1", await soon(), **options)


async def test_a_reminder_cannot_move_a_router_and_says_so(ledger: Path, engine: InProcessRunEngine):
    router = JourneyRouter(scripted())
    router.add(Payment, when="The user wants to pay.")
    runtime = Runtime(router, InMemoryCheckpointStore(), engine)

    with pytest.raises(ConfigError, match="'router' is a router, whose journeys have steps of their own"):
        await runtime.schedule("c1", await soon(), to=Step.EXPIRED)


# Other agents, and a runtime that is put together wrongly.


class Workflow(AgentRuntime):
    """Three steps, the second of which fails once in a way that may pass."""

    key = "workflow"

    def __init__(self) -> None:
        self.done: list[str] = []

    async def run(self, ctx: RunContext) -> RunResult:
        async def step(name: str) -> str:
            self.done.append(name)
            if name == "b" and self.done.count("b") == 1:
                raise LLMUnavailable("no connection")
            return name.upper()

        def made(name: str) -> WorkflowStep:
            return WorkflowStep(name, lambda ctx, state: step(name))

        results = await StepExecutor(ctx).run([made("a"), made("b"), made("c")])
        return RunResult(final_output={"results": results, "params": ctx.params})


async def test_workflow_steps_run_on_the_engine(engine: InProcessRunEngine):
    workflow = Workflow()
    runtime = Runtime([workflow], engine=engine, max_attempts=2)
    await runtime.start()

    submitted = await runtime.run_agent("workflow", {"params": {"x": 1}})
    ended = await runtime.engine.wait(submitted.run_id)

    assert ended.status is RunStatus.SUCCEEDED, ended.error
    assert ended.result is not None
    assert ended.result["final_output"] == {"results": {"a": "A", "b": "B", "c": "C"}, "params": {"x": 1}}
    assert workflow.done == ["a", "b", "b", "c"]
    kinds = [event["kind"] for event in await told(runtime, submitted.run_id)]
    assert kinds.count("step.completed") == 3
    assert "step.skipped" in kinds


def test_a_runtime_that_makes_no_sense_says_why(ledger: Path, engine: InProcessRunEngine):
    with pytest.raises(ConfigError, match="needs an agent"):
        Runtime([])
    with pytest.raises(ConfigError, match="no agent"):
        Runtime(Payment)
    with pytest.raises(ConfigError, match="two agents"):
        Runtime([Payment(), Payment()])
    with pytest.raises(ConfigError, match="store of its own"):
        Runtime(Payment(store="memory://"), InMemoryCheckpointStore())
    for agent, store in ((Payment(), None), (Payment(), "memory://"), (Payment(store="memory://"), None)):
        with pytest.raises(ConfigError, match="'payment' would outlive the process, and its conversations would not"):
            Runtime(agent, store, "sqlite:///runs.db")


async def test_an_agent_has_to_be_named_among_several(ledger: Path, engine: InProcessRunEngine):
    class Other(Payment):
        key = "other"

    runtime = Runtime([Payment(scripted()), Other(scripted("Hello."))], InMemoryCheckpointStore(), engine)

    with pytest.raises(ConfigError, match="'other', 'payment'"):
        await runtime.submit("c1", "Hi")
    with pytest.raises(ConfigError, match="'nobody'"):
        await runtime.submit("c1", "Hi", agent="nobody")
    assert (await runtime.send("c1", "Hi", agent="other")).response == "Hello."


async def test_a_host_on_an_engine_repeats_no_call(ledger: Path, engine: InProcessRunEngine):
    llm = scripted(tool_call_reply("save_name", name="Ada"), tool_call_reply("pay", amount=5), "Thank you.")
    agent = Payment(llm, store=UnsteadyStore(1, 3))
    hosted: list[DurableRunContext] = []

    async def work(ctx: DurableContext) -> RunEnd:
        host = DurableRunContext(ctx, conversation_id="c1", **ctx.request.input)
        hosted.append(host)
        result = await agent.run(host)
        return RunEnd(result={"output": result.final_output})

    await engine.start(work)
    given = {"input_messages": [{"role": "user", "content": "I'm Ada, 5 euros"}], "params": {"stream": True}}
    await engine.submit(RunRequest(run_id="r1", agent_key="payment", order_key="c1", input=given, max_attempts=5))
    ended = await engine.wait("r1")

    assert ended.result is not None, ended.error
    assert ended.result["output"]["response"] == "Thank you."
    assert (llm.call_count, len(payments(ledger)), len(hosted)) == (3, 1, 3)
    async with aclosing(engine.events("r1")) as events:
        told = [event async for _, event in events]
    words = [event["payload"]["content"] for event in told if event["kind"] == "assistant.delta"]
    assert "".join(words) == "Thank you."


async def test_a_tool_that_has_only_asked_is_known_not_to_be_done(ledger: Path, engine: InProcessRunEngine):
    """An attempt that breaks off while the question is put together has refunded nothing, and may put it again."""
    llm = scripted(tool_call_reply("save_name", name="Ada"), tool_call_reply("refund", amount=7))
    asked_at: list[int] = []

    class Unsteady(Payment):
        def create_tools(self, state, ctx):
            return UnsteadyTools(state)

    class UnsteadyTools(PaymentTools):
        @tool(step=Step.PAY, to=Step.DONE, once=True, confirm=lambda state, amount: question(amount))
        def refund(self, amount: int) -> str:
            """Refund.

            Args:
                amount: Euros.
            """
            raise AssertionError("nobody has said yes")

    def question(amount: int) -> str:
        asked_at.append(amount)
        if len(asked_at) == 1:
            raise asyncio.CancelledError  # as when the process is told to end in this very moment
        return f"Send {amount} euros?"

    store = InMemoryCheckpointStore()
    runtime = Runtime(Unsteady(llm), store, engine)
    submitted = await runtime.submit("c1", "I'm Ada, give me 7 back")
    ended = await runtime.engine.wait(submitted.run_id)
    assert ended.status is RunStatus.FAILED
    await runtime.engine.retry(submitted.run_id)
    result = await runtime.result(submitted.run_id)

    assert result.metadata["stopped_reason"].startswith("approval:")
    assert result.response == "Send 7 euros?"
    assert asked_at == [7, 7]
