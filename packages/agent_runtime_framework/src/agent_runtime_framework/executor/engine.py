"""The engine: asks the model, runs its tool calls, asks again, and tells all of it as events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Container
from contextlib import aclosing
from dataclasses import dataclass, replace
from decimal import Decimal

from agent_runtime_core.errors import LLMError
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
from agent_runtime_core.messages import MessageDict, add_usage
from agent_runtime_framework.executor.costs import Pricing
from agent_runtime_framework.executor.delegate import RunDelegate, TurnSetup
from agent_runtime_framework.executor.limits import RunLimits, RunMeter
from agent_runtime_framework.executor.llm_call import Interrupted, OutOfTime, StreamedResponse, before, streams
from agent_runtime_framework.executor.reply import Reply, read_reply

__all__ = ["Engine"]

_WORTH_CLOSING_WORDS = frozenset({"max_iterations", "limit:tool_calls", "limit:invalid_arguments"})
_GO_ON = "Go on."
_NO_MORE_CALLS = ToolOutcome("Error: not run, because this run has used up its tool calls.", "refused")


@dataclass(slots=True)
class Engine:
    """One run: the model is asked until it answers in text or a limit ends the run.

    The engine knows no journey and no store: those are its delegate's. Tool calls run one after the other. What has a
    default is set before the run where it is to be something else (to give all of it by keyword takes four times as
    long as the rest of a new engine).
    """

    delegate: RunDelegate
    """What the run is about."""
    max_iterations: int
    """LLM calls with tools that the run may make."""
    limits: RunLimits
    """The other bounds."""
    terminal_tools: Container[str] = ()
    """Tools whose success ends the run."""
    listened: bool = True
    """Whether anybody hears of the run before its end. If not, only the last event is told."""
    streaming: bool = False
    """Whether somebody reads the text while it comes: then it is asked for as a stream, where the client has one."""
    stop_on_text: bool = True
    """Whether a text ends the run; if not, a second text in a row does."""
    closing_call: bool = False
    """Whether a model that was cut short is asked once more, without tools, for its closing words."""
    closing_text: str = ""
    """What is said when a limit leaves nothing else to say."""
    pricing: Pricing | None = None
    """What a call costs; None counts no costs, unless there is a `max_cost`."""

    async def run(self) -> AsyncGenerator[RunEvent, None]:
        """Tell the run; the last event is `RunFinished`. Text deltas only when `streaming`, the others when `listened`.

        Raises:
            LLMError: The model could not be asked. Whatever else a client, the delegate or (in debug mode) a tool
                raises comes out as it is, too.
        """
        try:
            delegate, listened, streaming = self.delegate, self.listened, self.streaming
            meter = RunMeter(self.limits, self.max_iterations, self.pricing)
            opening, ended = await delegate.begin()
            if listened:
                for event in opening:
                    yield event
            if isinstance(ended, RunFinished):
                if streaming and ended.response:
                    yield TextDelta(text=ended.response)
                yield ended
                return
            reason: str | None = ended  # why the run ends
            client, messages = delegate.client, delegate.messages
            ledger = meter.ledger if meter.has_budget else None
            cost: Decimal | None = None  # of one call
            start = len(messages)
            turn = texts_in_a_row = 0
            response = ""  # the last thing that was said or found out
            cut_short: str | None = None
            finished: RunFinished | None = None  # how the run ends, once that is known
            cut_off = ""  # what the model had said of an answer that came too late
            said: str | None = None  # what is said at the end without the model
            while reason is None:
                cut_short = "cancelled" if delegate.cancelled() else meter.reason_to_stop(turn)
                setup = delegate.prepare_turn() if cut_short is None else self._closing_setup(cut_short)
                if setup is None:
                    break
                if setup.says is not None:
                    reason, said = "text_response", setup.says
                    break
                if setup.reply is not None:
                    reply = setup.reply
                else:
                    request = setup.request(messages)
                    if texts_in_a_row:
                        request.append({"role": "user", "content": _GO_ON})
                    if listened:
                        yield LLMCallStarted(turn=turn, messages=request, tools=setup.tools, client=client)
                    streamed: StreamedResponse | None = None
                    try:
                        if streaming and streams(client):
                            streamed = StreamedResponse(
                                client.stream(messages=request, tools=setup.tools, **(setup.options or {})),
                                meter.deadline,
                            )
                            async with aclosing(streamed.texts()) as texts:
                                async for text in texts:
                                    yield TextDelta(text=text)
                            reply = read_reply(streamed, messages)
                        else:
                            if setup.options:
                                answer = client.generate(messages=request, tools=setup.tools, **setup.options)
                            else:
                                answer = client.generate(messages=request, tools=setup.tools)
                            if meter.deadline is not None:
                                answer = before(meter.deadline, answer)
                            reply = read_reply(await answer, messages)
                            if streaming and reply.text:
                                yield TextDelta(text=reply.text)
                    except Interrupted:
                        cut_short = "cancelled"
                        break
                    except OutOfTime:
                        cut_short = "limit:seconds"
                        cut_off = streamed.text if streamed is not None else ""
                        break
                    except LLMError as error:
                        instead = None if streamed is not None and streamed.text else delegate.reply_instead(error)
                        if instead is None:
                            raise
                        reply = instead
                    add_usage(meter.usage, reply.usage)
                    if meter.has_budget:
                        meter.count(reply.usage)
                        if ledger is not None:
                            cost = ledger.add(client, reply)
                            delegate.note_cost(cost, ledger.model)
                if cut_short is not None:
                    words = reply.text or response or self.closing_text
                    if streaming and not reply.text and words:
                        yield TextDelta(text=words)
                    reply = Reply(words, (), {"role": "assistant", "content": words}, reply.usage, reply.response)
                messages.append(reply.message)
                if listened and setup.reply is None:
                    yield LLMCallFinished(
                        turn=turn,
                        message=reply.message,
                        calls=reply.calls,
                        usage=reply.usage,
                        response=reply.response,
                        cost=cost,
                    )
                if reply.calls:
                    texts_in_a_row = 0
                    for call in reply.calls:
                        if listened:
                            yield ToolCallStarted(call=call)
                        if meter.takes_tool_call():
                            outcome = await delegate.call_tool(call, meter.tool_seconds())
                            meter.note(outcome)
                        else:
                            outcome = _NO_MORE_CALLS
                        messages.append(
                            {
                                "role": "tool",
                                "content": outcome.content,
                                "tool_call_id": call.id,
                                "name": call.wire_name,
                            }
                        )
                        if listened:
                            yield ToolCallFinished(call=call, outcome=outcome)
                            for event in delegate.news():
                                yield event
                        if reason is None:
                            response = outcome.content
                            if outcome.status == "ok" and call.name in self.terminal_tools:
                                reason = f"terminal_tool:{call.name}"
                            elif outcome.status == "pending":
                                response = outcome.question or response
                                reason = f"approval:{outcome.approval_id}"
                else:
                    response = reply.text
                    texts_in_a_row += 1
                    if cut_short is not None:
                        reason = cut_short
                    elif self.stop_on_text or texts_in_a_row > 1:
                        reason = "text_response"
                if reason is not None:
                    finished = _finished(response, reason, messages[start:], meter)
                news = await delegate.finish_turn(finished)
                if listened:
                    for event in news:
                        yield event
                    yield TurnFinished(turn=turn, reason=reason)
                turn += 1
            if reason is None:  # stopped before a turn, or in the middle of a question
                reason = cut_short or ""
                if self.closing_text and reason != "cancelled":
                    said = f"{cut_off}\n\n{self.closing_text}" if cut_off else self.closing_text
            if said is not None:
                response = said
                messages.append({"role": "assistant", "content": response})
                if streaming:
                    yield TextDelta(text=response[len(cut_off) :])
                finished = _finished(response, reason, messages[start:], meter)
                news = await delegate.finish_turn(finished)
                if listened:
                    for event in news:
                        yield event
                    yield TurnFinished(turn=turn, reason=reason)
            if finished is None:
                finished = _finished(response, reason, messages[start:], meter)
            finished.state = await delegate.finish_run(finished)
            yield finished
        finally:
            await self.delegate.leave()

    def _closing_setup(self, cut_short: str) -> TurnSetup | None:
        """What the model sees when it is asked for its closing words; None when it is not asked."""
        if self.closing_call and cut_short in _WORTH_CLOSING_WORDS:
            setup = self.delegate.prepare_turn()
            return replace(setup, tools=None, options=None, reply=None)
        return None


def _finished(response: str, reason: str, messages: list[MessageDict], meter: RunMeter) -> RunFinished:
    return RunFinished(
        response=response,
        reason=reason,
        messages=messages,
        usage=meter.usage,
        tool_calls_made=meter.tool_calls,
        cost=meter.ledger.cost if meter.has_budget and meter.ledger is not None else None,
    )
