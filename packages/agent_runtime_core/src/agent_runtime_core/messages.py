"""Messages and tool calls: the wire form (dicts in OpenAI's shape) and the two classes that read it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

__all__ = [
    "AgentMessage",
    "Message",
    "MessageDict",
    "ToolCall",
    "Usage",
    "add_usage",
    "text_of",
    "whole_text",
]

MessageDict = dict[str, Any]
"""A message as it goes over the wire; `Message` lists its keys."""

Usage = dict[str, int]
"""Token counts by name, as the vendor names them: `prompt_tokens`, `completion_tokens`, `total_tokens`."""


class Message(TypedDict, total=False):
    """The keys of a message on the wire; all optional, `role` is always there."""

    role: str
    content: Any
    name: str
    tool_call_id: str
    tool_calls: list[dict[str, Any]]
    metadata: dict[str, Any]


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


_SCAN: Callable[[str, int], tuple[Any, int]] = json.scanner.make_scanner(_DECODER)  # type: ignore[attr-defined]


class ToolCall:
    """One tool call of a model, read once from either wire form.

    Both forms are read: OpenAI's (`{"id", "type", "function": {"name", "arguments"}}`) and the simplified one
    (`{"id", "name", "arguments"}`); `arguments` may be JSON text or a dict, and is empty when missing.

    Args:
        data: The call as the model gave it; it is kept as `data` and can be indexed (`call["function"]`).
        default_id: The id when the call has none; `call_<tool name>` when this is None too.
    """

    __slots__ = ("arguments", "data", "id", "name", "problem", "raw_arguments", "wire_name")

    id: str
    """Pairs the call with its result."""
    name: str
    """The tool's name; empty when the call names none."""
    wire_name: str
    """The name as it stands in the history: vendors take letters, digits, `_` and `-`, at most 64."""
    arguments: dict[str, Any]
    """The arguments; empty when they could not be read, see `problem`."""
    raw_arguments: Any
    """The arguments as the model gave them."""
    problem: str | None
    """Why the arguments cannot be used (the tool must not run then), or None."""

    def __init__(self, data: Mapping[str, Any], *, default_id: str | None = None) -> None:
        self.data = data
        function = data.get("function")
        source: Mapping[str, Any] = function if function.__class__ is dict or isinstance(function, Mapping) else data
        name = source.get("name")
        self.name = name if name.__class__ is str or isinstance(name, str) else ""
        self.wire_name = name = self.name
        if not (name.isidentifier() and name.isascii() and len(name) <= 64):  # as nearly all are
            self.wire_name = _fit_name(name)
        call_id = data.get("id")
        if not (isinstance(call_id, str) and call_id):
            call_id = default_id or f"call_{self.wire_name}"
        self.id = call_id
        raw = self.raw_arguments = source.get("arguments")
        self.problem = None
        if raw.__class__ is str:
            self.arguments = self._read(raw)
        elif raw is None:
            self.arguments = {}
        elif isinstance(raw, Mapping):
            self.arguments = self._own(raw)
        else:
            self.arguments = {}
            self.problem = f"the arguments are {_json_kind(raw)}, not a JSON object"

    def _read(self, text: str) -> dict[str, Any]:
        """The arguments in a JSON text; `problem` says why not."""
        try:
            try:  # nearly always the scanner takes the text whole, at a third of what `decode` costs
                value, end = _SCAN(text, 0)
                if end != len(text):
                    value = _DECODER.decode(text)
            except StopIteration:  # blanks in front, or no JSON: decode() tells which
                if not text or text.isspace():  # some servers send this for a tool without parameters
                    return {}
                value = _DECODER.decode(text)
        except (ValueError, RecursionError) as error:
            self.problem = f"the arguments are not valid JSON ({error})"
            return _python_literal(text)
        if value.__class__ is dict:
            return value
        self.problem = f"the arguments are {_json_kind(value)}, not a JSON object"
        return {}

    def _own(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments in a dict, as they would be read from a text; what a tool does to them stays with the tool."""
        try:
            value: dict[str, Any] = json.loads(json.dumps(dict(given), allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            self.problem = f"the arguments are not valid JSON ({error})"
            return {}
        return value

    def __getitem__(self, key: str) -> Any:
        """The entry of the call as the model gave it."""
        return self.data[key]

    def get(self, key: str, default: Any = None) -> Any:
        """The entry of the call as the model gave it, or the default."""
        return self.data.get(key, default)

    def to_dict(self) -> dict[str, Any]:
        """The call in OpenAI's form, with valid JSON as arguments: fit to be stored and sent to any vendor."""
        return {
            "id": self.id,
            "type": "function",
            "function": {
                "name": self.wire_name,
                "arguments": "{}" if self.problem else json.dumps(self.arguments, ensure_ascii=False),
            },
        }

    def __repr__(self) -> str:
        """The id and the name; never the arguments, which may be private."""
        return f"ToolCall(id={self.id!r}, name={self.name!r})"


def _fit_name(name: str) -> str:
    """The name as vendors take it."""
    return name if _TOOL_NAME.match(name) else re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64] or "unnamed"


