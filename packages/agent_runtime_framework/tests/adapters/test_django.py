"""`DjangoRuntimeAdapter` under a host: its loop, its checkpoints, its events, and what it takes from user code."""

from __future__ import annotations

import sys
from typing import Any
from uuid import uuid4

import pytest
from packages.agent_runtime_framework.tests.adapters.shop import Cart, DeclaredShop, Shop, ShopTools

import agent_runtime_core.llm
from agent_runtime_core.engines import InProcessRunEngine
from agent_runtime_core.errors import LLMUnavailable, StoreUnavailable
from agent_runtime_core.interfaces import AgentRuntime, RunResult
from agent_runtime_core.registry import get_runtime, register_runtime, unregister_runtime
from agent_runtime_core.runner import AgentRunner
from agent_runtime_core.stores import InMemoryCheckpointStore
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import (
    ExecutorHooks,
    JourneyRouter,
    configure,
    lint_journey,
    migrate,
)
from agent_runtime_framework.adapters import DjangoRuntimeAdapter, create_django_runtime
from agent_runtime_framework.adapters.django import RunResultImpl
from agent_runtime_framework.runtime import Runtime

EMPTY = {"step": "shopping", "items": []}


# A run.


async def test_a_run_with_a_tool_tells_its_host_each_thing_in_its_order(run):
    # Given
    adapter = Shop(llm_client=ScriptedLLM([tool_call_reply("add", item="apple"), "It is in."]))
    host = run("An apple, please")

    # When
    result = await adapter.run(host.ctx)

    # Then
    cart = {"step": "shopping", "items": ["apple"]}
    assert host.told == [
        ("tool.call", {"name": "add", "arguments": {"item": "apple"}, "tool_call_id": "call_1_add"}),
        ("state.checkpoint", cart),
        ("tool.result", {"name": "add", "result": "Added apple.", "tool_call_id": "call_1_add"}),
        ("assistant.message", {"content": "It is in."}),
        ("state.checkpoint", cart),
    ]
    assert isinstance(result, RunResult)
    assert result.final_output == {"response": "It is in.", "state": cart}
    assert result.artifacts == {}


async def test_the_messages_of_the_run_and_its_usage_come_back_as_dicts(run):
    # Given
    add = {**tool_call_reply("add", item="apple"), "content": "One moment."}
    replies = [RawReply(add, {"prompt_tokens": 10}), RawReply({"content": "It is in."}, {"prompt_tokens": 5})]
    adapter = Shop(llm_client=Raw(replies))

    # When
    result = await adapter.run(run("An apple").ctx)

    # Then
    assert result.final_messages == [
        {"role": "assistant", "content": "One moment.", "tool_calls": add["tool_calls"]},
        {"role": "tool", "content": "Added apple.", "tool_call_id": "call_1_add", "name": "add"},
        {"role": "assistant", "content": "It is in."},
    ]
    assert result.usage == {"prompt_tokens": 15}


async def test_the_model_sees_the_prompt_the_tools_and_the_whole_conversation_of_the_host(run):
    # Given
    model = ScriptedLLM(["Anything else?"])
    host = run()
    host.ctx.input_messages.extend(
        [
            {"role": "user", "content": "Hi", "metadata": {"seen": True}},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": "An apple"},
        ]
    )

    # When
    await Shop(llm_client=model).run(host.ctx)

    # Then
    assert model.calls[0]["messages"] == [
        {"role": "system", "content": "Ask what they want."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "An apple"},
    ]
    assert [each["function"]["name"] for each in model.calls[0]["tools"]] == ["add", "pay", "describe", "spoil"]


async def test_prompt_and_tools_follow_the_step_within_a_run(run):
    # Given
    model = ScriptedLLM([tool_call_reply("pay"), "Bye."])

    # When
    result = await Shop(llm_client=model, backend_client="card").run(run("I pay").ctx)

    # Then
    assert [call["messages"][0]["content"] for call in model.calls] == ["Ask what they want.", "Say thank you."]
    assert model.calls[1]["tools"] is None
    assert result.final_messages[1]["content"] == "Paid by card."


async def test_a_long_result_is_cut_in_the_event_and_nowhere_else(run):
    # Given
    model = ScriptedLLM([tool_call_reply("describe"), "That is it."])
    host = run("What is it?")

    # When
    result = await Shop(llm_client=model).run(host.ctx)

    # Then
    (told,) = host.payloads("tool.result")
    assert told["result"] == "x" * 500
    assert result.final_messages[1]["content"] == "x" * 700
    assert model.calls[1]["messages"][-1]["content"] == "x" * 700


