"""Which prompt belongs to which step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Generic, Self, overload

from agent_runtime_framework.prompts.template import PromptTemplate
from agent_runtime_framework.state import StepT

__all__ = ["StepPromptMapping"]

MISSING: Final[Any] = object()
"""Stands for a step that was not given by position."""


@dataclass
class StepPromptMapping(Generic[StepT]):
    """A prompt for each step, and one for the steps that have none."""

    prompts: dict[StepT, str | PromptTemplate] = field(default_factory=dict)
    """Step to prompt. A text is used as it is; a template is filled in."""
    default: str | PromptTemplate = ""
    """The prompt of a step without an entry."""

    @overload
    def get(self, step: StepT, /, **variables: Any) -> str: ...

    @overload
    def get(self, /, *, step: StepT, **variables: Any) -> str: ...

    def get(self, step: Any = MISSING, /, **variables: Any) -> str:
        """The prompt of a step; a template is filled in with the variables.

        The step comes first, by position, which leaves the name `step` free for a variable of the template:
        `prompts.get(Step.WELCOME, step="welcome")`. Without a position, `step=` is the step.

        Raises:
            TypeError: There is no step.
        """
        if step is MISSING:
            step = take_step(variables)
        prompt = self.prompts.get(step, self.default)
        return prompt.render(**variables) if isinstance(prompt, PromptTemplate) else prompt

    def add(self, step: StepT, prompt: str | PromptTemplate) -> Self:
        """Set the prompt of a step, and return the mapping."""
        self.prompts[step] = prompt
        return self


def take_step(variables: dict[str, Any]) -> Any:
    """Take the step out of the keywords of a call that gave none by position.

    Raises:
        TypeError: There is no step.
    """
    if "step" not in variables:
        raise TypeError("no step was given: give it first, or as step=.")
    return variables.pop("step")
