"""Rules on prompts: they are there, name the step's tools, and have all their variables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent_runtime_framework.agents.defaults import is_default
from agent_runtime_framework.agents.lint.finding import Place
from agent_runtime_framework.agents.lint.journey_view import JourneyView
from agent_runtime_framework.agents.lint.step_view import StepView
from agent_runtime_framework.prompts import PromptTemplate

__all__ = ["prompt_findings"]

_VARIABLE = re.compile(r"(?<![\\$\w])\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
_BRACES = re.compile(r"(?<!\{)\{([A-Za-z_]\w*)\}(?!\})")
_CALLED = re.compile(r"\b(?:[Cc]all|[Uu]se|[Uu]sing|[Tt]ool)\s+`?([a-z]\w*_\w+)`?")


def prompt_findings(view: JourneyView) -> Iterator[tuple[str, Place, str]]:
    """Code, place and sentence of each finding about prompts and fixed texts."""
    for step, text in (view.agent_class.says or {}).items():
        if isinstance(text, PromptTemplate):
            for name in _unfilled(text.render(**dict.fromkeys(view.state_fields, "")), set()):
                why = f"Nothing gives {name} a value in the fixed text of step {view.steps[step].name}."
                yield "J403", view.places.of_prompt(step), why
    fields, place = _fields(view), view.places.of_prompt
    for each in view.steps.values():
        if each.prompt is None or not each.prompt.strip():
            if _wants_prompt(view, each):
                yield "J401", place(each.step), f"Step {each.name} has no prompt."
            continue
        for name in _tools_named(view, each.prompt):
            if name not in each.tools:
                yield (
                    "J402",
                    place(each.step),
                    f"The prompt of step {each.name} names {name}, which is not offered there.",
                )
        for name in _unfilled(each.prompt, fields):
            yield "J403", place(each.step), f"Nothing gives {name} a value in the prompt of step {each.name}."
    yield from _instructions(view)


def _instructions(view: JourneyView) -> Iterator[tuple[str, Place, str]]:
    instructions = view.agent_class.instructions
    if isinstance(instructions, PromptTemplate):
        instructions = instructions.render()
    for name in _unfilled(instructions, set()) if isinstance(instructions, str) else ():
        yield "J403", view.places.agent(), f"Nothing gives {name} a value in the instructions."


def _wants_prompt(view: JourneyView, each: StepView) -> bool:
    if any(failure.method == "get_system_prompt" for failure in each.failures):
        return False  # that is told already
    if each.step in (view.agent_class.says or {}):
        return False
    only_instructions = is_default(view.agent_class.get_system_prompt) and view.agent_class.prompts is None
    return not only_instructions


def _tools_named(view: JourneyView, prompt: str) -> Iterator[str]:
    """The tools that a prompt names, and what it tells to call that is no tool.

    A name with an underscore counts wherever it stands; another one, which may be an ordinary word, only in
    backticks or with brackets behind it.
    """
    named: dict[str, None] = {}
    for name in view.tools:
        pattern = rf"\b{re.escape(name)}\b" if "_" in name else rf"`{re.escape(name)}`|\b{re.escape(name)}\("
        if re.search(pattern, prompt):
            named[name] = None
    known = _fields(view) | {name for tool in view.variants for name in tool.properties}
    for found in _CALLED.findall(prompt):
        if found not in known:
            named[found] = None
    yield from named


def _unfilled(prompt: str, fields: set[str]) -> Iterator[str]:
    """What stands in a prompt as it was written: `$name`, and `{name}` when the state has such a field."""
    names = dict.fromkeys(braced or plain for braced, plain in _VARIABLE.findall(prompt))
    yield from (f"${name}" for name in names)
    yield from (f"{{{name}}}" for name in dict.fromkeys(_BRACES.findall(prompt)) if name in fields)


def _fields(view: JourneyView) -> set[str]:
    return set(getattr(view.state_class, "__dataclass_fields__", {}))