def _python_literal(text: str) -> dict[str, Any]:
    """What a model meant by `{'name': 'Ada'}`; for readers only, the tool does not run on it."""
    try:
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return {}
    return value if isinstance(value, dict) and all(isinstance(key, str) for key in value) else {}


def _json_kind(value: Any) -> str:
    """The kind of a JSON value, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else f"a {type(value).__name__}"


@dataclass
class AgentMessage:
    """One message of a conversation as an object."""

    role: str
    """`system`, `user`, `assistant` or `tool`."""
    content: str | dict[str, Any] | list[Any] | None = None
    """The text, or content parts, or None (an assistant that only calls tools)."""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    """Tool calls exactly as the model gave them."""
    tool_call_id: str | None = None
    """For a tool message: the call that it answers."""
    name: str | None = None
    """For a tool message: the tool's name."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Notes of the application; never sent to a model."""

    def to_dict(self) -> MessageDict:
        """The wire form: `role`, and each other field that is set; never `metadata`."""
        data: MessageDict = {"role": self.role}
        if self.content is not None:
            data["content"] = self.content
        if self.tool_calls:
            data["tool_calls"] = self.tool_calls
        if self.tool_call_id:
            data["tool_call_id"] = self.tool_call_id
        if self.name:
            data["name"] = self.name
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AgentMessage:
        """Read a message from its wire form.

        Raises:
            KeyError: There is no `role`.
        """
        get = data.get
        message = cls.__new__(cls)  # past __init__, which takes longer: a run reads all its messages here
        message.role = data["role"]
        message.content = get("content")
        message.tool_calls = get("tool_calls") or []
        message.tool_call_id = get("tool_call_id")
        message.name = get("name")
        message.metadata = get("metadata") or {}
        return message


def text_of(content: Any) -> str:
    """The plain text of a message's content: a text, content parts (their texts joined), or None."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list):
        return "".join(text for part in content if isinstance(text := _part_text(part), str))
    return str(content)


def _part_text(part: Any) -> Any:
    return part.get("text") if isinstance(part, dict) else part


def whole_text(text: str) -> str:
    """The text without half characters, which no JSON over the wire can carry.

    A model that was cut off in the middle of an emoji leaves one half of it. Two halves that belong together become
    one character, a lone half becomes U+FFFD.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def add_usage(total: MutableMapping[str, int], usage: Any) -> None:
    """Add the counts of one call to `total`; what is no whole or decimal number is left out."""
    if not usage or not (usage.__class__ is dict or isinstance(usage, Mapping)):
        return
    for name in usage:
        count = usage[name]
        if count.__class__ is int or isinstance(count, float):
            total[name] = total[name] + count if name in total else count  # type: ignore[assignment]  # or a decimal
