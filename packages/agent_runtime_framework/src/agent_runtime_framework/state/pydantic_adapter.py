"""pydantic's adapters. Importing this module imports pydantic, so it is imported where the first one is needed."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from agent_runtime_core.errors import MissingDependency

__all__ = ["adapter_of"]


def adapter_of(annotation: Any) -> TypeAdapter[Any]:
    """What reads, and for types that only pydantic knows writes, values of this annotation.

    Raises:
        MissingDependency: It is an address, such as `EmailStr`, and the package that checks those is not there.
    """
    try:
        return TypeAdapter(annotation)
    except ImportError as error:
        if "email-validator" not in str(error):
            raise
        raise MissingDependency(
            "email addresses such as EmailStr need the package email-validator, of the extra `email`: "
            "pip install 'agent_runtime_framework[email]'"
        ) from error


# pydantic looks for its plugins on the disk when it makes its first adapter. Here that is part of the import, and does
# not hold up an event loop later.
adapter_of(int)
