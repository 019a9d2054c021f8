"""The prompt of a journey as it stands now: the step's prompt, filled in from the state and enriched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Generic, Self, overload

from agent_runtime_framework.prompts.mapping import MISSING, StepPromptMapping, take_step
from agent_runtime_framework.prompts.template import PromptTemplate
from agent_runtime_framework.state import BaseJourneyState, StepT

__all__ = ["PromptManager", "PromptTemplate", "StepPromptMapping", "preference_enricher"]

ContextEnricher = Callable[[Any], Mapping[str, Any]]
"""Gets the state, gives the variables for the step's template."""

PromptEnricher = Callable[[str, dict[str, Any]], str]
"""Gets a prompt and the context, gives the prompt to use."""


class PromptManager(Generic[StepT]):
    """Gives the prompt of a step, or of a state at its step.

    Args:
        mapping: The prompts by step; an empty mapping when None.
        context_enricher: Gets the state that was given to `get_prompt` and answers with template variables.
        step_prompts: Another name for `mapping`.

    Raises:
        TypeError: `mapping` and `step_prompts` are both given.
    """

    def __init__(
        self,
        mapping: StepPromptMapping[StepT] | None = None,
        context_enricher: ContextEnricher | None = None,
        *,
        step_prompts: StepPromptMapping[StepT] | None = None,
    ) -> None:
        if mapping is not None and step_prompts is not None:
            raise TypeError("mapping and step_prompts are two names for one argument: give one of them.")
        given = mapping if mapping is not None else step_prompts
        self.step_prompts: StepPromptMapping[StepT] = StepPromptMapping() if given is None else given
        self.context_enricher = context_enricher
        self._enrichers: list[PromptEnricher] = []

    @property
    def mapping(self) -> StepPromptMapping[StepT]:
        """The prompts by step: `step_prompts` by its other name."""
        return self.step_prompts

    @mapping.setter
    def mapping(self, mapping: StepPromptMapping[StepT]) -> None:
        self.step_prompts = mapping

    @overload
    def get_prompt(
        self,
        step: StepT | BaseJourneyState[StepT],
        context: dict[str, Any] | None = None,
        /,
        **variables: Any,
    ) -> str: ...

    @overload
    def get_prompt(self, /, *, step: StepT, context: dict[str, Any] | None = None, **variables: Any) -> str: ...

    def get_prompt(self, step: Any = MISSING, context: Any = MISSING, /, **variables: Any) -> str:
        """The prompt of a step, filled in and enriched.

        With a state (a journey state, or any object with a `step`), the step is the state's and the context
        enricher's answer fills the template in. Then each function of `add_enricher` gets its say, in order.

        Args:
            step: The step or the state; a step may also be given as `step=`.
            context: What the functions of `add_enricher` get beside the prompt; also as `context=`.
            **variables: Template variables; they win over the context enricher's.

        Raises:
            TypeError: Neither a step nor a state was given.
        """
        if step is MISSING:
            step = take_step(variables)
        if context is MISSING:
            context = variables.pop("context", None)
        if _is_state(step):
            if self.context_enricher is not None:
                variables = {**self.context_enricher(step), **variables}
            step = step.step
        prompt = self.step_prompts.get(step, **variables)
        for enrich in self._enrichers:
            prompt = enrich(prompt, context or {})
        return prompt

    def add_enricher(self, enricher: PromptEnricher) -> Self:
        """Let a function change each prompt, after those added before; return the manager."""
        self._enrichers.append(enricher)
        return self

    def set_prompt(self, step: StepT, prompt: str | PromptTemplate) -> Self:
        """Set the prompt of a step, and return the manager."""
        self.step_prompts.add(step, prompt)
        return self

    def set_default(self, prompt: str | PromptTemplate) -> Self:
        """Set the prompt of steps without one of their own, and return the manager."""
        self.step_prompts.default = prompt
        return self


def preference_enricher(preference_key: str, format_string: str = "\n\nNote: User prefers {value}.") -> PromptEnricher:
    """A function for `add_enricher` that adds a preference to the prompt when the context knows one.

    Args:
        preference_key: Where the context keeps the preference.
        format_string: What to add; `{value}` is the preference.
    """

    def enrich(prompt: str, context: dict[str, Any]) -> str:
        value = context.get(preference_key)
        return prompt + format_string.format(value=value) if value else prompt

    return enrich


def _is_state(subject: Any) -> bool:
    """Whether this has a step; a member of a step enum is a step, whatever it has."""
    return hasattr(subject, "step") and not isinstance(subject, Enum)
