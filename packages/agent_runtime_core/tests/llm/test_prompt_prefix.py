"""How much of a request a vendor's cache can give."""

from typing import Any

from agent_runtime_core.llm.prompt_prefix import common_prefix

PERSONA = {"role": "system", "content": "You are kind."}
USER = {"role": "user", "content": "Hello"}
REPLY = {"role": "assistant", "content": "Hi"}
TOOL = {"type": "function", "function": {"name": "save_name"}}
OTHER = {"type": "function", "function": {"name": "save_email"}}


def request(*messages: dict[str, Any], tools: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"messages": list(messages), "tools": tools}


def test_a_conversation_that_goes_on_keeps_all_that_was_there():
    shared = common_prefix(request(PERSONA, USER, tools=[TOOL]), request(PERSONA, USER, REPLY, USER, tools=[TOOL]))

    assert (shared.tools, shared.same_tools, shared.messages) == (1, True, 2)
    assert 0 < shared.characters < shared.total_characters
    assert shared.share == shared.characters / shared.total_characters


def test_another_prompt_in_front_leaves_only_the_tools():
    shared = common_prefix(
        request(PERSONA, USER, tools=[TOOL]), request({**PERSONA, "content": "Next."}, USER, tools=[TOOL])
    )

    assert (shared.same_tools, shared.messages) == (True, 0)


def test_another_tool_list_ends_the_cache_before_the_messages():
    shared = common_prefix(request(PERSONA, USER, tools=[TOOL]), request(PERSONA, USER, tools=[TOOL, OTHER]))

    assert (shared.tools, shared.same_tools, shared.messages) == (1, False, 0)


def test_the_order_of_keys_counts():
    turned = dict(reversed(PERSONA.items()))

    assert common_prefix(request(PERSONA, USER), request(turned, USER)).messages == 0


def test_the_same_request_is_shared_whole_and_an_empty_one_not_at_all():
    assert common_prefix(request(PERSONA, USER), request(PERSONA, USER)).share == 1
    assert common_prefix(request(), request()).share == 0
