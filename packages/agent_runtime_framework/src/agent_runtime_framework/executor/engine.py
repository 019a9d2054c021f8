"""The engine: asks the model, runs its tool calls, asks again, and tells all of it as events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from agent_runtime_core.events import (
    LLMCallFinished,
    LLMCallStarted,
    RunEvent,
    RunFinished,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    ToolOutcome,
    TurnFinished,
)
from agent_runtime_core.messages import MessageDict, ToolCall, Usage, add_usage, total_tokens
from agent_runtime_framework.executor.limits import RunLimits
from agent_runtime_framework.executor.llm_call import LLMCall, LLMClient
from agent_runtime_framework.executor.reply import Reply, read_reply

__all__ = ["CallTool", "Engine", "PrepareTurn", "TurnSetup"]

_WORTH_A_CLOSING_CALL = frozenset({"max_iterations", "limit:tool_calls", "limit:invalid_arguments"})


@dataclass(slots=True)
class TurnSetup:
    """What the model sees at one turn, beside the messages."""

    system_prompt: str | None = None
    """Put in front of the messages when it is not empty."""
    tools: list[dict[str, Any]] | None = None
    """Tools in OpenAI's form; None, never an empty list, when there are none."""
    options: dict[str, Any] = field(default_factory=dict)
    """Further keywords for the client, such as `tool_choice`."""

    def request(self, messages: list[MessageDict]) -> list[MessageDict]:
        """The messages to send, as a list of their own."""
        if self.system_prompt:
            return [{"role": "system", "content": self.system_prompt}, *messages]
        return list(messages)


PrepareTurn = Callable[[int], TurnSetup]
"""What the model sees now; gets the turn's number."""

CallTool = Callable[[ToolCall, float | None], Awaitable[ToolOutcome]]
"""Runs one call, within that many seconds."""


