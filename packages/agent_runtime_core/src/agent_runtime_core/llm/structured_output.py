"""Answers of a given shape: `response_format`, a pydantic model or OpenAI's form, as the vendors want it.

Each vendor takes a part of JSON Schema only. Its SDK knows which, and brings a pydantic model into that form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from agent_runtime_core.errors import ConfigError

__all__ = ["openai_response_format", "wanted_schema"]

_NAMED = ("properties", "$defs", "definitions")  # each holds schemas by their names
_LISTED = ("anyOf", "allOf", "oneOf", "prefixItems")  # each holds a list of schemas
_SAYS_WHAT = frozenset({"type", "anyOf", "$ref", "enum", "const"})
_NOT_STRICT = frozenset(
    {
        *("allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas"),
        *("prefixItems", "contains", "uniqueItems", "unevaluatedItems"),
        *("patternProperties", "propertyNames", "minProperties", "maxProperties", "unevaluatedProperties"),
    }
)
"""What OpenAI's strict mode refuses."""


def openai_response_format(wanted: Any, as_function: Callable[[Any], Any]) -> Any:
    """OpenAI's form of a `response_format`; what is no pydantic model passes as it is.

    A model that strict mode cannot take (free keys, values of any type, tuples, sets) is sent without it: the vendor
    then promises JSON, and not its shape.

    Args:
        wanted: The `response_format` of a call.
        as_function: The SDK's own way from a pydantic model to the description of a function, strict schema included.

    Raises:
        ConfigError: It is an object of a pydantic model, not the model.
    """
    if not _is_model(wanted):
        return wanted
    schema = _tidied(as_function(wanted)["function"].get("parameters", {}))
    strict = not any(_is_loose(each) for each in _all_of(schema))
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", wanted.__name__).strip("_")[:64] or "answer"
    described = {"name": name, "schema": schema if strict else wanted.model_json_schema(), "strict": strict}
    return {"type": "json_schema", "json_schema": described}


def wanted_schema(wanted: Any, transform: Callable[[dict[str, Any]], Mapping[str, Any]]) -> dict[str, Any] | None:
    """The JSON Schema of a `response_format` as Anthropic takes it; None when free text is wanted.

    Bounds that Anthropic has no words for (`minimum`, ...) stand in the descriptions, for the model to read.

    Args:
        wanted: The `response_format` of a call.
        transform: The SDK's own way from any schema to one that Anthropic takes.

    Raises:
        ConfigError: It names no schema, or one with keys or values of any kind, which Anthropic cannot answer in.
    """
    if _is_model(wanted):
        schema = wanted.model_json_schema()
        _check_keys(schema, wanted.__name__)
        try:
            return dict(transform(schema))
        except (AssertionError, TypeError, ValueError) as error:
            raise ConfigError(
                f"response_format {wanted.__name__} has a field of any type, and Anthropic's structured answers "
                "have types: give each field one."
            ) from error
    if isinstance(wanted, Mapping):
        if wanted.get("type") == "text":
            return None
        described = wanted.get("json_schema")
        schema = described.get("schema") if isinstance(described, Mapping) else wanted.get("schema")
        if isinstance(schema, Mapping):
            _check_keys(schema, "schema")
            try:
                return dict(transform(dict(schema)))
            except (AssertionError, TypeError, ValueError):
                return dict(schema)  # written by hand in words that the SDK does not know: the vendor may
    raise ConfigError(
        f"response_format {_shown(wanted)} names no schema, and this vendor answers in JSON by a schema only: pass "
        'a pydantic model, or {"type": "json_schema", "json_schema": {"name": ..., "schema": {...}}}.'
    )


def _is_model(wanted: Any) -> bool:
    """Whether it is a pydantic model.

    Raises:
        ConfigError: It is an object of one.
    """
    if not callable(getattr(wanted, "model_json_schema", None)):
        return False
    if isinstance(wanted, type):
        return True
    name = type(wanted).__name__
    raise ConfigError(f"response_format takes the pydantic model itself, not an object of it: response_format={name}")


def _shown(wanted: Any) -> str:
    return repr(wanted.get("type")) if isinstance(wanted, Mapping) else repr(wanted)[:80]


def _check_keys(schema: Mapping[str, Any], name: str) -> None:
    for each in _all_of(schema):
        if each.get("additionalProperties") not in (None, False) and not each.get("properties"):
            raise ConfigError(
                f"response_format {name} has an object with keys of any name"
                f"{' (' + each['title'] + ')' if isinstance(each.get('title'), str) else ''}, and Anthropic's "
                "structured answers name all keys: use a list of objects with a key and a value."
            )


def _is_loose(schema: Mapping[str, Any]) -> bool:
    """Whether strict mode refuses this schema; those inside of it are looked at on their own."""
    return (
        schema.get("additionalProperties") not in (None, False)
        or bool(_NOT_STRICT & schema.keys())
        or not _SAYS_WHAT & schema.keys()
    )


def _all_of(schema: Any) -> Iterator[Mapping[str, Any]]:
    """A schema, and all that are inside of it."""
    if not isinstance(schema, Mapping):
        if schema is True:
            yield {}  # JSON Schema's word for anything
        return
    yield schema
    for key in _NAMED:
        if isinstance(schema.get(key), Mapping):
            for inner in schema[key].values():
                yield from _all_of(inner)
    for key in _LISTED:
        if isinstance(schema.get(key), list):
            for inner in schema[key]:
                yield from _all_of(inner)
    if "items" in schema:
        yield from _all_of(schema["items"])


def _tidied(schema: Any) -> Any:
    """The schema without what its SDK leaves in and OpenAI refuses: defaults, and the words for unions by a tag."""
    if not isinstance(schema, Mapping):
        return schema
    tidy = {key: value for key, value in schema.items() if key not in ("default", "discriminator")}
    if "discriminator" in schema and isinstance(schema.get("oneOf"), list) and "anyOf" not in schema:
        tidy["anyOf"] = tidy.pop("oneOf")
    for key in _NAMED:
        if isinstance(tidy.get(key), Mapping):
            tidy[key] = {name: _tidied(inner) for name, inner in tidy[key].items()}
    for key in _LISTED:
        if isinstance(tidy.get(key), list):
            tidy[key] = [_tidied(inner) for inner in tidy[key]]
    if "items" in tidy:
        tidy["items"] = _tidied(tidy["items"])
    return tidy
