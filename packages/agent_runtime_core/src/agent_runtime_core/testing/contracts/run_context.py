"""What `RunContext` promises, as tests."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from agent_runtime_core.interfaces import EventType, RunContext, ToolRegistry
from agent_runtime_core.steps import Step, StepExecutionError, StepExecutor
from agent_runtime_core.testing.contracts.refusal import refused

__all__ = ["RunContextContract"]

NESTED = {"list": [1, 2.5, None, True, {"deep": ["ü", "", "😀"]}], "": {}, "n": -(10**18)}


class RunContextContract:
    """Subclass it and provide a fixture `ctx`: a fresh run context of yours, on which nothing was emitted or kept.

    To have events looked at as well, override `emitted` to return what the context has passed on, as a list of
    `(name, payload)`; to have cancellation looked at, override `request_cancel`.
    """

    async def emitted(self, ctx: Any) -> list[tuple[str, dict[str, Any]]] | None:
        """What the context has passed on; None when it cannot be seen from here."""
        return None

    async def request_cancel(self, ctx: Any) -> bool:
        """Ask the run to stop, as a host does; False when that cannot be done from here."""
        return False

    async def test_it_has_what_every_run_has(self, ctx: RunContext) -> None:
        assert isinstance(ctx.run_id, UUID)
        assert ctx.conversation_id is None or isinstance(ctx.conversation_id, UUID)
        assert isinstance(ctx.input_messages, list)
        assert isinstance(ctx.params, dict)
        assert isinstance(ctx.metadata, dict)
        assert isinstance(ctx.tool_registry, ToolRegistry)

    async def test_nothing_is_kept_before_the_first_checkpoint(self, ctx: RunContext) -> None:
        assert await ctx.get_state() is None

    async def test_the_last_checkpoint_counts(self, ctx: RunContext) -> None:
        await ctx.checkpoint({"step": "name"})
        await ctx.checkpoint({"step": "email", "tried": [1, 2], "note": None})

        assert await ctx.get_state() == {"step": "email", "tried": [1, 2], "note": None}

    async def test_a_state_comes_back_as_it_was(self, ctx: RunContext) -> None:
        await ctx.checkpoint(NESTED)

        assert await ctx.get_state() == NESTED

    async def test_an_empty_state_is_a_state(self, ctx: RunContext) -> None:
        await ctx.checkpoint({})

        assert await ctx.get_state() == {}

    async def test_a_checkpoint_is_a_snapshot(self, ctx: RunContext) -> None:
        # Given a state that was kept
        state: dict[str, Any] = {"names": ["Ada"]}
        await ctx.checkpoint(state)

        # When the caller goes on with it, and with what it got back
        state["names"].append("Grace")
        loaded = await ctx.get_state()
        assert loaded is not None
        loaded["names"].append("Joan")

        # Then what was kept stays what it was
        assert await ctx.get_state() == {"names": ["Ada"]}

    async def test_an_event_may_be_named_by_its_type_or_by_a_text(self, ctx: RunContext) -> None:
        await ctx.emit(EventType.PROGRESS_UPDATE, {"percent": 50})
        await ctx.emit("my.event", {"n": 1})

        events = await self.emitted(ctx)
        assert events is None or events == [("progress.update", {"percent": 50}), ("my.event", {"n": 1})]

    async def test_no_event_of_many_tasks_is_lost(self, ctx: RunContext) -> None:
        await asyncio.gather(*(ctx.emit("my.event", {"n": n}) for n in range(50)))

        events = await self.emitted(ctx)
        assert events is None or sorted(payload["n"] for _, payload in events) == list(range(50))

    async def test_a_message_for_the_user_is_an_event(self, ctx: RunContext) -> None:
        await ctx.emit_user_message("Hello")

        events = await self.emitted(ctx)
        assert events is None or events == [("assistant.message", {"content": "Hello"})]

    async def test_an_error_is_an_event(self, ctx: RunContext) -> None:
        await ctx.emit_error("out of paper")
        await ctx.emit_error("out of ink", {"colour": "red"})

        events = await self.emitted(ctx)
        assert events is None or events == [
            ("error", {"message": "out of paper", "details": {}}),
            ("error", {"message": "out of ink", "details": {"colour": "red"}}),
        ]

    async def test_a_run_is_cancelled_when_somebody_asks(self, ctx: RunContext) -> None:
        assert ctx.cancelled() is False

        if await self.request_cancel(ctx):
            assert ctx.cancelled() is True

    async def test_a_workflow_goes_on_where_it_has_failed(self, ctx: RunContext) -> None:
        # Given: a workflow whose second step fails once, in a run that keeps something of its own
        calls: list[str] = []

        async def first(ctx: RunContext, state: dict[str, Any]) -> str:
            calls.append("first")
            state["seen"] = ["first"]
            return "one"

        async def second(ctx: RunContext, state: dict[str, Any]) -> list[str]:
            calls.append("second")
            if calls.count("second") == 1:
                raise ConnectionError("no network")
            return [*state["seen"], "second"]

        steps = [Step("first", first), Step("second", second)]
        await ctx.checkpoint({"mine": 1})
        await refused(StepExecutor(ctx).run(steps), StepExecutionError)

        # When
        results = await StepExecutor(ctx).run(steps)

        # Then
        assert results == {"first": "one", "second": ["first", "second"]}
        assert calls == ["first", "second", "second"]
        state = await ctx.get_state()
        assert state is not None
        assert state["mine"] == 1
