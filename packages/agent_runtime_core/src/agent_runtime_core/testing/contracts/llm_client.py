"""What `LLMClient` promises, as tests."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest

from agent_runtime_core.errors import LLMBadReply, LLMError, LLMRateLimited, LLMRejected, LLMUnavailable
from agent_runtime_core.interfaces.llm import LLMClient, LLMResponse
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.testing.pieces import put_together

__all__ = ["LLMClientContract"]


def _tool(name: str, field: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {field: {"type": "string"}}, "required": [field]}
    function = {"name": name, "description": f"Save the user's {field}.", "parameters": parameters}
    return {"type": "function", "function": function}


_Calls = list[tuple[str, dict[str, Any]]]
_TOOLS = [_tool("save_name", "name"), _tool("save_email", "email")]


class LLMClientContract:
    """Subclass it and provide a fixture `client`: a client of yours, without retries, closed when the test is over.

    Its server (or script) answers what the user says last, as the attributes tell: `Say hello.` with that text, and so
    on. An answer of None is any answer, and a question of None is not asked: a real model says what it likes. A client
    that cannot be made to fail overrides `refusals` with an empty dict.

    ```python
    class TestMyClient(LLMClientContract):
        @pytest.fixture
        async def client(self, my_server):
            async with MyClient(base_url=my_server) as client:
                yield client
    ```

    The tests are coroutines: pytest-asyncio in its `auto` mode runs them.
    """

    hello: tuple[str, str | None] = ("Say hello.", "Hello Ada, how are you?")
    """A question, and the text that answers it."""
    one_call: tuple[str, _Calls | None] = ("Save my name.", [("save_name", {"name": "Zoë"})])
    """A question, and the tool call that answers it."""
    result_text: str | None = "Your name is saved."
    """The text that answers the result of that call."""
    two_calls: tuple[str | None, _Calls] = (
        "Save my name and my email.",
        [("save_name", {"name": "Ada"}), ("save_email", {"email": "ada@example.org"})],
    )
    """A question, and the tool calls that answer it."""
    text_and_call: tuple[str | None, str, _Calls] = (
        "Speak and save my name.",
        "One moment, please.",
        [("save_name", {"name": "Ada"})],
    )
    """A question, the text and the tool call that answer it."""
    thinking: tuple[str | None, str, str] = ("Think aloud.", "Six times seven.", "It is 42.")
    """A question, the reasoning before its answer, and the answer. Overridden for a vendor that tells no reasoning."""
    uneven_counts: frozenset[str] = frozenset()
    """Token counts that only one of the two ways tells; `reasoning_tokens`, where a library guesses them."""
    options: dict[str, Any] = {}  # noqa: RUF012  # overridden as a whole, never changed
    """What goes with every question, such as a real model's `temperature` and `seed`."""
    call_options: dict[str, Any] = {}  # noqa: RUF012  # the same
    """What goes with the question of `one_call` besides, such as a `tool_choice`."""
    broken_off: str | None = "Break off."
    """A question whose streamed answer breaks off in the middle; None when that cannot be arranged."""
    refusals: dict[str, type[LLMError]] = {  # noqa: RUF012  # overridden as a whole, never changed
        "Ask for patience.": LLMRateLimited,
        "Refuse.": LLMRejected,
        "Fail.": LLMUnavailable,
    }
    """Questions that end in an error, and which."""

    async def test_a_text_is_the_same_whole_and_streamed(self, client: LLMClient) -> None:
        question, answer = self.hello

        whole, streamed = await self._both_ways(client, question)

        assert self._said(whole) == self._said(streamed)
        assert set(whole.message) == {"role", "content"}
        assert whole.message["role"] == "assistant"
        _is_as_expected(whole.message["content"], answer)
        assert whole.finish_reason != ""

    async def test_tokens_are_counted_in_whole_numbers_under_the_same_names(self, client: LLMClient) -> None:
        usage = (await client.generate([_user(self.hello[0])], **self.options)).usage

        assert {"prompt_tokens", "completion_tokens", "total_tokens"} <= set(usage)
        assert all(type(count) is int for count in usage.values())
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0

    async def test_a_streamed_text_comes_in_pieces(self, client: LLMClient) -> None:
        question, answer = self.hello

        *pieces, last = [chunk async for chunk in client.stream([_user(question)], **self.options)]

        assert len([chunk for chunk in pieces if chunk.delta]) > 1
        assert all(chunk.finish_reason is None for chunk in pieces)
        _is_as_expected("".join(chunk.delta for chunk in [*pieces, last]), answer)

    async def test_reasoning_is_the_same_whole_and_streamed(self, client: LLMClient) -> None:
        question, reasoning, answer = self.thinking
        if question is None:
            pytest.skip("this client's vendor tells no reasoning")

        whole, streamed = await self._both_ways(client, question)

        assert self._said(whole) == self._said(streamed)
        assert (whole.thinking, whole.content) == (reasoning, answer)

    async def test_one_tool_call_is_the_same_whole_and_streamed(self, client: LLMClient) -> None:
        question, calls = self.one_call

        whole, streamed = await self._both_ways(client, question, tools=_TOOLS, **self.call_options)

        assert self._said(whole) == self._said(streamed)
        assert len(_read(whole)) == 1
        assert calls is None or (_read(whole), whole.message["content"]) == (calls, "")

    async def test_two_tool_calls_come_in_order_with_ids_of_their_own(self, client: LLMClient) -> None:
        question, calls = self.two_calls
        if question is None:
            pytest.skip("this client's model cannot be made to call two tools")

        whole, streamed = await self._both_ways(client, question, tools=_TOOLS)

        assert self._said(whole) == self._said(streamed)
        assert _read(whole) == calls
        for response in (whole, streamed):
            assert len({call["id"] for call in response.message["tool_calls"]}) == 2

    async def test_a_text_and_a_tool_call_come_together(self, client: LLMClient) -> None:
        question, text, calls = self.text_and_call
        if question is None:
            pytest.skip("this client's model cannot be made to speak and call a tool")

        whole, streamed = await self._both_ways(client, question, tools=_TOOLS)

        assert self._said(whole) == self._said(streamed)
        assert (whole.message["content"], _read(whole)) == (text, calls)

    async def test_an_answer_goes_back_as_it_came_with_the_results_of_its_calls(self, client: LLMClient) -> None:
        # Given the answer to a question, which calls a tool
        messages = [_user(self.one_call[0])]
        answer = (await client.generate(messages, tools=_TOOLS, **self.options, **self.call_options)).message

        # When it goes back with the result
        results = [{"role": "tool", "tool_call_id": call["id"], "content": "Saved."} for call in answer["tool_calls"]]
        response = await client.generate([*messages, answer, *results], tools=_TOOLS, **self.options)

        # Then the model goes on from there
        _is_as_expected(response.content, self.result_text)

    async def test_the_messages_and_tools_of_the_caller_stay_as_they_are(self, client: LLMClient) -> None:
        messages = [{"role": "system", "content": "Be kind."}, _user(self.hello[0])]
        before = repr((messages, _TOOLS))

        await client.generate(messages, tools=_TOOLS, **self.options)
        await _streamed(client, messages, tools=_TOOLS, **self.options)

        assert repr((messages, _TOOLS)) == before

    async def test_a_stream_that_ends_early_is_an_error(self, client: LLMClient) -> None:
        if self.broken_off is None:
            pytest.skip("this client's answers cannot break off")

        with pytest.raises(LLMBadReply):
            await _streamed(client, [_user(self.broken_off)])

    async def test_errors_are_ours_whole_and_streamed(self, client: LLMClient) -> None:
        for question, error in self.refusals.items():
            with pytest.raises(error):
                await client.generate([_user(question)])
            with pytest.raises(error):
                await _streamed(client, [_user(question)])

    async def test_leaving_a_stream_early_leaves_the_client_usable(self, client: LLMClient) -> None:
        question, answer = self.hello
        stream: Any = client.stream([_user(question)], **self.options)

        async with aclosing(stream):
            first = (await anext(stream)).delta

        again = (await client.generate([_user(question)], **self.options)).content
        assert again.startswith(first)
        _is_as_expected(again, answer)

    async def test_a_client_can_be_closed_twice(self, client: LLMClient) -> None:
        await client.close()
        await client.close()

    async def _both_ways(self, client: LLMClient, question: str, **options: Any) -> tuple[LLMResponse, LLMResponse]:
        messages, asked = [_user(question)], {**self.options, **options}
        return await client.generate(messages, **asked), await _streamed(client, messages, **asked)

    def _said(self, response: LLMResponse) -> dict[str, Any]:
        """All that an answer says. The ids of its tool calls are others each time; blanks in their JSON say nothing."""
        message = dict(response.message)
        if "tool_calls" in message:
            message["tool_calls"] = _read(response)
        usage = {name: count for name, count in response.usage.items() if name not in self.uneven_counts}
        facts = {"model": response.model, "finish_reason": response.finish_reason, "thinking": response.thinking}
        return {"message": message, "usage": usage, **facts}


def _user(text: str) -> MessageDict:
    return {"role": "user", "content": text}


async def _streamed(client: LLMClient, messages: list[MessageDict], **options: Any) -> LLMResponse:
    """A streamed answer, put together as a whole one."""
    return put_together([chunk async for chunk in client.stream(messages, **options)])


def _is_as_expected(text: str, expected: str | None) -> None:
    assert text == expected if expected is not None else isinstance(text, str)


def _read(response: LLMResponse) -> _Calls:
    return [(call.name, call.arguments) for call in response.tool_calls or ()]
