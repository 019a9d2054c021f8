"""Checking a tool call's arguments against the tool's JSON schema, in words that let a model mend the call."""

from __future__ import annotations

import copy
from typing import Any

from agent_runtime_core.errors import ConfigError

__all__ = ["argument_problems", "exact_arguments"]

_MAX_PROBLEMS = 5
_MAX_WORDS = 200
_MAX_VALIDATORS = 1000
_VALIDATORS: dict[str, tuple[dict[str, Any], Any]] = {}


def argument_problems(tool_name: str, parameters: dict[str, Any], arguments: dict[str, Any]) -> str | None:
    """What is wrong with the arguments, or None.

    Unknown arguments are wrong unless the schema says something else about `additionalProperties`.

    Args:
        tool_name: For the error text.
        parameters: The tool's JSON schema (`{"type": "object", "properties": ...}`).
        arguments: The arguments of the call.

    Raises:
        ConfigError: The schema itself is not valid.
    """
    validator = _validator_of(tool_name, parameters)
    try:
        if validator.is_valid(arguments):
            return None
        found = [
            _in_words(error) for _, error in zip(range(_MAX_PROBLEMS), validator.iter_errors(arguments), strict=False)
        ]
    except ValueError as error:  # a text that is no Unicode (a lone surrogate), or a number beyond all bounds
        found = [str(error)]
    return "; ".join(found)


def exact_arguments(parameters: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments with whole numbers as `int`: JSON Schema takes 2.0 for an integer, Python code does not."""
    properties = parameters.get("properties") or {}
    return {
        name: int(value)
        if value.__class__ is float and value.is_integer() and properties.get(name, {}).get("type") == "integer"
        else value
        for name, value in arguments.items()
    }


def _in_words(error: Any) -> str:
    path = ".".join(str(part) for part in error.instance_path)
    message = str(error.message)
    if len(message) > _MAX_WORDS:
        message = f"{message[: _MAX_WORDS // 2]} ... {message[-_MAX_WORDS // 2 :]}"
    return f"{path}: {message}" if path else message


def _validator_of(tool_name: str, parameters: dict[str, Any]) -> Any:
    """The compiled schema. Journeys build their schemas anew at every turn; they rarely say something new."""
    known = _VALIDATORS.get(tool_name)
    if known is not None and known[0] == parameters:
        return known[1]
    if len(_VALIDATORS) >= _MAX_VALIDATORS:
        _VALIDATORS.clear()
    validator = _compiled(tool_name, parameters)
    _VALIDATORS[tool_name] = (copy.deepcopy(parameters), validator)
    return validator


def _compiled(tool_name: str, parameters: dict[str, Any]) -> Any:
    import jsonschema_rs  # here, because it is only needed once a tool is called

    try:
        return jsonschema_rs.validator_for({"additionalProperties": False, **parameters}, validate_formats=True)
    except ValueError as error:
        raise ConfigError(
            f"the schema of tool {tool_name!r} is not a valid JSON schema: {_first_lines(error)} "
            f"Parameter types are string, integer, number, boolean, array, object and null."
        ) from error


def _first_lines(error: Exception) -> str:
    return " ".join(line.strip() for line in str(error).splitlines() if line.strip())[:300]
