"""What a journey remembers between two messages: its step and the data collected so far."""

from __future__ import annotations

import inspect
from abc import ABC
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

from agent_runtime_framework.state.local_names import local_names
from agent_runtime_framework.state.step_enum import step_enum
from agent_runtime_framework.state.stored_fields import StoredFields, stored_fields
from agent_runtime_framework.state.stored_type import Misfit

__all__ = ["BaseJourneyState", "BaseState", "StepT"]

StepT = TypeVar("StepT")
"""The steps of a journey: usually a `str` enum."""


class _Signature:
    """How an instance is made: as `__init__` says. Python would show `__new__`, which takes anything."""

    def __get__(self, instance: object, owner: type) -> inspect.Signature:
        signature = inspect.signature(owner.__init__)  # type: ignore[misc]
        return signature.replace(parameters=list(signature.parameters.values())[1:])


@dataclass
class BaseState(ABC):  # noqa: B024 - a subclass may have abstract methods of its own
    """Data that can be stored and read back.

    A subclass that is a dataclass is stored by its fields; see the page "State" for what each type becomes. A subclass
    may write `to_dict`, `from_dict` or both itself. One that does neither and is no dataclass, or has a field that
    cannot be stored, cannot be instantiated: a TypeError says what to write.
    """

    _state_local_names: ClassVar[Mapping[str, Any]] = {}
    _state_checked: ClassVar[type | None] = None
    _state_fields: ClassVar[StoredFields | None] = None
    __signature__: ClassVar[Any] = _Signature()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._state_local_names = {**cls._state_local_names, **local_names(cls)}

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """An instance, of a class that says enough.

        Raises:
            TypeError: The class does not.
        """
        if cls._state_checked is not cls:  # a subclass inherits the attribute, not the answer
            cls._check_class()
            cls._state_checked = cls
        return super().__new__(cls)

    def to_dict(self) -> dict[str, Any]:
        """The state as JSON-ready data; `from_dict` reads it back.

        Raises:
            ValueError: A field holds something else than its annotation says; the text names the field.
        """
        try:
            return self._stored_fields().dump(self)
        except Misfit as error:
            raise _named(type(self), error) from None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The state that `to_dict` wrote, by this or an older version of the class.

        Fields that the data lack take their defaults; what is no field is left out.

        Raises:
            ValueError: A value is not what its field says, or one is missing that has no default; the text names the
                field and does not show the value.
        """
        try:
            state: Self = cls._stored_fields().load(data)
        except Misfit as error:
            raise _named(cls, error) from None
        return state

    def copy(self) -> Self:
        """A state of its own with the same content: changing one leaves the other alone."""
        return self.from_dict(deepcopy(self.to_dict()))

    @classmethod
    def _check_class(cls) -> None:
        """Make sure that the class says enough for the defaults that it uses.

        Raises:
            TypeError: It does not.
        """
        if cls._defaults():
            cls._stored_fields()

    @classmethod
    def _stored_fields(cls) -> StoredFields:
        """How the class is stored by default.

        Raises:
            TypeError: It cannot be.
        """
        found = cls._state_fields
        if found is None or found.owner is not cls:
            cls._check_dataclass()
            found = cls._state_fields = stored_fields(cls, cls._state_local_names)
        return found

    @classmethod
    def _defaults(cls) -> list[str]:
        """Those of `to_dict` and `from_dict` that the class does not write itself."""
        own = BaseState.__dict__
        names = [] if cls.to_dict is not own["to_dict"] else ["to_dict"]
        from_dict = inspect.getattr_static(cls, "from_dict")
        return names if from_dict is not own["from_dict"] else [*names, "from_dict"]

    @classmethod
    def _check_dataclass(cls) -> None:
        below = [owner for owner in cls.__mro__ if issubclass(owner, BaseState) and owner.__module__ != __name__]
        undecorated = [
            owner for owner in below if "__dataclass_fields__" not in vars(owner) and _declares_fields(owner)
        ]
        if undecorated or not any("__dataclass_fields__" in vars(owner) for owner in below):
            owner = undecorated[0] if undecorated else cls
            raise TypeError(
                f"{cls.__qualname__} lacks {' and '.join(cls._defaults())}, which a dataclass has by default: write "
                f"@dataclass above `class {owner.__name__}`, or write the methods yourself."
            )


@dataclass
class BaseJourneyState(BaseState, Generic[StepT]):
    """Where a journey stands and what it knows.

    Subclasses are dataclasses and declare the field `step` themselves, first or anywhere:
    `step: MyStep = MyStep.WELCOME`.
    """

    _last_step: ClassVar[Any] = None

    # `step` is deliberately no field here, not even for type checkers: a field of the base would come before
    # all fields of a subclass and, as soon as it has a default there, forbid fields without one. What type
    # checkers know of it they know from `set_step`.

    def get_step(self) -> StepT:
        """The present step."""
        return self.step

    def set_step(self, step: StepT) -> None:
        """Move to another step."""
        self.step = step

    def is_complete(self) -> bool:
        """Whether the journey has arrived; by default, whether it stands at the last member of its step enum."""
        return bool(self.step == self._last_step)

    def is_terminal(self) -> bool:
        """Whether nothing is left to do, successfully or not; by default, whether the journey is complete."""
        return self.is_complete()

    @classmethod
    def _check_class(cls) -> None:
        super()._check_class()
        if cls.is_complete is not BaseJourneyState.is_complete:
            return
        steps = step_enum(cls, cls._state_local_names)
        if steps is None:
            raise TypeError(
                f"{cls.__qualname__} lacks is_complete: it comes by itself when the class names an enum of its steps, "
                f"as in `class {cls.__name__}(BaseJourneyState[MyStep])`; do that, or write is_complete()."
            )
        cls._last_step = list(steps)[-1]


def _declares_fields(owner: type) -> bool:
    """Whether its own annotations would be fields, if it were a dataclass."""
    return any("ClassVar" not in str(annotation) for annotation in vars(owner).get("__annotations__", {}).values())


def _named(cls: type, error: Misfit) -> Misfit:
    error.place.append(f".{cls.__name__}")
    return error
