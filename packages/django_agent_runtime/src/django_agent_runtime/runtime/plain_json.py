"""What agents hand over, as JSON data that a database takes."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

__all__ = ["plain_json"]


def plain_json(value: Any, name: str) -> Any:
    """A copy as JSON data; dates, UUIDs, decimals and lazy texts become texts, as Django's encoder writes them.

    Raises:
        TypeError: It is no JSON data; the text says why.
    """
    try:
        return json.loads(json.dumps(value, cls=DjangoJSONEncoder, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"{name} is no JSON data: {error}") from error
