"""A chat as a person reads it: text as it arrives, steps that move, tool calls in passing."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.text import Text

from agent_runtime_core.events import (
    LLMCallStarted,
    RunEvent,
    RunFinished,
    StepChanged,
    TextDelta,
    ToolCallFinished,
    ToolCallStarted,
    ToolOutcome,
)
from agent_runtime_core.messages import AgentMessage, ToolCall, text_of
from agent_runtime_framework.cli.chat_view import ChatOpening, ChatView
from agent_runtime_framework.cli.marks import Marks, marks_for
from agent_runtime_framework.cli.screen import show_failure
from agent_runtime_framework.cli.step_line import StepLine
from agent_runtime_framework.cli.terminal_text import one_line, plain, question_line
from agent_runtime_framework.cli.tool_line import call_text, outcome_text
from agent_runtime_framework.tools.approval import Approval

__all__ = ["Transcript"]

_SHOWN_MESSAGES = 6
_STEP_STYLES = {"passed": "green", "current": "bold", "ahead": "dim", "arrow": "dim"}


class Transcript(ChatView):
    """Prints the conversation.

    Args:
        screen: Where it is printed.
        errors: Where failures are printed.
        echo: Whether to print what the user says, because it does not stand on the screen already.
    """

    def __init__(self, screen: Console, errors: Console, *, echo: bool) -> None:
        self._screen = screen
        self._errors = errors
        self._echo = echo
        self._marks: Marks = marks_for(screen.encoding)
        self._opening: ChatOpening | None = None
        self._steps: StepLine | None = None
        self._waiting: Status | None = None
        self._mid_line = False
        self._open_call: str | None = None  # the tool call whose line still lacks its end
        self._spoke = False  # whether the model's present answer was shown as it came

    def opened(self, opening: ChatOpening, steps: StepLine) -> None:
        """Show which conversation this is, how far it has come, and what to do."""
        self._opening, self._steps = opening, steps
        dot = f" {self._marks.dot} "
        kept = opening.saved_in or "in memory only"
        self._note(dot.join((opening.agent_key, f"conversation {opening.conversation_id}", kept)))
        if opening.offline:
            self._line("offline client: rules, no AI", "yellow")
        if opening.expected and opening.saved_in and not opening.history:
            self._note("Nothing is stored under this id yet: a new conversation.")
        self._show_history(opening.history)
        self._show_steps()
        if steps.complete:
            self._line(f"{self._marks.passed} The journey is complete.", "green")
        elif not opening.history:
            self._note("Say something to begin; Ctrl-D or /quit leaves.")

    def heard(self, text: str) -> None:
        """Show the user's line, where it is not on the screen already."""
        if self._echo:
            self._show_user(text)

    def happened(self, event: RunEvent) -> None:
        """Show what the user of a chat wants to see of an event."""
        self._stop_waiting()
        match event:
            case LLMCallStarted():
                self._spoke = False
                self._start_waiting()
            case TextDelta():
                self._spoke = self._spoke or bool(event.text.strip())
                self._write(event.text)
            case ToolCallStarted():
                self._break_line()
                self._write(call_text(event.call, self._marks), "dim")
                self._open_call = event.call.id
            case ToolCallFinished():
                self._finish_tool_call(event.call, event.outcome)
                self._spoke = False
            case StepChanged():
                if self._steps is not None and self._steps.move_to(event.to_step):
                    self._show_steps()
            case RunFinished():
                self._finish(event)

    def settled(self, *, moved: bool, arrived: bool) -> None:
        """Show the steps if they moved unseen, and that the journey has arrived."""
        self._stop_waiting()
        self._break_line()
        if moved:
            self._show_steps()
        if arrived:
            self._line(f"{self._marks.passed} The journey is complete.", "green")

    def waits(self, approval: Approval) -> None:
        """Say what is asked, and under which id it can be answered."""
        self._line(f"Waits for approval {approval.approval_id}: {question_line(approval.question)}", "yellow")

    def interrupted(self) -> None:
        """Say that the run was cancelled."""
        self._stop_waiting()
        self._break_line()
        self._line("Cancelled. What was committed before stays.", "yellow")

    def failed(self, error: Exception) -> None:
        """Say on the error output what went wrong."""
        self._stop_waiting()
        self._break_line()
        show_failure(self._errors, error)

    def helped(self, commands: dict[str, str]) -> None:
        """List what can be typed."""
        for command, meaning in commands.items():
            self._note(f"{command:8} {meaning}")

    def looked(self, state: dict[str, Any]) -> None:
        """List the entries of the state."""
        for name, value in state.items():
            shown = json.dumps(value, ensure_ascii=False, default=str)
            self._note(f"{one_line(str(name))}: {one_line(shown, 400)}")

    def closed(self, *, kept: bool) -> None:
        """Say where the conversation is and how to open it again."""
        self._stop_waiting()
        self._break_line()
        if self._opening is None or not kept:
            return
        self._line("")
        if self._opening.saved_in is None:
            self._note("This conversation was kept in memory only; --store sqlite:///journeys.db would save it.")
            return
        self._note(f"Saved in {self._opening.saved_in}." + (" Open it again:" if self._opening.reopen else ""))
        if self._opening.reopen:
            self._line(f"  {self._opening.reopen}")

    def _finish(self, event: RunFinished) -> None:
        """Show the response where no delta has told it, and why the run ended if that is not plain."""
        if not self._spoke and event.response.strip():
            self._break_line()
            self._write(event.response)
        self._break_line()
        if event.reason == "closing_message":
            self._note("Nothing to answer: the journey is complete.")
        elif event.reason == "max_iterations" or event.reason.startswith("limit:"):
            self._note(f"The run met a limit: {one_line(event.reason, 60)}.")
        elif not event.response.strip():
            self._note("The model gave no answer.")

    def _show_history(self, history: Any) -> None:
        spoken = [each for each in history if each.role in ("user", "assistant") and text_of(each.content).strip()]
        if len(spoken) > _SHOWN_MESSAGES:
            self._note(f"({len(spoken) - _SHOWN_MESSAGES} earlier messages)")
        for message in spoken[-_SHOWN_MESSAGES:]:
            self._show_message(message)
        if spoken:
            self._line("")

    def _show_message(self, message: AgentMessage) -> None:
        text = text_of(message.content)
        if message.role == "user":
            self._show_user(text)
        else:
            self._write(text)
            self._break_line()

    def _show_user(self, text: str) -> None:
        self._line("")
        self._write("> ", "bold cyan")
        self._write(text.replace("\n", "\n  "), "cyan")
        self._break_line()

    def _show_steps(self) -> None:
        if self._steps is not None:
            self._break_line()
            pieces = self._steps.pieces(self._marks)
            line = Text.assemble(*((text, _STEP_STYLES[kind]) for kind, text in pieces))
            self._screen.print(line, soft_wrap=True, highlight=False)

    def _finish_tool_call(self, call: ToolCall, outcome: ToolOutcome) -> None:
        if self._open_call != call.id:  # something was written since it started
            self._break_line()
            self._write(call_text(call, self._marks), "dim")
        self._write(f" {outcome_text(call, outcome, self._marks)}", "dim" if outcome.status == "ok" else "yellow")
        self._break_line()

    def _start_waiting(self) -> None:
        if self._screen.is_terminal and not self._mid_line:
            spinner = "dots" if self._marks.current == "●" else "line"
            self._waiting = self._screen.status("", spinner=spinner, spinner_style="dim")
            self._waiting.start()

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None

    def _note(self, text: str) -> None:
        self._line(text, "dim")

    def _line(self, text: str, style: str | None = None) -> None:
        self._break_line()
        self._write(f"{text}\n", style)

    def _write(self, text: str, style: str | None = None) -> None:
        """Print as it is: no markup, no wrapping, nothing that commands the terminal."""
        text = plain(text)
        if text:
            self._screen.out(text, style=style, highlight=False, end="")
            self._mid_line = not text.endswith("\n")
            self._open_call = None

    def _break_line(self) -> None:
        if self._mid_line:
            self._write("\n")
