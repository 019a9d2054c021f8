"""Whether a value keeps what its schema says, as far as the rules know schemas."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from agent_runtime_core.llm.offline.patterns import TEXT_LIMIT, compiled

__all__ = ["bound", "fits", "fits_format"]

_EMAIL = re.compile(
    r"[A-Za-z0-9_+%'-]{1,64}(?:\.[A-Za-z0-9_+%'-]{1,64}){0,8}@"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?){1,8}"
)
_HOST = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?){0,8}"
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}:[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]{1,2000}")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}
_CLOCK = re.compile(r"\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether the value keeps type, choices, bounds, lengths, pattern and format of a schema.

    What a rule does not know (`not`, `if`, ...) is left to whoever runs the tool.
    """
    if "const" in schema and not _same(value, schema["const"]):
        return False
    choices = schema.get("enum")
    if isinstance(choices, list) and not any(_same(value, choice) for choice in choices):
        return False
    kind = schema.get("type")
    if isinstance(kind, str) and not isinstance(value, _TYPES.get(kind, object)):
        return False
    if isinstance(value, bool):
        return kind in ("boolean", None) or kind not in _TYPES
    if isinstance(value, (int, float)):
        return _number_fits(value, schema)
    if isinstance(value, str):
        return _text_fits(value, schema)
    if isinstance(value, list):
        return _list_fits(value, schema)
    return True


def bound(schema: Mapping[str, Any], name: str) -> int | float | None:
    """A number in a schema, such as `minimum`; None when there is none."""
    value = schema.get(name)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def fits_format(text: str, name: Any) -> bool:
    """Whether a text has a format that the rules know; one that they do not know fits."""
    check = _FORMATS.get(name) if isinstance(name, str) else None
    return check is None or check(text)


def _same(value: Any, other: Any) -> bool:
    """JSON equality: True is no 1."""
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


def _number_fits(value: int | float, schema: Mapping[str, Any]) -> bool:
    low, high = bound(schema, "minimum"), bound(schema, "maximum")
    above, below = bound(schema, "exclusiveMinimum"), bound(schema, "exclusiveMaximum")
    if schema.get("exclusiveMinimum") is True:  # draft 4
        above = low
    if schema.get("exclusiveMaximum") is True:
        below = high
    step = bound(schema, "multipleOf")
    return (
        (low is None or value >= low)
        and (high is None or value <= high)
        and (above is None or value > above)
        and (below is None or value < below)
        and (not step or _is_multiple(value, step))
    )


def _is_multiple(value: int | float, step: int | float) -> bool:
    try:
        return Decimal(str(value)) % Decimal(str(step)) == 0
    except InvalidOperation:  # a step that is too small or no number at all: nothing to hold a value against
        return True


def _text_fits(text: str, schema: Mapping[str, Any]) -> bool:
    shortest, longest = bound(schema, "minLength"), bound(schema, "maxLength")
    if (shortest is not None and len(text) < shortest) or (longest is not None and len(text) > longest):
        return False
    if not fits_format(text, schema.get("format")):
        return False
    pattern = schema.get("pattern")
    regex = compiled(pattern) if isinstance(pattern, str) else None
    return regex is None or (len(text) <= TEXT_LIMIT and regex.search(text) is not None)


def _list_fits(value: list[Any], schema: Mapping[str, Any]) -> bool:
    fewest, most = bound(schema, "minItems"), bound(schema, "maxItems")
    if (fewest is not None and len(value) < fewest) or (most is not None and len(value) > most):
        return False
    return not (schema.get("uniqueItems") is True and any(item in value[:place] for place, item in enumerate(value)))


def _reads(read: Callable[[str], Any]) -> Callable[[str], bool]:
    """A check from a function that raises ValueError for what it cannot read."""

    def check(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return True

    return check


_FORMATS: dict[str, Callable[[str], bool]] = {
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "idn-email": lambda text: _EMAIL.fullmatch(text) is not None,
    "hostname": lambda text: _HOST.fullmatch(text) is not None,
    "uri": lambda text: _URI.fullmatch(text) is not None,
    "iri": lambda text: _URI.fullmatch(text) is not None,
    "url": lambda text: _URI.fullmatch(text) is not None,
    "uuid": lambda text: _UUID.fullmatch(text) is not None,
    "date": lambda text: len(text) == 10 and _reads(date.fromisoformat)(text),
    "time": lambda text: _CLOCK.fullmatch(text) is not None and _reads(time.fromisoformat)(text),
    "date-time": lambda text: (
        text[10:11] in ("T", "t") and _CLOCK.fullmatch(text[11:]) is not None and _reads(datetime.fromisoformat)(text)
    ),
    "ipv4": _reads(ipaddress.IPv4Address),
    "ipv6": _reads(ipaddress.IPv6Address),
}