async def test_a_failing_tool_is_told_to_the_model_and_leaves_no_checkpoint_of_what_was_undone(run):
    # Given
    model = ScriptedLLM([tool_call_reply("spoil"), "Sorry."])
    host = run("Go")

    # When
    result = await Shop(llm_client=model).run(host.ctx)

    # Then
    assert result.final_messages[1]["content"] == "Error executing spoil: out of order"
    spoilt = {"step": "shopping", "items": ["spoilt"]}
    assert host.payloads("state.checkpoint") == [spoilt, EMPTY, EMPTY]


async def test_in_debug_mode_a_tools_error_comes_out_and_the_host_is_left_with_the_state_before(run):
    # Given
    configure(debug=True)
    host = run("Go")

    # When
    with pytest.raises(RuntimeError, match="out of order"):
        await Shop(llm_client=ScriptedLLM([tool_call_reply("spoil")])).run(host.ctx)

    # Then
    assert await host.ctx.get_state() == EMPTY


async def test_only_what_is_offered_runs(run):
    # Given
    model = ScriptedLLM([tool_call_reply("get_backend_client"), "I cannot."])

    # When
    result = await Shop(llm_client=model).run(run("Go").ctx)

    # Then
    assert "Unknown tool 'get_backend_client'" in result.final_messages[1]["content"]


async def test_a_terminal_tool_ends_the_run_and_the_user_reads_its_result(run):
    # Given
    model = ScriptedLLM([tool_call_reply("pay")], strict=True)
    host = run("I pay")

    # When
    result = await Shop(model, "card", terminal_tools={"pay"}).run(host.ctx)

    # Then
    assert result.final_output["response"] == "Paid by card."
    assert host.payloads("assistant.message") == [{"content": "Paid by card."}]


async def test_the_limit_of_iterations_holds(run):
    # Given
    model = ScriptedLLM([tool_call_reply("add", item=str(number)) for number in range(9)])

    # When
    result = await Shop(llm_client=model, max_tool_iterations=2).run(run("Go").ctx)

    # Then
    assert result.final_output["state"]["items"] == ["0", "1"]
    assert model.calls[-1]["tools"] is None  # the closing words


async def test_a_text_without_content_is_an_empty_answer(run):
    host = run("Hi")

    result = await Shop(llm_client=ScriptedLLM([{"content": None}])).run(host.ctx)

    assert result.final_output["response"] == ""
    assert host.names == ["state.checkpoint"]


async def test_a_goodbye_after_the_end_asks_no_model_and_changes_nothing(run):
    # Given
    model = ScriptedLLM(strict=True)
    host = run("Thanks, bye!", state={"step": "paid", "items": ["apple"]})

    # When
    result = await Shop(llm_client=model).run(host.ctx)

    # Then
    assert (result.final_output, result.final_messages, result.usage, result.artifacts) == (
        {"response": ""},
        [],
        {},
        {},
    )
    assert (model.call_count, host.told) == (0, [])


# Cancellation.


async def test_a_cancelled_run_ends_before_the_next_call_of_the_model_and_keeps_its_state(run):
    # Given: somebody presses stop while the tool runs
    host = run("An apple")

    class Stopped(ShopTools):
        async def add(self, item: str) -> str:
            host.ctx.cancel()
            return await super().add(item)

    class Own(Shop):
        def create_tools(self, state, ctx, backend_client):
            return Stopped(state, backend_client)

    model = ScriptedLLM([tool_call_reply("add", item="apple")], strict=True)

    # When
    result = await Own(llm_client=model).run(host.ctx)

    # Then
    assert host.names == ["tool.call", "state.checkpoint", "tool.result", "state.checkpoint"]
    assert await host.ctx.get_state() == {"step": "shopping", "items": ["apple"]}
    assert [message["role"] for message in result.final_messages] == ["assistant", "tool"]


async def test_a_run_that_is_cancelled_before_it_begins_asks_no_model(run):
    host = run("An apple")
    host.ctx.cancel()

    result = await Shop(llm_client=ScriptedLLM(strict=True)).run(host.ctx)

    assert (result.final_messages, host.told) == ([], [("state.checkpoint", EMPTY)])


async def test_it_answers_what_a_runner_asks_beside_run(run):
    adapter, host = Shop(llm_client=ScriptedLLM()), run("Hi")

    await adapter.cancel(host.ctx)
    info = await adapter.on_error(host.ctx, LLMUnavailable("no connection"))
    assert (info.type, info.message, info.retriable) == ("LLMUnavailable", "no connection", True)


