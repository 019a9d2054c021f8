"""What a vendor quotes from a conversation stays out of our errors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runtime_core.errors import LLMError
from agent_runtime_core.llm.anthropic import AnthropicClient
from agent_runtime_core.llm.openai import OpenAIClient
from agent_runtime_core.llm.quoted_words import without_quotes

SECRET = "My name is Ada Lovelace and my number is 0815 4711, please call me back tonight."


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("client_class", [OpenAIClient, AnthropicClient])
@pytest.mark.parametrize(
    "messages",
    [
        [user(SECRET)],
        [user([{"type": "text", "text": SECRET}])],
        [user("My name is\n  Ada Lovelace and my number\tis 0815 4711, please call me back tonight.")],
        [{"role": "system", "content": f"The user said: {SECRET} Be kind."}, user("Hello")],
    ],
    ids=["text", "parts", "other blanks", "system prompt"],
)
async def test_a_vendor_that_quotes_a_conversation(model_server, client_class: Any, messages: Any, streaming: bool):
    # Given a vendor that quotes the beginning of what it does not like
    model_server.reply({"error": {"message": f"Invalid value: '{SECRET[:60]}' is not allowed"}}, status=400)

    # When
    async with client_class("test-key", "model-1", base_url=model_server.base_url, max_retries=0) as client:
        with pytest.raises(LLMError) as caught:
            await (anext(client.stream(messages)) if streaming else client.generate(messages))

    # Then
    assert "Invalid value: '[...]' is not allowed." in str(caught.value)
    assert "Ada" not in str(caught.value)


def test_short_messages_are_known_as_a_whole():
    assert without_quotes("bad input: private words", [user("private words")]) == "bad input: [...]"
    assert without_quotes("bad input: private", [user("private words")]) == "bad input: private"


def test_what_the_vendor_says_itself_stays():
    text = "Invalid schema for function 'save_name': the model 'gpt-4o' does not exist."

    assert (
        without_quotes(text, [user("model"), user("Does the model gpt-4o exist? Save my name with save_name.")]) == text
    )


def test_arguments_of_tools_are_a_part_of_the_conversation():
    function = {"name": "save", "arguments": f'{{"note": "{SECRET}"}}'}
    calling = {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "function": function}]}

    assert without_quotes(f"cannot read {SECRET}", [calling]) == "cannot read [...]"


@given(before=st.text(max_size=40), quoted=st.text(min_size=24, max_size=80), after=st.text(max_size=40))
def test_no_long_quotation_is_left(before: str, quoted: str, after: str):
    quoted = " ".join(quoted.split())
    text = f"{before}{quoted}{after}"

    left = without_quotes(text, [user(f"Well, {quoted} and so on")])

    if len(quoted) >= 24:
        assert quoted not in left
    else:
        assert len(left) <= len(text) + 5


@given(text=st.text(max_size=200))
def test_a_conversation_that_is_not_quoted_changes_nothing(text: str):
    assert without_quotes(text, []) == text
