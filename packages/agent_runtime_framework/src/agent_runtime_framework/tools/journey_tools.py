"""Tools of a journey: methods that read and change its state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, ClassVar, Generic, TypeVar

from agent_runtime_framework.state import BaseJourneyState
from agent_runtime_framework.tools.call_place import CallPlace
from agent_runtime_framework.tools.decorator import declared_tools
from agent_runtime_framework.tools.notes import JourneyNotes
from agent_runtime_framework.tools.spec import ToolSpec

__all__ = ["BaseJourneyTools", "StateChangeCallback", "StateT"]

StateT = TypeVar("StateT", bound=BaseJourneyState[Any])
"""The state class of a journey."""

StateChangeCallback = Callable[[BaseJourneyState[Any]], Awaitable[None]]
"""Gets the state after each change that a tool has announced."""


class BaseJourneyTools(Generic[StateT]):
    """Base class of a journey's tools: methods that work on `state`.

    Those declared with `@tool` bring their schema, their steps and their moves along. Without the decorator it is
    the agent that says what is offered, and how it is run.

    A new object is made at each turn, so a constructor of your own should do no work.

    Args:
        state: The live state of the journey; tools change it in place.
        backend_client: What the tools call to do their work, if anything; any object.
        on_state_change: Called with the state at each `_notify_state_change()`; async or not.
    """

    tool_specs: ClassVar[dict[str, ToolSpec]] = {}
    """The tools that the class declares with `@tool`, by name."""

    _notes: JourneyNotes | None = None  # given by a run that keeps them
    _place: CallPlace | None = None  # given by a run, for the call that is on

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.tool_specs = declared_tools(cls)

    def __init__(
        self,
        state: StateT,
        backend_client: Any = None,
        on_state_change: Callable[[StateT], object] | None = None,
    ) -> None:
        self.state = state
        self.backend_client = backend_client
        self.on_state_change = on_state_change

    @property
    def idempotency_key(self) -> str:
        """Names the call that is on to whatever it changes outside: a payment provider, an API, a database.

        A call that is done again, because its process died before what it did was committed, has the same key; another
        call, or the same one with other arguments, has another. 36 characters.

        Raises:
            RuntimeError: No call is on: tools get it while they run.
        """
        if self._place is None:
            raise RuntimeError(
                f"{type(self).__name__}.idempotency_key names the tool call that is on, and none is; read it "
                f"inside of a tool that an agent runs."
            )
        return self._place.key()

    async def _notify_state_change(self) -> None:
        """Tell whoever listens that the state has changed: call this after changing it."""
        if self.on_state_change is None:
            return
        answer = self.on_state_change(self.state)
        if isawaitable(answer):
            await answer

    def _require_backend(self) -> Any:
        """The backend client.

        Raises:
            ValueError: None was given.
        """
        if self.backend_client is None:
            raise ValueError(f"{type(self).__name__} requires a backend_client but none was provided")
        return self.backend_client