# State, from try to try and from run to run.


async def test_the_next_message_of_a_conversation_continues_the_journey(run):
    # Given
    model = ScriptedLLM([tool_call_reply("add", item="apple"), "In.", tool_call_reply("add", item="pear"), "In."])
    adapter, conversation_id = Shop(llm_client=model), uuid4()
    await adapter.run(run("An apple", conversation_id=conversation_id).ctx)

    # When: another run, of whose state its context knows nothing
    result = await adapter.run(run("A pear", conversation_id=conversation_id).ctx)
    other = await adapter.run(run("Hi", conversation_id=uuid4()).ctx)

    # Then
    assert result.final_output["state"]["items"] == ["apple", "pear"]
    assert other.final_output["state"] == EMPTY


async def test_what_the_host_knows_goes_before_what_the_adapter_remembers(run):
    # Given
    model = ScriptedLLM([tool_call_reply("add", item="apple"), "In."])
    adapter, conversation_id = Shop(llm_client=model), uuid4()
    await adapter.run(run("An apple", conversation_id=conversation_id).ctx)
    theirs = {"step": "shopping", "items": ["pear"]}

    # When: a host that keeps states, one of whose conversations was taken back to its beginning
    continued = await adapter.run(run("Hi", conversation_id=conversation_id, state=theirs).ctx)
    anew = await adapter.run(run("Hi", conversation_id=conversation_id, state={}).ctx)

    # Then
    assert continued.final_output["state"] == theirs
    assert anew.final_output["state"] == EMPTY


async def test_a_second_try_goes_on_from_what_the_first_has_announced(run):
    # Given: the model fails after the tool
    host = run("An apple")
    model = ScriptedLLM([tool_call_reply("add", item="apple"), LLMUnavailable("gone"), "It is in already."])
    adapter = Shop(llm_client=model)
    with pytest.raises(LLMUnavailable):
        await adapter.run(host.ctx)

    # When
    result = await adapter.run(host.ctx)

    # Then
    assert result.final_output["state"]["items"] == ["apple"]


async def test_what_cannot_be_stored_is_the_hosts_to_refuse(run):
    class Odd(Cart):
        def to_dict(self):
            return {**super().to_dict(), "when": object()}

    class Own(Shop):
        def get_initial_state(self):
            return Odd()

    with pytest.raises(TypeError):
        await Own(llm_client=ScriptedLLM(["Hi"])).run(run("Hi").ctx)


async def test_a_state_tells_its_journeys_version_and_is_migrated_by_the_next_one(run):
    # Given: a conversation with version 2, and its successor
    class Second(Shop):
        version = 2

    class Third(Shop):
        version = 3

        @migrate(2, 3)
        @staticmethod
        def in_capitals(data):
            return {**data, "items": [each.upper() for each in data["items"]]}

    host = run("An apple")
    model = ScriptedLLM([tool_call_reply("add", item="apple"), "In."])
    await Second(llm_client=model).run(host.ctx)

    # When
    result = await Third(llm_client=ScriptedLLM(["Hi"])).run(run("Hi", state=await host.ctx.get_state()).ctx)

    # Then
    assert result.final_output["state"]["items"] == ["APPLE"]


# What user code overrides and relies on.


async def test_a_way_of_its_own_to_read_states_is_used(run):
    class Own(Shop):
        def _state_from_dict(self, data):
            return Cart(items=data["old"].split())

    result = await Own(llm_client=ScriptedLLM(["Hi"])).run(run("Hi", state={"old": "a b"}).ctx)

    assert result.final_output["state"]["items"] == ["a", "b"]


async def test_a_change_of_state_goes_to_the_adapters_own_method_with_the_hosts_context(run):
    # Given
    told: list[Any] = []

    class Own(Shop):
        async def on_state_change(self, ctx, state):
            told.append((ctx, list(state.items)))

    host = run("An apple")

    # When
    await Own(llm_client=ScriptedLLM([tool_call_reply("add", item="apple"), "In."])).run(host.ctx)

    # Then
    assert told == [(host.ctx, ["apple"])]
    assert host.names.count("state.checkpoint") == 1


