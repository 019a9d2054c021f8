"""What `LLMClient` promises, as tests."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest

from agent_runtime_core.errors import LLMBadReply, LLMError, LLMRateLimited, LLMRejected, LLMUnavailable
from agent_runtime_core.interfaces.llm import LLMClient, LLMResponse
from agent_runtime_core.messages import MessageDict

__all__ = ["LLMClientContract"]


def _tool(name: str, field: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {field: {"type": "string"}}, "required": [field]}
    function = {"name": name, "description": f"Save the user's {field}.", "parameters": parameters}
    return {"type": "function", "function": function}


_TOOLS = [_tool("save_name", "name"), _tool("save_email", "email")]


class LLMClientContract:
    """Subclass it and provide a fixture `client`: a client of yours, without retries, closed when the test is over.

    Its server (or script) answers what the user says last, as the attributes tell: `Say hello.` with that text, and so
    on. A client that cannot be made to fail overrides `refusals` with an empty dict.

    ```python
    class TestMyClient(LLMClientContract):
        @pytest.fixture
        async def client(self, my_server):
            async with MyClient(base_url=my_server) as client:
                yield client
    ```

    The tests are coroutines: pytest-asyncio in its `auto` mode runs them.
    """

    hello = ("Say hello.", "Hello Ada, how are you?")
    """A question, and the text that answers it."""
    one_call = ("Save my name.", [("save_name", {"name": "Zoë"})])
    """A question, and the tool call that answers it."""
    result_text = "Your name is saved."
    """The text that answers the result of that call."""
    two_calls = (
        "Save my name and my email.",
        [("save_name", {"name": "Ada"}), ("save_email", {"email": "ada@example.org"})],
    )
    """A question, and the tool calls that answer it."""
    text_and_call = ("Speak and save my name.", "One moment, please.", [("save_name", {"name": "Ada"})])
    """A question, the text and the tool call that answer it."""
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

        whole, streamed = await _both_ways(client, [_user(question)])

        assert whole.message == streamed.message == {"role": "assistant", "content": answer}
        assert whole.usage == streamed.usage
        assert whole.finish_reason == streamed.finish_reason != ""

    async def test_tokens_are_counted_in_whole_numbers_under_the_same_names(self, client: LLMClient) -> None:
        usage = (await client.generate([_user(self.hello[0])])).usage

        assert {"prompt_tokens", "completion_tokens", "total_tokens"} <= set(usage)
        assert all(type(count) is int for count in usage.values())
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0

    async def test_a_streamed_text_comes_in_pieces(self, client: LLMClient) -> None:
        question, answer = self.hello

        *pieces, last = [chunk async for chunk in client.stream([_user(question)])]

        assert len([chunk for chunk in pieces if chunk.delta]) > 1
        assert all(chunk.finish_reason is None for chunk in pieces)
        assert "".join(chunk.delta for chunk in [*pieces, last]) == answer

    async def test_one_tool_call_is_the_same_whole_and_streamed(self, client: LLMClient) -> None:
        question, calls = self.one_call

        for response in await _both_ways(client, [_user(question)], tools=_TOOLS):
            assert _read(response) == calls
            assert response.content == ""

    async def test_two_tool_calls_come_in_order_with_ids_of_their_own(self, client: LLMClient) -> None:
        question, calls = self.two_calls

        for response in await _both_ways(client, [_user(question)], tools=_TOOLS):
            assert _read(response) == calls
            assert len({call["id"] for call in response.message["tool_calls"]}) == 2

    async def test_a_text_and_a_tool_call_come_together(self, client: LLMClient) -> None:
        question, text, calls = self.text_and_call

        for response in await _both_ways(client, [_user(question)], tools=_TOOLS):
            assert response.content == text
            assert _read(response) == calls

    async def test_an_answer_goes_back_as_it_came_with_the_results_of_its_calls(self, client: LLMClient) -> None:
        # Given the answer to a question, which calls a tool
        messages = [_user(self.one_call[0])]
        answer = (await client.generate(messages, tools=_TOOLS)).message

        # When it goes back with the result
        results = [{"role": "tool", "tool_call_id": call["id"], "content": "Saved."} for call in answer["tool_calls"]]
        response = await client.generate([*messages, answer, *results], tools=_TOOLS)

        # Then the model goes on from there
        assert response.content == self.result_text

    async def test_the_messages_and_tools_of_the_caller_stay_as_they_are(self, client: LLMClient) -> None:
        messages = [{"role": "system", "content": "Be kind."}, _user(self.hello[0])]
        before = repr((messages, _TOOLS))

        await _both_ways(client, messages, tools=_TOOLS)

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
        stream: Any = client.stream([_user(question)])

        async with aclosing(stream):
            assert answer.startswith((await anext(stream)).delta)

        assert (await client.generate([_user(question)])).content == answer

    async def test_a_client_can_be_closed_twice(self, client: LLMClient) -> None:
        await client.close()
        await client.close()


def _user(text: str) -> MessageDict:
    return {"role": "user", "content": text}


async def _both_ways(client: LLMClient, messages: list[MessageDict], **options: Any) -> tuple[LLMResponse, LLMResponse]:
    return await client.generate(messages, **options), await _streamed(client, messages, **options)


async def _streamed(client: LLMClient, messages: list[MessageDict], **options: Any) -> LLMResponse:
    """A streamed answer, put together as a whole one."""
    *pieces, last = [chunk async for chunk in client.stream(messages, **options)]
    message: MessageDict = {"role": "assistant", "content": "".join(chunk.delta for chunk in [*pieces, last])}
    if last.tool_calls:
        message["tool_calls"] = last.tool_calls
    return LLMResponse(message, usage=last.usage or {}, finish_reason=last.finish_reason or "")


def _read(response: LLMResponse) -> list[tuple[str, dict[str, Any]]]:
    return [(call.name, call.arguments) for call in response.tool_calls or ()]
