"""Answers of a given shape: `response_format`, a pydantic model or OpenAI's form, as the vendors want it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_runtime_core.errors import ConfigError

__all__ = ["openai_response_format", "wanted_schema"]

_CHILDREN = ("properties", "$defs", "definitions")
_BRANCHES = ("anyOf", "allOf", "oneOf", "prefixItems")


def openai_response_format(wanted: Any) -> Any:
    """OpenAI's form of a `response_format`; what is no pydantic model passes as it is."""
    if not _is_model(wanted):
        return wanted
    schema = {"name": wanted.__name__, "schema": _strict(wanted.model_json_schema()), "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def wanted_schema(wanted: Any) -> dict[str, Any] | None:
    """The JSON Schema of a `response_format`; None when free text is wanted.

    Raises:
        ConfigError: It names no schema.
    """
    if _is_model(wanted):
        return _strict(wanted.model_json_schema())
    if isinstance(wanted, Mapping):
        if wanted.get("type") == "text":
            return None
        described = wanted.get("json_schema")
        schema = described.get("schema") if isinstance(described, Mapping) else wanted.get("schema")
        if isinstance(schema, Mapping):
            return _strict(schema)
    raise ConfigError(
        f"response_format {_shown(wanted)} names no schema, and this vendor answers in JSON by a schema only: pass "
        'a pydantic model, or {"type": "json_schema", "json_schema": {"name": ..., "schema": {...}}}.'
    )


def _is_model(wanted: Any) -> bool:
    return isinstance(wanted, type) and callable(getattr(wanted, "model_json_schema", None))


def _shown(wanted: Any) -> str:
    return repr(wanted.get("type")) if isinstance(wanted, Mapping) else repr(wanted)[:80]


def _strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema as vendors take it for answers: every object closed, with all of its properties required."""
    strict = {key: value for key, value in schema.items() if key != "default"}
    for key in _CHILDREN:
        if isinstance(strict.get(key), Mapping):
            strict[key] = {name: _strict_child(child) for name, child in strict[key].items()}
    for key in _BRANCHES:
        if isinstance(strict.get(key), list):
            strict[key] = [_strict_child(branch) for branch in strict[key]]
    if "items" in strict:
        strict["items"] = _strict_child(strict["items"])
    if isinstance(strict.get("properties"), Mapping):
        strict["required"] = list(strict["properties"])
        strict["additionalProperties"] = False
    return strict


def _strict_child(schema: Any) -> Any:
    return _strict(schema) if isinstance(schema, Mapping) else schema  # `true` is a schema, too
