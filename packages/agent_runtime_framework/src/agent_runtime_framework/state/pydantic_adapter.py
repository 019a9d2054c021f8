"""pydantic's adapters. Importing this module imports pydantic, so it is imported where the first one is needed."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

__all__ = ["adapter_of"]


def adapter_of(annotation: Any) -> TypeAdapter[Any]:
    """What reads, and for types that only pydantic knows writes, values of this annotation."""
    return TypeAdapter(annotation)


# pydantic looks for its plugins on the disk when it makes its first adapter. Here that is part of the import, and does
# not hold up an event loop later.
adapter_of(int)
