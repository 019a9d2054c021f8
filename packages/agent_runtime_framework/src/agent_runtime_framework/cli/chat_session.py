"""One chat: the user's lines go to the agent, what happens goes to the view."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from agent_runtime_core.errors import AgentRuntimeError
from agent_runtime_core.events import RunEvent, RunFinished, TurnFinished
from agent_runtime_core.messages import AgentMessage, Usage, add_usage
from agent_runtime_framework.cli.chat_view import ChatOpening, ChatView
from agent_runtime_framework.cli.failure import FAILED, INTERRUPTED, CommandError, OutputClosed, sentence
from agent_runtime_framework.cli.step_line import StepLine
from agent_runtime_framework.cli.target import Agent
from agent_runtime_framework.cli.user_input import UserInput
from agent_runtime_framework.tools.approval import Approval

__all__ = ["ChatSession"]

_BY = "terminal"
"""Who has approved, as the conversation tells it."""
_COMMANDS = {
    "/state": "what the journey has collected",
    "/usage": "tokens of this chat, those from the vendor's cache among them, and their cost where it is counted",
    "/help": "this list",
    "/quit": "leave (Ctrl-D does, too); Ctrl-C stops an answer",
}
_COMMAND = re.compile(r"/[a-z]+")


@dataclass(frozen=True)
class _Standing:
    """Where a conversation stands."""

    state: Any
    stored: bool
    complete: bool


class ChatSession:
    """Talks with one agent in one conversation until the user leaves.

    Args:
        agent: Who answers.
        conversation_id: The conversation.
        source: Where the user's lines come from.
        view: Who shows what happens.
        opening: Makes the view's first page from the agent's key and the conversation's history.
        resources: What is closed at the end, in the event loop in which it was used.
    """

    def __init__(
        self,
        agent: Agent,
        conversation_id: str,
        source: UserInput,
        view: ChatView,
        opening: Callable[[str, list[AgentMessage]], ChatOpening],
        resources: AsyncExitStack,
    ) -> None:
        self._agent = agent
        self._conversation_id = conversation_id
        self._source = source
        self._view = view
        self._opening = opening
        self._resources = resources
        self._usage: Usage = {}
        self._cost: Decimal | None = None
        self._kept = False  # whether something was committed, and can be come back to
        self._waits = False  # whether the last run ended with a question to a person
        self._stopped = False  # whether the last run was cancelled and has ended

    def run(self) -> int:
        """Talk, and return the exit code.

        Raises:
            CommandError: The conversation cannot be opened.
            OutputClosed: Nobody reads the output any more.
        """
        with asyncio.Runner() as runner:
            try:
                return self._talk(runner)
            finally:
                runner.run(self._resources.aclose())

    def _talk(self, runner: asyncio.Runner) -> int:
        opening, steps = runner.run(self._open())
        self._view.opened(opening, steps)
        while self._waits and not self._ask(runner, steps):
            pass
        code = 0
        while (line := self._source.read(runner, steps)) is not None:
            if self._view.takes_commands and _COMMAND.fullmatch(line.strip()):
                if line.strip() == "/quit":
                    break
                self._obey(line.strip(), runner)
                continue
            was_complete = steps.complete
            self._view.heard(line)
            problem = self._carry_out(self._answer(line), runner, steps)
            while self._waits and not problem:
                problem = self._ask(runner, steps)
            if problem and not self._source.interactive:
                code = problem
                break
            if steps.complete and not was_complete and not self._source.interactive:
                break
        self._view.closed(kept=self._kept)
        return code

    def _ask(self, runner: asyncio.Runner, steps: StepLine) -> int:
        """Put what waits for a person to the one at the terminal; returns 0 or an exit code."""
        self._waits = False
        try:
            pending = runner.run(self._agent.pending_approvals(self._conversation_id))
        except Exception as error:  # a store that is gone
            self._view.failed(error)
            return FAILED
        for approval in pending:
            granted = self._source.confirm(runner, approval.question) if self._view.takes_commands else None
            if granted is None:
                self._view.waits(approval)
            elif problem := self._carry_out(self._decide(approval, granted), runner, steps):
                return problem
        return 0

    def _carry_out(self, work: Coroutine[Any, Any, None], runner: asyncio.Runner, steps: StepLine) -> int:
        """One message or one decision, and what comes of it; 0, or the exit code for those who cannot try again."""
        problem = 0
        try:
            runner.run(work)
        except (KeyboardInterrupt, asyncio.CancelledError):  # the second where something else cancels, too
            problem = INTERRUPTED
            self._view.interrupted()
            if not self._stopped:
                # Ctrl-C for the second time: something does not let itself be cancelled, and would keep the
                # process, too. Nothing is lost by going at once: what is committed is in the store.
                os._exit(INTERRUPTED)
        except OutputClosed:
            raise
        except Exception as error:  # a model, a store, a tool in debug mode: the user may try again
            problem = FAILED
            self._view.failed(error)
        try:
            standing = runner.run(self._look())
        except Exception as error:  # a store that is gone, a state that is not read any more
            if not problem:  # else it is most likely the same story, and told
                self._view.failed(error)
            return problem or FAILED
        arrived = standing.complete and not steps.complete
        self._view.settled(moved=steps.settle(standing.state.step, complete=standing.complete), arrived=arrived)
        return problem

    async def _open(self) -> tuple[ChatOpening, StepLine]:
        try:
            key = str(self._agent.key)
            standing = await self._look()
            history = await self._agent.get_history(self._conversation_id)
            steps = StepLine(standing.state.step, resumed=standing.stored, complete=standing.complete)
        except Exception as error:  # the user's journey and any store: whatever it is, there is nothing to talk with
            told = sentence(error)
            raise CommandError(
                told if isinstance(error, AgentRuntimeError) else f"the journey cannot start: {told}"
            ) from error
        self._kept = standing.stored or bool(history)
        self._waits = standing.stored
        return self._opening(key, history), steps

    async def _look(self) -> _Standing:
        state = await self._agent.get_state(self._conversation_id)
        stored = state is not None
        state = state if stored else self._agent.get_initial_state()
        return _Standing(state, stored, bool(self._agent.is_terminal_state(state)))

    async def _decide(self, approval: Approval, granted: bool) -> None:
        agent, conversation = self._agent, self._conversation_id
        await self._follow(agent.approve_stream(conversation, approval.approval_id, granted, by=_BY))

    async def _answer(self, text: str) -> None:
        self._waits = False
        await self._follow(self._agent.stream(self._conversation_id, text))

    async def _follow(self, run: AsyncGenerator[RunEvent, None]) -> None:
        """Show a run while it happens."""
        self._stopped = False
        try:
            async with aclosing(run) as events:
                async for event in events:
                    self._kept = self._kept or isinstance(event, (TurnFinished, RunFinished))
                    if isinstance(event, RunFinished):
                        self._waits = self._waits or event.reason.startswith("approval:")
                        add_usage(self._usage, event.usage)
                        if event.cost is not None:
                            self._cost = event.cost + (self._cost or 0)
                    self._view.happened(event)
        except asyncio.CancelledError:
            self._stopped = True  # a second Ctrl-C breaks in from elsewhere and leaves this unset
            raise

    def _obey(self, command: str, runner: asyncio.Runner) -> None:
        if command == "/usage":
            cost = {} if self._cost is None else {"cost_usd": str(self._cost)}
            self._view.looked({**self._usage, **cost} or {"tokens": 0})
            return
        if command != "/state":
            self._view.helped(_COMMANDS)
            return
        try:
            self._view.looked(runner.run(self._look()).state.to_dict())
        except OutputClosed:
            raise
        except Exception as error:  # a store, or the user's to_dict(): the chat goes on
            self._view.failed(error)
