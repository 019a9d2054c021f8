"""What a prompt may say about a state."""

from __future__ import annotations

import logging
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cached_property
from typing import Any

__all__ = ["template_variables"]

logger = logging.getLogger(__name__)

_NAMES: dict[type, tuple[tuple[str, ...], tuple[str, ...]]] = {}
"""The fields and the properties, by class of state: they are asked for at every turn that has a template."""


def template_variables(state: Any) -> dict[str, Any]:
    """The public fields and properties of a state, by name, for the `$name`s of a prompt.

    Members of enums are their values; everything else is as it is. Names with a leading underscore are left out. So is
    a property that raises, as `address.city` does before there is an address; that is logged at DEBUG.

    Args:
        state: A state; without fields of a dataclass, its attributes count.
    """
    result: dict[str, Any] = {}
    names = _NAMES.get(type(state))
    if names is None:
        names = _NAMES[type(state)] = (_field_names(type(state)), _property_names(type(state)))
    for name in names[0] or list(getattr(state, "__dict__", ())):
        if not name.startswith("_") and hasattr(state, name):
            result[name] = _plain(getattr(state, name))
    for name in names[1]:
        if name in result:
            continue
        try:
            result[name] = _plain(getattr(state, name))
        except Exception as error:  # a user's property may raise anything
            logger.debug(
                "The property %s.%s raised %s and is no template variable now",
                type(state).__name__,
                name,
                type(error).__name__,
            )
    return result


def _field_names(state_class: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(state_class)) if is_dataclass(state_class) else ()


def _property_names(state_class: type) -> tuple[str, ...]:
    return tuple(
        name
        for owner in reversed(state_class.__mro__)
        for name, value in vars(owner).items()
        if isinstance(value, (property, cached_property)) and not name.startswith("_")
    )


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