@dataclass(slots=True, kw_only=True)
class Engine:
    """One run: the model is asked until it answers in text or a limit ends the run.

    The engine knows no journey and no store. What the model sees comes from `prepare_turn`, asked anew before every
    call; what a tool call comes to, from `call_tool`. Tool calls run one after the other.
    """

    client: LLMClient
    """The model."""
    messages: list[MessageDict]
    """The conversation before this run; the engine owns the list and appends to it."""
    prepare_turn: PrepareTurn
    """Asked before every LLM call."""
    call_tool: CallTool
    """Asked for every tool call."""
    max_iterations: int
    """LLM calls with tools that the run may make."""
    limits: RunLimits
    """The other bounds."""
    terminal_tools: Collection[str] = ()
    """Tools whose success ends the run."""
    streaming: bool = False
    """Whether to ask through the client's `stream`, where it has one."""
    stop_on_text: bool = True
    """Whether a text ends the run; if not, a second text in a row does."""
    closing_call: bool = False
    """Whether a model that was cut short is asked once more, without tools, for its closing words."""
    closing_text: str = ""
    """What is said when a limit leaves nothing else to say."""
    is_cancelled: Callable[[], bool] | None = None
    """Asked before every LLM call; True ends the run."""
    usage: Usage = field(default_factory=dict, init=False)
    """Token counts so far."""
    tool_calls_made: int = field(default=0, init=False)
    """Tool calls taken up so far."""
    _start: int = field(init=False)
    _deadline: float | None = field(default=None, init=False)
    _texts_in_a_row: int = field(default=0, init=False)
    _invalid_in_a_row: int = field(default=0, init=False)
    _tool_calls_used_up: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._start = len(self.messages)

    async def run(self) -> AsyncGenerator[RunEvent, None]:
        """Tell the run; the last event is `RunFinished`.

        Raises:
            LLMError: The model could not be asked. Whatever else a client, a prompt or (in debug mode) a tool raises
                comes out as it is, too.
        """
        if self.limits.max_seconds is not None:
            self._deadline = asyncio.get_running_loop().time() + self.limits.max_seconds
        turn = 0
        response = ""  # the last thing that was said or found out
        reason: str | None = None
        while True:
            reason = reason or self._reason_to_stop(turn)
            if reason is not None and not (self.closing_call and reason in _WORTH_A_CLOSING_CALL):
                break
            setup = self.prepare_turn(turn)
            if reason is not None:
                setup = TurnSetup(setup.system_prompt)
            request = setup.request(self.messages)
            if self._texts_in_a_row:
                request.append({"role": "user", "content": "Go on."})
            yield LLMCallStarted(turn=turn, messages=request, tools=setup.tools)
            llm_call = LLMCall(
                self.client,
                request,
                setup.tools,
                setup.options,
                streaming=self.streaming,
                deadline=self._deadline,
            )
            async with aclosing(llm_call.texts()) as texts:
                async for text in texts:
                    yield TextDelta(text=text)
            if llm_call.out_of_time:
                reason = "limit:seconds"
                break
            reply = read_reply(llm_call.response, self.messages)
            add_usage(self.usage, reply.usage)
            if reason is not None:
                response = reply.text or response or self.closing_text
                if not reply.text and response:
                    yield TextDelta(text=response)
                reply = Reply(response, (), {"role": "assistant", "content": response}, reply.usage)
            self.messages.append(reply.message)
            yield LLMCallFinished(turn=turn, message=reply.message, calls=reply.calls, usage=_counts(reply.usage))
            if not reply.calls:
                response = reply.text
                self._texts_in_a_row += 1
                if reason is None and (self.stop_on_text or self._texts_in_a_row > 1):
                    reason = "text_response"
                yield TurnFinished(turn=turn, reason=reason)
                if reason is not None:
                    yield self._finished(response, reason)
                    return
                turn += 1
                continue
            self._texts_in_a_row = 0
            ended_by: str | None = None
            for call in reply.calls:
                yield ToolCallStarted(call=call)
                outcome = await self._outcome(call)
                self.messages.append(
                    {"role": "tool", "content": outcome.content, "tool_call_id": call.id, "name": call.name}
                )
                yield ToolCallFinished(call=call, outcome=outcome)
                if ended_by is None:
                    response = outcome.content
                    if outcome.status == "ok" and call.name in self.terminal_tools:
                        ended_by = f"terminal_tool:{call.name}"
            yield TurnFinished(turn=turn, reason=ended_by)
            if ended_by is not None:
                yield self._finished(response, ended_by)
                return
            turn += 1
        if reason != "cancelled" and self.closing_text:
            response = self.closing_text
            self.messages.append({"role": "assistant", "content": response})
            yield TextDelta(text=response)
            yield TurnFinished(turn=turn, reason=reason)
        yield self._finished(response, reason)

    def _reason_to_stop(self, turn: int) -> str | None:
        """Why no further turn may begin, or None."""
        limits = self.limits
        if self.is_cancelled is not None and self.is_cancelled():
            return "cancelled"
        if self._tool_calls_used_up:
            return "limit:tool_calls"
        if limits.max_invalid_arguments is not None and self._invalid_in_a_row > limits.max_invalid_arguments:
            return "limit:invalid_arguments"
        if turn >= self.max_iterations:
            return "max_iterations"
        if limits.max_total_tokens is not None and total_tokens(self.usage) >= limits.max_total_tokens:
            return "limit:total_tokens"
        if self._deadline is not None and asyncio.get_running_loop().time() >= self._deadline:
            return "limit:seconds"
        return None

    async def _outcome(self, call: ToolCall) -> ToolOutcome:
        """What a call comes to, within the limits on tools."""
        limits = self.limits
        if limits.max_tool_calls is not None and self.tool_calls_made >= limits.max_tool_calls:
            self._tool_calls_used_up = True
            return ToolOutcome("Error: not run, because this run has used up its tool calls.", "refused")
        self.tool_calls_made += 1
        timeout_s = limits.tool_timeout_s
        if self._deadline is not None:
            left = max(self._deadline - asyncio.get_running_loop().time(), 0.0)
            timeout_s = left if timeout_s is None else min(left, timeout_s)
        outcome = await self.call_tool(call, timeout_s)
        self._invalid_in_a_row = self._invalid_in_a_row + 1 if outcome.status == "invalid" else 0
        return outcome

    def _finished(self, response: str, reason: str) -> RunFinished:
        return RunFinished(
            response=response,
            reason=reason,
            messages=self.messages[self._start :],
            usage=self.usage,
            tool_calls_made=self.tool_calls_made,
        )


def _counts(usage: Any) -> Usage:
    counts: Usage = {}
    add_usage(counts, usage)
    return counts
