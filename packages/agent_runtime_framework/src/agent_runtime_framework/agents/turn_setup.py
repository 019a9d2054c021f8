"""What the model sees of a journey at one turn: its prompts and its tools."""

from __future__ import annotations

import json
from inspect import iscoroutine
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.messages import MessageDict
from agent_runtime_framework.agents.offer import Offer
from agent_runtime_framework.executor.delegate import TurnSetup
from agent_runtime_framework.executor.reply import Reply, read_reply
from agent_runtime_framework.prompts import PromptTemplate
from agent_runtime_framework.tools.approval import Approval
from agent_runtime_framework.tools.correction_tools import CANCELLED_PROMPT
from agent_runtime_framework.tools.corrections import Corrections
from agent_runtime_framework.tools.notes import JourneyNotes

if TYPE_CHECKING:
    from agent_runtime_framework.agents.journey_agent import JourneyAgent

__all__ = ["approved_call", "question"]


def question(
    journey: JourneyAgent[Any, Any, Any],
    state: Any,
    offer: Offer,
    corrections: Corrections | None,
    notes: JourneyNotes,
) -> TurnSetup:
    """What the model is asked with, at the step that the state stands at.

    Args:
        journey: The journey.
        state: Its state.
        offer: What it offers now.
        corrections: What can be corrected; None when it has no corrections.
        notes: What is remembered of the journey beside its state.

    Raises:
        ConfigError: The journey's prompt is no text.
    """
    prompt: Any
    if corrections is not None and notes.travel.cancelled:
        prompt = CANCELLED_PROMPT
    else:
        prompt = journey.get_system_prompt(state)
        if prompt.__class__ is not str:
            prompt = _checked_prompt(journey, prompt)
    tools = offer.tools
    if journey.tools == "stable" and journey.declared.tools:
        tools = [spec.to_openai_format() for spec in journey.declared.tools.values()]
        if corrections is not None:
            tools += corrections.all_formats()
    instructions = journey.instructions
    if instructions is None:
        return TurnSetup(prompt, tools or None)
    if isinstance(instructions, PromptTemplate):
        instructions = instructions.render()
    return TurnSetup(instructions, tools or None, step_prompt=prompt)


def approved_call(approval: Approval, messages: list[MessageDict]) -> Reply:
    """The call that a person has approved, as if the model had made it now.

    Args:
        approval: What they have said yes to.
        messages: The conversation.
    """
    function = {"name": approval.tool, "arguments": json.dumps(approval.arguments, ensure_ascii=False)}
    call = {"id": f"approved_{approval.approval_id}", "type": "function", "function": function}
    return read_reply(SimpleNamespace(message={"content": None, "tool_calls": [call]}, usage=None), messages)


def _checked_prompt(journey: JourneyAgent[Any, Any, Any], prompt: Any) -> str | None:
    """The prompt, if it is a text or there is none.

    Raises:
        ConfigError: It is something else.
    """
    if prompt is None or isinstance(prompt, str):
        return prompt
    if iscoroutine(prompt):
        prompt.close()
        prompt = "a coroutine (it is asked without await: leave out the `async`)"
    raise ConfigError(f"{type(journey).__name__}.get_system_prompt() must give a text, and gave {prompt!s:.100}.")