async def test_create_tools_gets_the_hosts_context_and_the_backend_of_this_run(run):
    # Given
    got: list[Any] = []

    class Own(Shop):
        def get_backend_client(self, ctx):
            return f"backend of {ctx.metadata['tenant']}"

        def create_tools(self, state, ctx, backend_client):
            got.append((ctx, backend_client))
            return ShopTools(state, backend_client, on_state_change=self._make_state_callback(ctx))

    host = run("Hi", metadata={"tenant": "acme"})

    # When
    await Own(llm_client=ScriptedLLM(["Hi"])).run(host.ctx)

    # Then
    assert got == [(host.ctx, "backend of acme")]


async def test_tools_of_any_class_will_do(run):
    class Plain:
        def __init__(self, state):
            self.state = state

        async def add(self, item):
            self.state.items.append(item)
            return "Added."

    class Own(Shop):
        def create_tools(self, state, ctx, backend_client):
            return Plain(state)

    host = run("An apple")

    await Own(llm_client=ScriptedLLM([tool_call_reply("add", item="apple"), "In."])).run(host.ctx)

    assert host.names == ["tool.call", "tool.result", "assistant.message", "state.checkpoint"]


async def test_the_model_is_asked_for_with_the_hosts_context(run):
    class Own(Shop):
        def get_llm_client(self, ctx):
            return ScriptedLLM([f"I am the model of {ctx.params['plan']}."])

    result = await Own().run(run("Hi", params={"plan": "gold"}).ctx)

    assert result.final_output["response"] == "I am the model of gold."


async def test_without_a_client_the_configured_one_is_used(run, monkeypatch):
    monkeypatch.setattr(agent_runtime_core.llm, "get_llm_client", lambda: ScriptedLLM(["From the factory."]))

    result = await Shop().run(run("Hi").ctx)

    assert result.final_output["response"] == "From the factory."


async def test_without_the_core_there_is_no_client_and_the_error_says_what_to_do(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "agent_runtime_core.llm", None)

    with pytest.raises(ValueError, match="No LLM client configured: pass llm_client="):
        await Shop().run(run("Hi").ctx)


def test_the_names_that_user_code_knows_are_there():
    model = ScriptedLLM()

    adapter = create_django_runtime(Shop, model, "backend", max_tool_iterations=3, terminal_tools=["pay"])

    assert adapter._llm_client is model
    assert adapter._backend_client == "backend"
    assert (adapter._max_tool_iterations, adapter._terminal_tools) == (3, {"pay"})


async def test_what_is_set_behind_the_constructor_counts(run):
    # Given
    adapter = Shop()
    adapter._llm_client = ScriptedLLM([tool_call_reply("add", item="apple"), tool_call_reply("pay")], strict=True)
    adapter._backend_client = "card"
    adapter._terminal_tools = ["pay"]
    adapter._max_tool_iterations = 2

    # When
    result = await adapter.run(run("Go").ctx)

    # Then
    assert result.final_output["response"] == "Paid by card."


async def test_hooks_listen_to_a_hosts_run(run):
    # Given
    heard: list[Any] = []

    class Listening(ExecutorHooks):
        async def on_tool_end(self, name: str, result: str) -> None:
            heard.append((name, result))

    model = ScriptedLLM([tool_call_reply("add", item="apple"), "In."])

    # When
    await Shop(llm_client=model, hooks=Listening()).run(run("An apple").ctx)

    # Then
    assert heard == [("add", "Added apple.")]


async def test_a_context_that_cannot_show_messages_gets_an_event():
    # Given
    told: list[Any] = []

    class Bare:
        """A context that has just what the contract names, but for `emit_user_message`."""

        run_id, conversation_id = uuid4(), None
        input_messages = ({"role": "user", "content": "Hi"},)
        params: dict[str, Any] = {}  # noqa: RUF012
        metadata: dict[str, Any] = {}  # noqa: RUF012

        async def emit(self, event_type: str, payload: dict[str, Any]) -> None:
            told.append((event_type, payload))

        async def checkpoint(self, state: dict[str, Any]) -> None:
            told.append(("kept", state))

        async def get_state(self) -> None:
            return None

        def cancelled(self) -> bool:
            return False

    bare: Any = Bare()

    # When
    await Shop(llm_client=ScriptedLLM(["Hello!"])).run(bare)

    # Then
    assert told == [("assistant.message", {"content": "Hello!"}), ("kept", EMPTY)]


# A class that says enough need not write its methods.


