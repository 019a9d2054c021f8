"""What a store keeps: JSON data, checked before it is written and shared with nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import isfinite
from typing import Any

__all__ = [
    "ATOMS",
    "check_json_data",
    "check_json_object",
    "checked_copy",
    "decoded",
    "encoded",
    "fresh_copy",
    "storable_text",
]

MAX_DEPTH = 200
"""Deeper data is refused: it could be written on a shallow call stack and not be read on a deep one."""

ATOMS: frozenset[type] = frozenset((str, int, bool, type(None)))
"""Types whose values are JSON data as they are and cannot change."""

_PLAIN_ATOMS = ATOMS | {float}

_MAX_PLACE_LENGTH = 80


class _Refused(Exception):
    """A value that is no JSON data; `place` leads to it, innermost key first."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.place: list[str] = []


def check_json_data(value: Any, name: str) -> None:
    """Make sure that the value is read back as it was written.

    JSON data are dicts with text keys, lists, texts, finite numbers, booleans and None, at most 200 levels deep.
    What `json.dumps` would change on the way (tuples, other keys, NaN) is refused. Subclasses count as what they
    extend, so that a `str` enum's member is a text.

    Args:
        value: The value.
        name: What the error calls it.

    Raises:
        TypeError: It is not JSON data; the text says where and why.
    """
    try:
        _check(value, MAX_DEPTH)
        return
    except (_Refused, RecursionError):
        refusal = _refusal(value, name)  # again, for the words
    if refusal is not None:
        raise refusal


def _refusal(value: Any, name: str) -> TypeError | None:
    try:
        _check(value, MAX_DEPTH)
    except _Refused as refused:
        place = "".join(reversed(refused.place))
        if len(place) > _MAX_PLACE_LENGTH:
            place = place[:_MAX_PLACE_LENGTH] + "..."
        return TypeError(f"{name}{place} {refused.reason}")
    except RecursionError:
        return TypeError(f"{name} is nested too deeply for the present call stack")
    return None


def check_json_object(value: Any, name: str) -> None:
    """Make sure that the value is a dict of JSON data.

    Raises:
        TypeError: It is not; the text says where and why.
    """
    if not isinstance(value, dict):
        raise TypeError(f"{name} is of type {type(value).__name__}; give a dict")
    check_json_data(value, name)


def _check(value: Any, depth: int) -> None:
    if isinstance(value, dict):
        if not depth:
            raise _Refused(f"is nested deeper than {MAX_DEPTH} levels, or contains itself")
        for key, item in value.items():
            if key.__class__ is not str and not isinstance(key, str):
                raise _Refused(f"has a key of type {type(key).__name__}; JSON data has texts as keys")
            if item.__class__ not in ATOMS:
                try:
                    _check(item, depth - 1)
                except _Refused as refused:
                    refused.place.append(f"[{key!r}]")
                    raise
    elif isinstance(value, list):
        if not depth:
            raise _Refused(f"is nested deeper than {MAX_DEPTH} levels, or contains itself")
        for position, item in enumerate(value):
            if item.__class__ not in ATOMS:
                try:
                    _check(item, depth - 1)
                except _Refused as refused:
                    refused.place.append(f"[{position}]")
                    raise
    elif isinstance(value, float):
        if not isfinite(value):
            raise _Refused(f"is {value}; JSON data has finite numbers")
    elif value is not None and not isinstance(value, (str, int)):
        hint = "; give a list" if isinstance(value, (tuple, set, frozenset)) else ""
        raise _Refused(f"is of type {type(value).__name__}, which is not JSON data{hint}")


def checked_copy(value: Any, name: str) -> Any:
    """A copy of the value that shares nothing with it, in plain dicts, lists, texts and numbers.

    Raises:
        TypeError: It is not JSON data; the text says where and why.
    """
    try:
        return _copied(value, MAX_DEPTH)
    except (_Refused, RecursionError) as error:  # the slow way says where
        raise (_refusal(value, name) or TypeError(f"{name} cannot be copied: {error}")) from None


def _copied(value: Any, depth: int) -> Any:
    kind = value.__class__
    if kind is dict:
        if not depth:
            raise _Refused("is too deep")
        copy = {}
        for key, item in value.items():
            if key.__class__ is not str:
                key = _plain_key(key)
            copy[key] = item if item.__class__ in ATOMS else _copied(item, depth - 1)
        return copy
    if kind is list:
        if not depth:
            raise _Refused("is too deep")
        return [item if item.__class__ in ATOMS else _copied(item, depth - 1) for item in value]
    if kind in ATOMS or (kind is float and isfinite(value)):
        return value
    return _copied(_plain(value), depth)


def _plain(value: Any) -> Any:
    """The value of a subclass, such as an enum's member or an ordered dict, as what it extends."""
    if isinstance(value, dict):
        return dict(value.items())
    if isinstance(value, list):
        return list(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float) and isfinite(value):
        return float.__float__(value)
    raise _Refused("is no JSON data")


def _plain_key(key: Any) -> str:
    if not isinstance(key, str):
        raise _Refused("is no text")
    return str.__str__(key)


def fresh_copy(value: Any) -> Any:
    """A copy of what `checked_copy` gave; that is known to be plain."""
    if value.__class__ is dict:
        return {key: item if item.__class__ in _PLAIN_ATOMS else fresh_copy(item) for key, item in value.items()}
    return [item if item.__class__ in _PLAIN_ATOMS else fresh_copy(item) for item in value]


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))


def _whole_encoder() -> Callable[[Any], str]:
    """`_ENCODER.encode`, in half the time where Python has its encoder in C: it is made once, not for each call."""
    make = json.encoder.c_make_encoder  # type: ignore[attr-defined]  # None where it is not there
    if make is None:
        return _ENCODER.encode
    text = json.encoder.encode_basestring
    pieces = make(None, _ENCODER.default, text, None, ":", ",", False, False, False)
    return lambda value: "".join(pieces(value, 0))


_encode = _whole_encoder()


def encoded(value: dict[str, Any], name: str) -> str | bytes:
    """The dict as compact JSON text, in the form that a database takes (see `storable_text`).

    Raises:
        TypeError: It is no dict of JSON data; the text says where and why.
    """
    check_json_object(value, name)
    try:
        text = _encode(value)
    except (ValueError, RecursionError) as error:  # a whole number beyond Python's limit of digits
        raise TypeError(f"{name} cannot be written as JSON: {error}") from error
    return storable_text(text)


def storable_text(text: str) -> str | bytes:
    """The text itself; with lone surrogates, which no database takes as text, its bytes."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_decode = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode


def decoded(data: bytes) -> Any:
    """The value of what `encoded` gave, read back as bytes.

    Raises:
        ValueError: It is not one JSON text.
    """
    text = data.decode("utf-8", "surrogatepass")
    try:
        value, end = _decode(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if end != len(text):
        raise ValueError("there is something behind the JSON text")
    return value
