"""What a journey says at a step without asking the model."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from agent_runtime_core.errors import ConfigError
from agent_runtime_framework.prompts import PromptTemplate
from agent_runtime_framework.state.template_variables import template_variables

__all__ = ["check_fixed_texts", "fixed_text"]


def check_fixed_texts(agent_class: type, says: Any, step_class: type[Enum] | None) -> None:
    """Make sure that `says` gives texts to steps of this journey.

    Raises:
        ConfigError: It does not; the text names the class and the entry.
    """
    if not isinstance(says, Mapping):
        raise ConfigError(f"{agent_class.__name__}.says is {says!r:.80}; give a dict of steps and texts.")
    for step, text in says.items():
        if step_class is not None and not isinstance(step, step_class):
            raise ConfigError(
                f"{agent_class.__name__}.says has an entry for {step!r}, which is no step of it: give a member of "
                f"{step_class.__name__} ({', '.join(member.name for member in step_class)})."
            )
        if not isinstance(text, (str, PromptTemplate)):
            raise ConfigError(
                f"{agent_class.__name__}.says has {text!r:.80} for {step!s}; give a text or a PromptTemplate."
            )


def fixed_text(says: Mapping[Any, str | PromptTemplate], state: Any) -> str | None:
    """The words of the state's step; templates are filled in with the state's fields. None when there are none."""
    text = says.get(state.get_step())
    if isinstance(text, PromptTemplate):
        text = text.render(**template_variables(state))
    return text or None
