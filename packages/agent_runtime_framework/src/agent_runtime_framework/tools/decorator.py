"""`@tool`: a method becomes a tool."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, overload

from agent_runtime_core.errors import ConfigError, MissingDependency
from agent_runtime_framework.tools.approval import check_question
from agent_runtime_framework.tools.docstring import read_docstring
from agent_runtime_framework.tools.signature import read_signature
from agent_runtime_framework.tools.spec import ANY, Requirement, ToolSpec

__all__ = ["declared_tools", "tool"]

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

_DECLARED = "__journey_tool__"


class _Declaration:
    """What `@tool` was given, until the class is made."""

    __slots__ = ("names", "options")

    def __init__(self, options: dict[str, Any], names: dict[str, Any]) -> None:
        self.options = options
        self.names = names


@overload
def tool(function: FunctionT, /) -> FunctionT: ...


@overload
def tool(
    *,
    step: Any = ANY,
    to: Any = (),
    requires: Requirement | Iterable[Requirement] = (),
    timeout: float | None = None,
    retries: int = 0,
    once: bool = False,
    idempotent: bool = False,
    confirm: str | Callable[..., str] | None = None,
    ends_run: bool = False,
    sets: str | Iterable[str] | None = None,
) -> Callable[[FunctionT], FunctionT]: ...


def tool(
    function: Any = None,
    /,
    *,
    step: Any = ANY,
    to: Any = (),
    requires: Requirement | Iterable[Requirement] = (),
    timeout: float | None = None,
    retries: int = 0,
    once: bool = False,
    idempotent: bool = False,
    confirm: str | Callable[..., str] | None = None,
    ends_run: bool = False,
    sets: str | Iterable[str] | None = None,
) -> Any:
    """Declare a method of a `BaseJourneyTools` class as a tool.

    Its schema comes from its signature and its Google-style docstring; its arguments arrive as the types of its
    annotations. It may be a coroutine or a plain function, which then runs in a thread on a copy of the state. It
    may return a text, a `ToolResult`, or anything that JSON can say.

    Args:
        function: The method, when the decorator stands without parentheses.
        step: The step, or the steps, at which the tool is offered; `ANY` (the default): at every step at which the
            journey is not over.
        to: Where its success leads. With one step the journey moves there by itself; with several the tool sets
            `self.state.step` to one of them, or stays. Without any, it has to stay.
        requires: Fields of the state that must hold something, or functions of the state, for it to be offered.
        timeout: Seconds that one call may take.
        retries: How often it is tried again when it raises; the state is put back in between.
        once: Whether it runs at most once in a conversation; another call then gets the first one's result.
        idempotent: Whether it hands `self.idempotency_key` on to whatever it changes outside, so that running it again
            does no harm. Of a tool that runs only once and whose process dies in the middle of it nobody knows whether
            it was done: on a durable engine one that is idempotent is run again, any other is not, and the model is
            told so.
        confirm: A question that a person has to say yes to before it runs: a text with the arguments in braces
            (`"Pay {amount} to {iban}?"`), or a function of the state and the arguments.
        ends_run: Whether its success ends the run, with its result as what the user reads.
        sets: The fields of the state that it sets, whose answers can be changed later. When None they are found in
            its source, see docs/concepts/corrections.md.

    Raises:
        ConfigError: An option means nothing. What is wrong with the signature is told when the class is made.
    """
    options = {
        "steps": None if step is ANY else _steps(step),
        "to": _steps(to),
        "requires": tuple([requires] if isinstance(requires, str) or callable(requires) else requires),
        "timeout_s": timeout,
        "retries": retries,
        "once": once,
        "idempotent": idempotent,
        "confirm": confirm,
        "ends_run": ends_run,
        "sets": None if sets is None else (sets,) if isinstance(sets, str) else tuple(sets),
    }
    if timeout is not None and not timeout > 0:
        raise ConfigError(f"@tool(timeout={timeout!r}): give more than 0 seconds.")
    if idempotent and not once:
        raise ConfigError(
            "@tool(idempotent=True) says how a tool with once=True goes on; any other is run again anyway."
        )
    if retries.__class__ is not int or retries < 0:
        raise ConfigError(f"@tool(retries={retries!r}): give 0 or more.")
    if options["steps"] == ():
        raise ConfigError("@tool(step=()): give a step, several, or ANY.")
    names = _names_around()
    body = sys._getframe(1).f_locals  # of the class that is being written

    def declare(method: Any) -> Any:
        if not inspect.isfunction(method):
            raise ConfigError(f"@tool stands on {method!r:.80}; it takes a method of a class.")
        _check_name_is_free(method, body)
        setattr(method, _DECLARED, _Declaration(options, names))
        return method

    return declare if function is None else declare(function)


def declared_tools(tools_class: type) -> dict[str, ToolSpec]:
    """The tools that a class and its bases declare, by name, in the order of their declaration.

    Raises:
        ConfigError: One of them cannot be a tool, or two bases that know nothing of each other declare one name with
            different moves; the text names the class, the method and its line.
    """
    found: dict[str, ToolSpec] = {}
    owners: dict[str, type] = {}
    clashes: dict[str, tuple[type, ToolSpec, type]] = {}  # by name: what one base says, and who says otherwise
    for owner in reversed(tools_class.__mro__):
        for name, method in list(vars(owner).items()):
            declaration = getattr(method, _DECLARED, None)
            if isinstance(declaration, _Declaration):
                spec, other = _spec(owner, name, method, declaration), found.get(name)
                clashes.pop(name, None)  # whoever comes later decides, if it knows the others
                if other is not None and not issubclass(owner, owners[name]):
                    if (other.steps, other.to) != (spec.steps, spec.to):
                        clashes[name] = (owners[name], other, owner)
                found[name], owners[name] = spec, owner
            elif name in found:
                del found[name]  # a subclass has put something else in its place
                clashes.pop(name, None)
    for name, (owner, other, decider) in clashes.items():
        raise ConfigError(
            f"{tools_class.__name__} has two tools {name!r} that belong or lead elsewhere: {decider.__name__}.{name} "
            f"({found[name].file}:{found[name].line}) and {owner.__name__}.{name} ({other.file}:{other.line}). Give "
            f"one of them another name, or write the tool that holds in {tools_class.__name__}."
        )
    return found


def _spec(owner: type, name: str, method: Any, declaration: _Declaration) -> ToolSpec:
    known = vars(owner).get("__journey_specs__")
    if known is None:
        known = {}
        owner.__journey_specs__ = known  # type: ignore[attr-defined]
    if name in known:
        return known[name]  # type: ignore[no-any-return]
    code = method.__code__
    place = f"{owner.__name__}.{name} ({code.co_filename}:{code.co_firstlineno})"
    if name.startswith("_"):
        raise ConfigError(f"{place} cannot be a tool: its name begins with an underscore.")
    if len(name) > 64 or not name.isascii():
        raise ConfigError(f"{place} cannot be a tool: vendors take names of 1 to 64 ASCII letters, digits and _.")
    purpose, described = read_docstring(method.__doc__)
    try:
        signature = read_signature(method, described, {**declaration.names, owner.__name__: owner})
        check_question(declaration.options["confirm"], signature.schema["properties"])
    except ConfigError as error:
        kind = MissingDependency if isinstance(error, MissingDependency) else ConfigError
        raise kind(f"{place} cannot be a tool: {error}.") from error
    declaration.names = {}  # they have done their work, and hold on to much
    spec = known[name] = ToolSpec(
        name=name,
        description=purpose,
        function=method,
        signature=signature,
        is_async=inspect.iscoroutinefunction(method),
        file=code.co_filename,
        line=code.co_firstlineno,
        **declaration.options,
    )
    return spec


def _check_name_is_free(method: Any, body: Mapping[str, Any]) -> None:
    """Make sure that the class has no other tool of this name: Python would forget that one without a word."""
    name = method.__name__
    other: Any = body.get(name)
    if hasattr(other, _DECLARED) and f"{body.get('__qualname__')}.{name}" == method.__qualname__:
        place = f"{body.get('__qualname__')}.{name} ({method.__code__.co_filename}:{method.__code__.co_firstlineno})"
        raise ConfigError(
            f"{place} is the second tool of this name: the first one stands in line "
            f"{other.__code__.co_firstlineno}. Give one of them another name."
        )


def _steps(given: Any) -> tuple[Any, ...]:
    return tuple(given) if isinstance(given, (list, tuple, set, frozenset)) else (given,)


def _names_around() -> dict[str, Any]:
    """The local names where the class is written: annotations may name classes made in the same function."""
    frame = sys._getframe(2)  # the class's body
    names: dict[str, Any] = {}
    around = []
    while frame is not None and frame.f_code.co_name != "<module>":
        around.append(frame.f_locals)
        if frame.f_code.co_flags & inspect.CO_OPTIMIZED:  # the function around the classes
            break
        frame = frame.f_back  # type: ignore[assignment]
    for scope in reversed(around):
        names.update(scope)
    return names
