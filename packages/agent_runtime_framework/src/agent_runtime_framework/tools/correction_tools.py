"""The tools of the framework's own with which a model corrects: their names, and what it is told of them."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["ASK_FIRST", "CANCEL", "CANCELLED_PROMPT", "NAMES", "correction_tool"]

CANCEL: Final = "cancel"

CANCELLED_PROMPT: Final = (
    "The user has cancelled. Nothing of it goes on, and nothing is to be asked any more. If they want to begin anew, "
    "call start_again when you have that tool; otherwise answer briefly."
)
"""What the model is told at every step of a journey that was cancelled."""

NAMES: Final = ("go_back", "change_answer", "start_again", "cancel")
"""All of them, in the order in which they are offered."""

_PURPOSES: Final = {
    "go_back": "Only when the user asks for it: go back to the step before. The answers given so far are kept.",
    "change_answer": (
        "Only when the user asks for it: reopen an answer that they want to change. The journey goes to where it is "
        "asked for, and afterwards returns by itself. Then save the new answer with the tool of that step."
    ),
    "start_again": (
        "Only when the user asks for it: forget all answers and begin from the start. The first call forgets nothing: "
        "ask the user whether they are sure, and call it again once they have answered yes."
    ),
    "cancel": (
        "Only when the user asks for it: cancel what the conversation is about. The first call cancels nothing: ask "
        "the user whether they are sure, and call it again once they have answered yes."
    ),
}

ASK_FIRST: Final = {
    "start_again": (
        "Nothing is forgotten. Ask the user whether they really want to begin from the start, and wait for their "
        "answer: only after their next message can this be called again and forget the answers."
    ),
    "cancel": (
        "Not cancelled. Ask the user whether they really want to cancel, and wait for their answer: only after their "
        "next message can this be called again and cancel."
    ),
}
"""Those that lose all that was said, with what the model reads at the first call."""


def correction_tool(name: str, fields_now: tuple[str, ...] = ()) -> dict[str, Any]:
    """One of the tools in OpenAI's form.

    Args:
        name: The tool.
        fields_now: The fields that can be changed, for `change_answer`.
    """
    parameters: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
    if name == "change_answer":
        choice = {"type": "string", "enum": list(fields_now), "description": "The answer to change."}
        parameters = {"type": "object", "properties": {"field": choice}, "required": ["field"]}
    return {"type": "function", "function": {"name": name, "description": _PURPOSES[name], "parameters": parameters}}
