"""The LiteLLM client: the same normal form, and errors that are ours."""

import json
import os
import socket
import subprocess
import sys
from typing import Any

import pytest
from pydantic import BaseModel

from agent_runtime_core.config import configure
from agent_runtime_core.errors import (
    ConfigError,
    LLMBadReply,
    LLMError,
    LLMRateLimited,
    LLMRejected,
    LLMTimeout,
    LLMUnavailable,
    MissingDependency,
)
from agent_runtime_core.llm import litellm_client as module
from agent_runtime_core.llm.litellm_client import LiteLLMClient

pytestmark = [
    pytest.mark.allow_blocking("LiteLLM reads files of its own at a first call"),
    pytest.mark.filterwarnings("ignore:Items? .* using the `ReadOnly` qualifier:UserWarning"),
    pytest.mark.filterwarnings("ignore:Accessing the 'model_.*fields':DeprecationWarning"),
]

USER = {"role": "user", "content": "Hello"}
KEY = "sk-very-secret-key"


@pytest.fixture
async def client(model_server):
    async with LiteLLMClient("openai/gpt-4o", api_base=model_server.base_url, api_key=KEY, max_retries=0) as client:
        yield client


def call(arguments: str) -> dict[str, Any]:
    function = {"name": "save_name", "arguments": arguments}
    return {"index": 0, "id": "call_1", "type": "function", "function": function}


async def read_all(client: LiteLLMClient) -> list[Any]:
    return [chunk async for chunk in client.stream([USER])]


async def test_a_whole_answer_comes_in_the_normal_form(model_server, client, completion):
    model_server.reply(completion({"content": "One moment.", "tool_calls": [call('{"name": "Ada"}')]}, "tool_calls"))

    response = await client.generate([{**USER, "metadata": {"private": True}}], temperature=0.5, max_tokens=9)

    assert response.content == "One moment."
    assert [(each.id, each.name, each.arguments) for each in response.tool_calls or ()] == [
        ("call_1", "save_name", {"name": "Ada"})
    ]
    assert response.usage == {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    assert response.finish_reason == "tool_calls"
    sent = model_server.requests[0]
    assert (sent["model"], sent["messages"], sent["temperature"], sent["max_tokens"]) == ("gpt-4o", [USER], 0.5, 9)


async def test_a_streamed_answer_is_put_together(model_server, client, chunk):
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    model_server.stream(
        chunk({"role": "assistant", "content": "One "}),
        chunk({"content": "moment."}),
        chunk({"tool_calls": [call('{"name":')]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ' "Ada"}'}}]}),
        chunk({}, "tool_calls"),
        {**chunk(), "choices": [], "usage": usage},
    )

    *pieces, last = await read_all(client)

    assert "".join(chunk.delta for chunk in pieces) == "One moment."
    assert last.tool_calls is not None
    assert json.loads(last.tool_calls[0]["function"]["arguments"]) == {"name": "Ada"}
    assert last.finish_reason == "tool_calls"
    assert last.usage is not None
    assert usage.items() <= last.usage.items()


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        (400, LLMRejected),
        (401, LLMRejected),
        (404, LLMRejected),
        (408, LLMTimeout),
        (429, LLMRateLimited),
        (500, LLMUnavailable),
        (503, LLMUnavailable),
    ],
)
async def test_a_status_becomes_our_error_without_the_key(model_server, client, status, ours):
    model_server.reply({"error": {"message": f"No: {KEY}", "type": "x"}}, status=status, headers={"retry-after": "7"})

    with pytest.raises(ours) as caught:
        await client.generate([USER])

    assert (caught.value.provider, caught.value.model) == ("litellm", "openai/gpt-4o")
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is not None


async def test_a_key_of_the_environment_is_taken_out_of_the_vendors_words(model_server, monkeypatch):
    monkeypatch.setenv("GROQ_API_KEY", "corp-0123456789")
    model_server.reply({"error": {"message": "No: corp-0123456789", "type": "x"}}, status=401)

    with pytest.raises(LLMRejected) as caught:
        await LiteLLMClient("groq/llama", api_base=model_server.base_url, max_retries=0).generate([USER])

    assert "corp-0123456789" not in str(caught.value)
    assert "***" in str(caught.value)


async def test_a_key_that_cannot_be_sent_is_no_outage(model_server, monkeypatch):
    monkeypatch.setenv("GROQ_API_KEY", "corp-0123\n456789")

    with pytest.raises(LLMRejected, match="The key cannot be sent") as caught:
        await LiteLLMClient("groq/llama", api_base=model_server.base_url, max_retries=0).generate([USER])

    assert "456789" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [{"response_format": "json"}, {"messages": [{"role": "user", "content": [{"type": "unheard of"}]}]}],
    ids=["option", "message"],
)
async def test_a_request_that_cannot_be_made_is_no_outage(client, wrong):
    with pytest.raises(LLMRejected, match="LiteLLM cannot make this request"):
        await client.generate(**{"messages": [USER], **wrong})


def a_free_port(start: int, stop: int) -> int:
    """A port of the range at which nobody listens."""
    for port in range(start, stop):
        with socket.socket() as tried:
            tried.settimeout(1)
            if tried.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("somebody listens at every port of the range")


