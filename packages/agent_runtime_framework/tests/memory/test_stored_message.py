"""A message on its way into a store and out again."""

from __future__ import annotations

from typing import Any

import pytest

from agent_runtime_framework.memory import StoredMessage

CALL = {"id": "c1", "type": "function", "function": {"name": "save_name", "arguments": '{"name": "Ada"}'}}


def test_a_plain_message_is_its_role_and_content_and_nothing_else() -> None:
    assert StoredMessage("user", "Hello").to_dict() == {"role": "user", "content": "Hello"}
    assert StoredMessage(role="user").to_dict() == {"role": "user"}


def test_metadata_is_part_of_a_stored_message() -> None:
    message = StoredMessage("user", "Hello", {"channel": "web"})

    assert message.to_dict() == {"role": "user", "content": "Hello", "metadata": {"channel": "web"}}


@pytest.mark.parametrize(
    "data",
    [
        {"role": "user", "content": ""},
        {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "assistant", "content": "One moment.", "tool_calls": [CALL], "metadata": {"model": "m"}},
        {"role": "tool", "content": "Saved.", "tool_call_id": "c1", "name": "save_name"},
        {"role": "assistant", "content": "Hello", "reasoning_content": "...", "refusal": None},
    ],
)
def test_a_message_read_from_a_dict_gives_the_same_dict(data: dict[str, Any]) -> None:
    assert StoredMessage.from_dict(data).to_dict() == data