async def test_a_declared_adapter_runs_with_nothing_written(run):
    # Given
    model = ScriptedLLM([tool_call_reply("add", item="apple"), tool_call_reply("pay"), "Bye."])
    adapter = DeclaredShop(llm_client=model, backend_client="card")

    # When
    result = await adapter.run(run("An apple, and I pay").ctx)

    # Then
    assert result.final_output["state"] == {"step": "paid", "items": ["apple"]}
    assert result.final_messages[3]["content"] == "Paid by card."
    assert [call["messages"][0]["content"] for call in model.calls] == [
        "Ask what they want.",
        "Ask what they want.",
        "Say thank you.",
    ]


async def test_what_a_declared_adapter_writes_itself_wins(run):
    # Given
    class Own(DeclaredShop):
        def get_system_prompt(self, state):
            return "Be brief."

        def create_tools(self, state, ctx, backend_client):
            return super().create_tools(state, ctx, "cash")

    model = ScriptedLLM([tool_call_reply("pay"), "Bye."])

    # When
    result = await Own(llm_client=model, backend_client="card").run(run("I pay").ctx)

    # Then
    assert model.calls[0]["messages"][0]["content"] == "Be brief."
    assert result.final_messages[1]["content"] == "Paid by cash."


def test_an_adapter_that_says_too_little_cannot_be_made():
    class Unfinished(DjangoRuntimeAdapter[Any, Any, Any]):
        key = "unfinished"

    with pytest.raises(TypeError, match="create_tools"):
        Unfinished()


def test_lint_looks_at_adapters_too():
    assert lint_journey(DeclaredShop) == []
    codes = {finding.code for finding in lint_journey(Shop)}
    assert "J101" not in codes  # it has found the way to PAID in the tools' source


# Hosts.


async def test_a_registered_adapter_is_run_by_its_key():
    # Given
    register_runtime(Shop(llm_client=ScriptedLLM(["Hello!"])))

    # When
    try:
        assert isinstance(get_runtime("shop"), AgentRuntime)
        outcome = await AgentRunner().execute("shop", input_data={"messages": [{"role": "user", "content": "Hi"}]})
    finally:
        unregister_runtime("shop")

    # Then
    assert outcome.final_output == {"response": "Hello!", "state": EMPTY}


async def test_an_adapter_is_tried_in_a_conversation_without_a_host():
    # Given: as `agent-runtime chat` does
    model = ScriptedLLM([tool_call_reply("add", item="apple"), "In.", "Anything else?"])
    adapter = Shop(llm_client=model)

    # When
    await adapter.send("c", "An apple")
    result = await adapter.send("c", "Hm")

    # Then
    assert result.state == {"step": "shopping", "items": ["apple"]}


async def test_on_an_engine_an_adapter_asks_its_model_once_though_its_run_is_done_twice():
    # Given: the first turn cannot be committed at first
    class Unsteady(InMemoryCheckpointStore):
        fails = True

        async def commit(self, *args: Any, **kwargs: Any) -> int:
            if self.fails:
                self.fails = False
                raise StoreUnavailable("out of reach")
            return await super().commit(*args, **kwargs)

    model = ScriptedLLM([tool_call_reply("add", item="apple"), "It is in."], strict=True)
    engine = InProcessRunEngine(retry_pause_s=0.001)
    runtime = Runtime(Shop(llm_client=model), Unsteady(), engine, max_attempts=2)

    # When
    try:
        result = await runtime.send("c", "An apple")
    finally:
        await engine.close()

    # Then
    assert result.state == {"step": "shopping", "items": ["apple"]}
    assert model.call_count == 2


async def test_a_router_leads_to_an_adapter(run):
    # Given
    model = ScriptedLLM([tool_call_reply("start_shop"), tool_call_reply("add", item="apple"), "In."])
    router = JourneyRouter(model).add(Shop(backend_client="card"), when="The user wants to buy something")
    host = run("An apple", conversation_id=uuid4())

    # When
    result = await router.run(host.ctx)

    # Then
    assert result.final_output["response"] == "In."
    assert host.payloads("tool.result")[-1]["result"] == "Added apple."


def test_a_result_of_user_code_is_the_cores():
    assert RunResultImpl({"response": "Hi"}, [], {}, {}) == RunResult(final_output={"response": "Hi"})


class RawReply:
    def __init__(self, message: dict[str, Any], usage: dict[str, int]) -> None:
        self.message, self.usage = {"role": "assistant", **message}, usage


class Raw:
    """A client as user suites write them: no stream, replies in order."""

    def __init__(self, replies: list[RawReply]) -> None:
        self.replies = replies

    async def generate(self, messages: Any, *, tools: Any = None, **kwargs: Any) -> RawReply:
        return self.replies.pop(0)
