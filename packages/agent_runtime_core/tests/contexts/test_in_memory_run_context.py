"""A run in memory: it keeps the contract, its events, and what its host hands in."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from agent_runtime_core.contexts import InMemoryRunContext
from agent_runtime_core.interfaces import EventType, Tool, ToolRegistry
from agent_runtime_core.testing.contracts import RunContextContract


class TestInMemoryRunContext(RunContextContract):
    @pytest.fixture
    def ctx(self):
        return InMemoryRunContext()

    async def emitted(self, ctx):
        return [(event["event_type"], event["payload"]) for event in ctx.events]

    async def request_cancel(self, ctx):
        ctx.cancel()
        return True


def test_without_arguments_a_run_has_an_id_and_nothing_else() -> None:
    ctx = InMemoryRunContext()

    assert isinstance(ctx.run_id, UUID)
    assert (ctx.conversation_id, ctx.input_messages, ctx.params, ctx.metadata) == (None, [], {}, {})
    assert ctx.tool_registry.list_tools() == []
    assert ctx.run_id != InMemoryRunContext().run_id


def test_what_the_host_hands_in_is_there() -> None:
    run_id, conversation_id, registry = uuid4(), uuid4(), ToolRegistry()
    registry.register(Tool("add", "Adds.", {"type": "object"}, lambda: None))

    ctx = InMemoryRunContext(
        run_id,
        conversation_id=conversation_id,
        input_messages=[{"role": "user", "content": "Hi"}],
        params={"lang": "en"},
        metadata={"tenant": "acme"},
        tool_registry=registry,
        system_context="system",
        user_context="user",
        privacy_config="privacy",
    )

    assert (ctx.run_id, ctx.conversation_id) == (run_id, conversation_id)
    assert ctx.input_messages == [{"role": "user", "content": "Hi"}]
    assert (ctx.params, ctx.metadata) == ({"lang": "en"}, {"tenant": "acme"})
    assert ctx.tool_registry is registry
    assert (ctx.system_context, ctx.user_context, ctx.privacy_config) == ("system", "user", "privacy")


def test_a_misspelt_keyword_is_named() -> None:
    with pytest.raises(TypeError, match="converstion_id"):
        InMemoryRunContext(converstion_id=uuid4())  # type: ignore[call-arg]


async def test_an_event_says_when_it_was_with_its_time_zone() -> None:
    ctx = InMemoryRunContext()

    await ctx.emit(EventType.RUN_STARTED, {"n": 1})

    (event,) = ctx.events
    assert (event["event_type"], event["payload"]) == ("run.started", {"n": 1})
    assert datetime.fromisoformat(event["timestamp"]).utcoffset() == timedelta(0)


async def test_events_are_read_as_a_copy_and_can_be_cleared() -> None:
    ctx = InMemoryRunContext()
    await ctx.emit("my.event", {})

    ctx.events.clear()
    read = len(ctx.events)
    ctx.clear_events()

    assert (read, ctx.events) == (1, [])


async def test_a_listener_is_told_each_event() -> None:
    told = []
    ctx = InMemoryRunContext(on_event=lambda name, payload: told.append((name, payload)))

    await ctx.emit(EventType.TOOL_CALL, {"n": 1})
    await ctx.emit_user_message("Hi")

    assert told == [("tool.call", {"n": 1}), ("assistant.message", {"content": "Hi"})]


async def test_a_broken_listener_does_not_break_the_run(caplog: pytest.LogCaptureFixture) -> None:
    # Given
    def broken(name: str, payload: dict) -> None:
        raise ValueError(f"cannot show {payload}")

    ctx = InMemoryRunContext(on_event=broken)

    # When
    with caplog.at_level(logging.INFO):
        await ctx.emit("my.event", {"content": "private words"})

    # Then
    assert len(ctx.events) == 1
    assert "my.event" in caplog.text
    assert "private words" not in caplog.text


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", float("nan"), (1, 2)])
async def test_a_state_that_is_not_json_is_refused_and_the_one_before_stays(value: object) -> None:
    ctx = InMemoryRunContext()
    await ctx.checkpoint({"n": 1})

    with pytest.raises(TypeError, match=r"the state\['bad'\]\[0\]"):
        await ctx.checkpoint({"n": 2, "bad": [value]})

    assert await ctx.get_state() == {"n": 1}