@pytest.mark.parametrize("looks_like", [401, 403, 404, 429, 500])
async def test_nobody_listens_is_an_outage_whatever_the_port(looks_like: int):
    """LiteLLM looks for a status in the words of an error, and finds the port's digits."""
    port = a_free_port(looks_like * 100, looks_like * 100 + 100)
    for vendor in ("openai", "groq", "gemini", "anthropic"):
        client = LiteLLMClient(f"{vendor}/x", api_key=KEY, api_base=f"http://127.0.0.1:{port}", max_retries=0)

        with pytest.raises(LLMUnavailable, match="No connection"):
            await client.generate([USER])


async def test_a_stream_that_is_cut_is_an_error(model_server, client, chunk):
    model_server.stream(chunk({"content": "Hel"}), ending="cut")

    with pytest.raises(LLMError):
        await read_all(client)


async def test_a_missing_key_is_said_and_not_tried_again(monkeypatch):
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(LLMRejected, match=r"There is no key.*GEMINI_API_KEY") as caught:
        await LiteLLMClient("gemini/gemini-2.5-pro").generate([USER])

    assert "Traceback" not in str(caught.value)


async def test_a_model_without_its_vendor_is_refused_in_words():
    with pytest.raises(LLMRejected, match="vendor/model"):
        await LiteLLMClient("nonsense").generate([USER])


async def test_an_answer_without_a_message_is_found_out(monkeypatch, client):
    async def nothing(**_: Any) -> Any:
        return object()

    monkeypatch.setattr(module.litellm, "acompletion", nothing)

    with pytest.raises(LLMBadReply, match="api_base"):
        await client.generate([USER])


def test_the_configured_model_is_the_default():
    configure(default_model="gemini/gemini-2.5-pro")

    assert LiteLLMClient().default_model == "gemini/gemini-2.5-pro"
    assert LiteLLMClient("groq/llama").default_model == "groq/llama"


def test_without_the_package_its_extra_is_named(monkeypatch):
    monkeypatch.setattr(module, "litellm", None)

    with pytest.raises(MissingDependency, match=r"litellm package is required.*agent_runtime_core\[litellm\]"):
        LiteLLMClient()


@pytest.mark.parametrize(("given", "kept"), [(None, "True"), ("False", "False")])
def test_the_import_fetches_no_price_list_unless_it_is_asked_for(given, kept):
    # In a process of its own, where nothing is imported yet; the library itself stays away.
    program = (
        "import os, sys; sys.modules['litellm'] = None; import agent_runtime_core.llm.litellm_client; "
        "print(os.environ['LITELLM_LOCAL_MODEL_COST_MAP'])"
    )
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": given} if given else dict(os.environ)
    if not given:
        environment.pop("LITELLM_LOCAL_MODEL_COST_MAP", None)

    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == kept


def test_a_key_that_cannot_be_sent_is_refused_and_not_repeated():
    with pytest.raises(ConfigError, match="character 4 of 7") as caught:
        LiteLLMClient("openai/gpt-4o", api_key="gzq\nkey")

    assert "gzq" not in str(caught.value)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    "body", ["<html>Welcome, my private words</html>", "", {"ok": True}, {"choices": None}, [1]], ids=repr
)
async def test_a_server_that_is_no_model_points_to_the_address(model_server, client, body, streaming):
    model_server.reply(body, headers={"content-type": "text/html"} if isinstance(body, str) else {})

    with pytest.raises(LLMBadReply, match=r"[Ii]s api_base the right address\?") as caught:
        await (read_all(client) if streaming else client.generate([USER]))

    assert "private" not in str(caught.value)


@pytest.mark.parametrize("ending", ["done", "short"])
async def test_an_end_that_litellm_makes_up_is_none(model_server, client, chunk, ending):
    # Given a stream that ends in the middle of a tool call, which LiteLLM ends with a "stop"
    model_server.stream(chunk({"content": "Hi"}), chunk({"tool_calls": [call('{"name":')]}), ending=ending)

    # When / Then
    with pytest.raises(LLMBadReply, match="ended before the answer did"):
        await read_all(client)


async def test_a_broken_connection_is_no_failing_server(model_server, client):
    model_server.reply("no gzip", headers={"content-encoding": "gzip"})

    with pytest.raises(LLMUnavailable, match="No connection") as caught:
        await client.generate([USER])

    assert caught.value.status is None


async def test_what_a_model_has_said_is_in_no_error(model_server, client, chunk):
    model_server.stream(chunk({"content": "my private words"}, "error"))

    with pytest.raises(LLMError) as caught:
        await read_all(client)

    assert "private" not in str(caught.value)


async def test_what_a_vendor_quotes_from_the_conversation_is_in_no_error(model_server, client):
    model_server.reply({"error": {"message": "bad input: my private words"}}, status=400)

    with pytest.raises(LLMRejected, match="bad input: ") as caught:
        await client.generate([{"role": "user", "content": "my private words"}])

    assert "private" not in str(caught.value)


async def test_a_pydantic_model_is_the_schema_of_the_answer(model_server, client):
    class Person(BaseModel):
        name: str

    model_server.reply({"choices": [{"message": {"role": "assistant", "content": "{}"}, "finish_reason": "stop"}]})

    await client.generate([USER], response_format=Person)

    schema = model_server.requests[0]["response_format"]["json_schema"]
    assert (schema["name"], schema["schema"]["required"]) == ("Person", ["name"])
