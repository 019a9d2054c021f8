"""The journal of a run on an engine: what is told of it, and what is not done twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from agent_runtime_core.events import RunEvent, RunFailed, RunFinished, RunStarted, TextDelta, ToolOutcome, TurnFinished
from agent_runtime_core.interfaces import CheckpointStore
from agent_runtime_core.interfaces.run_engine import DurableContext
from agent_runtime_core.messages import ToolCall
from agent_runtime_framework.agents.journalled_client import JournalledClient, TellText
from agent_runtime_framework.agents.journalled_run import JournalledRun
from agent_runtime_framework.executor.llm_call import LLMClient
from agent_runtime_framework.tools.spec import ToolSpec

__all__ = ["DurableJournal", "is_for_readers"]

_TAKEN = "_conversation_taken"
_BEGUN = "_turns_begin"
_TOOL_BEGUN = "_tool_begun"
"""Kinds of events that are for later attempts, and for no reader."""

_CANCELLED = ToolOutcome("Error: not run, because the run was cancelled.", "refused")


def is_for_readers(event: dict[str, Any]) -> bool:
    """Whether an event is one of the run's, and no note of the journal."""
    return not str(event.get("kind", "")).startswith("_")


class DurableJournal:
    """Keeps one attempt of a run.

    Args:
        ctx: The run, as its engine gives it.
        run: The same as its agent does it.
        tell_text: Told each piece of what the model writes; None when nobody reads it before it is whole.
    """

    def __init__(self, ctx: DurableContext, run: JournalledRun, tell_text: TellText | None) -> None:
        self._ctx = ctx
        self._run = run
        self._tell_text = tell_text
        self._client: JournalledClient | None = None
        self._told: Counter[tuple[int, str]] = Counter()  # events by version and kind
        self._turns_before = 0  # of earlier attempts, committed
        self._has_kept_lease = False  # whether a later attempt will know of the lease

    # What is told.

    @property
    def has_told_text(self) -> bool:
        """Whether the text of the present answer was told while it was written."""
        return self._client is not None and self._client.has_told_text

    async def tell(self, event: RunEvent) -> None:
        """Pass an event on. How the run ends is told by its result."""
        if isinstance(event, (RunFinished, RunFailed)):
            return
        if isinstance(event, TextDelta):
            if self._tell_text is not None and not self.has_told_text:
                await self._tell_text(event.text)
            return
        told = event.to_dict()
        if "turn" in told:  # each attempt counts from 0, and readers hear of all
            told["turn"] += self._turns_before
        await self._emit(event.kind, told)
        if isinstance(event, RunStarted):
            await self._count_turns_before()

    async def _emit(self, kind: str, event: dict[str, Any]) -> None:
        version = self._run.version
        self._told[version, kind] += 1
        number = 0 if kind == RunStarted.kind else self._told[version, kind]
        event_id = RunStarted.kind if number == 0 else f"{version}:{kind}:{number}"
        await self._ctx.emit(event_id, event)

    async def _count_turns_before(self) -> None:
        """Find out how many turns are committed, and tell of one whose process died before it could."""
        earlier, version = self._ctx.earlier_events, self._run.version
        begun = next((event["version"] for event in earlier if event.get("kind") == _BEGUN), None)
        if begun is None:
            await self._ctx.emit(_BEGUN, {"kind": _BEGUN, "version": version})
            return
        self._turns_before = version - begun  # each turn is one commit
        last = self._turns_before - 1
        if last >= 0:
            await self._ctx.emit(
                f"{version}:{TurnFinished.kind}:1", {"kind": TurnFinished.kind, "turn": last, "reason": None}
            )
            self._told[version, TurnFinished.kind] = 1

    # What is not done twice.

    def client(self, client: LLMClient, run: JournalledRun) -> LLMClient:
        """A client that asks the model only for what the journal does not hold."""
        self._client = JournalledClient(client, self._ctx, lambda: run.version, self._keep_lease, self._tell_text)
        return self._client

    async def before_taking(self, store: CheckpointStore, owner: str, conversation_id: str) -> None:
        """Let go of the conversation for the attempts whose processes could not."""
        for event in self._ctx.earlier_events:
            if event.get("kind") == _TAKEN:
                await store.release(conversation_id, event["lease"], owner=owner)

    async def taken(self, lease: int) -> None:
        """Note the lease, for whoever takes the run over."""
        ctx = self._ctx
        note = {"kind": _TAKEN, "lease": lease, "version": self._run.version}
        await ctx.emit(f"{_TAKEN}:{ctx.attempt}", note)

    async def _keep_lease(self) -> None:
        """Let a later attempt know of the lease, before anything takes long. Inside of a step this costs least."""
        if not self._has_kept_lease:
            await self._ctx.flush()
            self._has_kept_lease = True

    async def tool(self, run: JournalledRun, call: ToolCall, work: Callable[[], Awaitable[ToolOutcome]]) -> ToolOutcome:
        """What a call comes to: done now, or by an earlier attempt."""
        ctx = self._ctx
        name = f"tool:{run.version}:{run.call_number}:{call.name}"
        was_done = ctx.recorded(name)
        if not was_done and ctx.cancelled():
            return _CANCELLED
        spec = run.declared_tool(call.name)
        may_be_done = False
        if spec is not None and spec.once and not was_done and not _does_nothing(run, spec, call):
            may_be_done = not spec.idempotent and self._was_begun(name)
            if not may_be_done:
                await ctx.emit(f"{_TOOL_BEGUN}:{name}", {"kind": _TOOL_BEGUN, "step": name})
                await ctx.flush()

        async def done() -> dict[str, Any]:
            await self._keep_lease()
            outcome = _unknown(run, call) if may_be_done else await work()
            return {"outcome": asdict(outcome), "left": run.left_by_tool()}

        record = await ctx.step(name, done)
        if was_done:
            run.take_over(record["left"])
        return ToolOutcome(**record["outcome"])

    async def before_commit(self) -> None:
        """What was told of the turn outlives the process before the turn does."""
        await self._ctx.flush()

    def _was_begun(self, name: str) -> bool:
        return any(event.get("kind") == _TOOL_BEGUN and event["step"] == name for event in self._ctx.earlier_events)


def _does_nothing(run: JournalledRun, spec: ToolSpec, call: ToolCall) -> bool:
    """Whether a tool that runs only once has run before, or only asks a person first."""
    if spec.name in run.notes.once:
        return True
    if spec.confirm is None:
        return False
    approval = run.notes.waiting(spec.name, call.arguments)
    return approval is None or approval.granted_by is None


def _unknown(run: JournalledRun, call: ToolCall) -> ToolOutcome:
    """A tool that runs only once, and of which nobody knows whether it did."""
    words = (
        f"Error: it is not known whether {call.name} was done: the process that ran it ended in the middle of it. It "
        f"is not run again in this conversation. Tell the user so, and that a person has to look into it."
    )
    run.notes.once[call.name] = words
    return ToolOutcome(words, "failed")
