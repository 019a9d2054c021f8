"""The OpenAI client with whole answers: how it is made, what it sends, what it makes of the answer."""

import json
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from agent_runtime_core.config import configure
from agent_runtime_core.errors import ConfigError, LLMBadReply, MissingDependency
from agent_runtime_core.llm import OpenAIConfigurationError, openai
from agent_runtime_core.llm.openai import OpenAIClient

USER = {"role": "user", "content": "Hello"}
TOOL = {"type": "function", "function": {"name": "save", "description": "", "parameters": {"type": "object"}}}


class Wire:
    """The real SDK on a transport that answers with one body and keeps what was sent."""

    def __init__(self, body: Any) -> None:
        self.body = body
        self.sent: list[dict[str, Any]] = []
        self.headers: list[httpx2.Headers] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(json.loads(request.content))
        self.headers.append(request.headers)
        return httpx2.Response(200, json=self.body)

    def client(self, **options: Any) -> OpenAIClient:
        transport = httpx2.MockTransport(self.answer)
        options = {"api_key": "test-key", "max_retries": 0, **options}
        return OpenAIClient(http_client=httpx2.AsyncClient(transport=transport), **options)


@pytest.fixture
def wire(completion):
    return Wire(completion({"content": "Hi Ada"}))


async def sent_for(wire: Wire, *messages: dict[str, Any], **options: Any) -> dict[str, Any]:
    async with wire.client() as client:
        await client.generate(list(messages), **options)
    return wire.sent[-1]


# --- How it is made


def test_without_a_key_it_is_said_where_to_put_one():
    with pytest.raises(OpenAIConfigurationError) as caught:
        OpenAIClient()

    for way in ("configure(openai_api_key=", "OPENAI_API_KEY", "api_key="):
        assert way in str(caught.value)
    assert openai.OpenAIConfigurationError is OpenAIConfigurationError


def test_without_the_package_it_is_said_how_to_install_it(monkeypatch):
    monkeypatch.setattr(openai, "AsyncOpenAI", None)

    with pytest.raises(ImportError, match="openai package is required for OpenAIClient") as caught:
        OpenAIClient(api_key="test-key")

    assert isinstance(caught.value, MissingDependency)
    assert "agent_runtime_core[openai]" in str(caught.value)
    assert "OPENAI_API_KEY" not in str(caught.value)


def test_without_package_and_key_both_are_named(monkeypatch):
    monkeypatch.setattr(openai, "AsyncOpenAI", None)

    with pytest.raises(ConfigError, match="OPENAI_API_KEY") as caught:
        OpenAIClient()

    assert "pip install" in str(caught.value)
    assert 'provider="offline"' in str(caught.value)


async def test_it_works_with_a_patched_class_and_without_the_package(monkeypatch):
    # Given a stand-in for the SDK's class, and no SDK
    async def create(**request):
        message = SimpleNamespace(content="Hi", tool_calls=None)
        return SimpleNamespace(choices=[SimpleNamespace(message=message, finish_reason="stop")], usage=None, model="m")

    made: list[dict[str, Any]] = []

    def stand_in(**options):
        made.append(options)
        return SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))

    monkeypatch.setattr(openai, "AsyncOpenAI", stand_in)
    monkeypatch.setattr(openai, "_sdk", None)

    # When a client is made and asked
    client = OpenAIClient(api_key="test-key", organization="org", timeout=5)
    response = await client.generate([USER])

    # Then it has used the stand-in
    assert made == [{"api_key": "test-key", "organization": "org", "base_url": None, "timeout": 5}]
    assert (response.content, response.usage) == ("Hi", {})


async def test_an_error_of_a_stand_in_reaches_the_caller_as_it_is(monkeypatch):
    async def create(**request):
        raise RuntimeError("from the stand-in")

    completions = SimpleNamespace(completions=SimpleNamespace(create=create))
    monkeypatch.setattr(openai, "AsyncOpenAI", lambda **options: SimpleNamespace(chat=completions))
    monkeypatch.setattr(openai, "_sdk", None)

    with pytest.raises(RuntimeError, match="from the stand-in"):
        await OpenAIClient(api_key="test-key").generate([USER])


async def test_an_argument_wins_over_the_configuration_and_that_over_the_environment(monkeypatch, wire):
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    async with wire.client(api_key=None) as client:
        await client.generate([USER])
    configure(openai_api_key="configured")
    for key in (None, "argument"):
        async with wire.client(api_key=key) as client:
            await client.generate([USER])

    sent = [headers["authorization"] for headers in wire.headers]
    assert sent == ["Bearer from-environment", "Bearer configured", "Bearer argument"]


@pytest.mark.parametrize("address", ["localhost:8000/v1", "models.example.org", "//localhost/v1"])
def test_an_address_without_http_says_what_is_missing(address):
    with pytest.raises(ConfigError, match="put http:// or https:// in front") as caught:
        OpenAIClient(base_url=address)

    assert address in str(caught.value)


@pytest.mark.parametrize("address", ["http://localhost:11434/v1", "https://models.example.org/v1"])
def test_another_server_needs_no_key(address):
    assert OpenAIClient(base_url=address).default_model == "gpt-4o"


def test_another_server_that_the_environment_names_needs_no_key(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:11434/v1")

    assert OpenAIClient(default_model="llama3:8b").default_model == "llama3:8b"


@pytest.mark.parametrize("address", ["https://api.openai.com/v1", "https://eu.api.openai.com/v1"])
def test_openai_itself_needs_a_key_even_when_its_address_is_given(address):
    with pytest.raises(OpenAIConfigurationError):
        OpenAIClient(base_url=address)


def test_the_default_model_is_the_configured_one():
    configure(default_model="gpt-4.1")

    assert OpenAIClient(api_key="test-key").default_model == "gpt-4.1"
    assert OpenAIClient(api_key="test-key", default_model="gpt-5.5").default_model == "gpt-5.5"


async def test_closing_twice_is_fine(wire):
    async with wire.client() as client:
        await client.close()

    assert await client.close() is None


# --- What it sends


async def test_a_plain_question_sends_no_more_than_it_must(wire):
    assert await sent_for(wire, USER, tools=[], temperature=None) == {"model": "gpt-4o", "messages": [USER]}


async def test_options_go_into_the_request(wire):
    sent = await sent_for(
        wire, USER, model="gpt-4.1", tools=[TOOL], temperature=0.0, max_tokens=50, tool_choice="required", seed=None
    )

    assert sent == {
        "model": "gpt-4.1",
        "messages": [USER],
        "tools": [TOOL],
        "temperature": 0.0,
        "max_tokens": 50,
        "tool_choice": "required",
    }


@pytest.mark.parametrize("model", ["o3", "o4-mini", "gpt-5.4", "gpt-6-sol"])
async def test_a_reasoning_model_gets_its_limit_under_the_name_that_it_knows(wire, model):
    sent = await sent_for(wire, USER, model=model, max_tokens=50)

    assert sent["max_completion_tokens"] == 50
    assert "max_tokens" not in sent


@pytest.mark.parametrize(
    ("options", "effort"),
    [
        ({"thinking": True}, "medium"),
        ({"thinking": True, "reasoning_effort": "high"}, "high"),
        ({"reasoning_effort": "low"}, "low"),
        ({"thinking": False, "reasoning_effort": "high"}, None),
        ({"thinking": False}, None),
        ({}, None),
    ],
)
async def test_thinking_becomes_a_reasoning_effort(wire, options, effort):
    sent = await sent_for(wire, USER, **options)

    assert sent.get("reasoning_effort") == effort
    assert "thinking" not in sent


async def test_a_conversation_is_sent_in_openais_form(wire):
    # Given a history in mixed forms, with notes that are nobody else's business
    simplified = {"id": "call_1", "name": "save", "arguments": {"name": "Zoë"}}
    openais = {
        "id": "call_2",
        "type": "function",
        "function": {"name": "save", "arguments": '{"name":  "Ada"}'},
        "extra": 1,
    }
    history: list[dict[str, Any]] = [
        {"role": "system", "content": "Be brief.", "metadata": {"secret": "note"}},
        {"role": "user", "content": "Hello", "name": "ada", "created_at": "today"},
        {"role": "assistant", "content": None, "tool_calls": [simplified, openais]},
        {"role": "tool", "content": "saved", "tool_call_id": "call_1", "name": "save"},
        {"role": "tool", "content": None, "tool_call_id": "call_2", "name": "save"},
        {"role": "assistant", "content": None},
    ]
    before = json.loads(json.dumps(history))

    # When it is sent
    sent = await sent_for(wire, *history)

    # Then it is in one form, the model's own spelling is kept, and the caller's messages are untouched
    assert sent["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello", "name": "ada"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "save", "arguments": '{"name": "Zoë"}'}},
                {"id": "call_2", "type": "function", "function": {"name": "save", "arguments": '{"name":  "Ada"}'}},
            ],
        },
        {"role": "tool", "content": "saved", "tool_call_id": "call_1", "name": "save"},
        {"role": "tool", "content": "", "tool_call_id": "call_2", "name": "save"},
        {"role": "assistant", "content": ""},
    ]
    assert history == before


@pytest.mark.parametrize("arguments", ["{oops", "", "[1]", None, "null"])
async def test_a_stored_call_with_broken_arguments_is_sent_with_none(wire, arguments):
    call = {"id": "call_1", "function": {"name": "save", "arguments": arguments}}

    sent = await sent_for(wire, {"role": "assistant", "content": "", "tool_calls": [call]})

    assert sent["messages"][0]["tool_calls"][0]["function"]["arguments"] == "{}"


async def test_half_characters_in_content_parts_do_not_stop_a_conversation(wire):
    image = {"type": "image_url", "image_url": {"url": "https://images.example/1.png"}}
    parts = [{"type": "text", "text": "Hi \ud83d"}, {"type": "text", "text": "\ud83d\ude00"}, image]

    sent = await sent_for(wire, {"role": "user", "content": parts})

    shown = [{"type": "text", "text": "Hi \ufffd"}, {"type": "text", "text": "\U0001f600"}, image]
    assert sent["messages"][0]["content"] == shown


@pytest.mark.parametrize(
    ("content", "sent_content"),
    [
        ([{"type": "text", "text": "Hi"}], [{"type": "text", "text": "Hi"}]),
        ({"total": 3}, '{"total": 3}'),
        (42, "42"),
    ],
)
async def test_content_of_any_kind_is_sent_as_text_or_parts(wire, content, sent_content):
    sent = await sent_for(wire, {"role": "user", "content": content})

    assert sent["messages"][0]["content"] == sent_content


# --- What it makes of the answer


async def test_a_text_answer(wire):
    async with wire.client() as client:
        response = await client.generate([USER])

    assert response.message == {"role": "assistant", "content": "Hi Ada"}
    assert response.tool_calls is None
    assert response.usage == {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    assert (response.model, response.finish_reason) == ("gpt-4o-2024-11-20", "stop")
    assert response.raw_response.id == "chatcmpl-1"


async def test_a_tool_call(completion):
    call = {"id": "call_1", "type": "function", "function": {"name": "save", "arguments": '{"name": "Ada"}'}}
    wire = Wire(completion({"content": None, "tool_calls": [call]}, "tool_calls"))

    async with wire.client() as client:
        response = await client.generate([USER], tools=[TOOL])

    assert response.message == {"role": "assistant", "content": "", "tool_calls": [call]}
    assert response.finish_reason == "tool_calls"
    assert response.tool_calls is not None
    assert response.tool_calls[0].arguments == {"name": "Ada"}


async def test_calls_without_an_id_get_different_ones(completion):
    call = {"function": {"name": "save", "arguments": {"name": "Ada"}}}
    wire = Wire(completion({"content": None, "tool_calls": [call, call]}))

    async with wire.client() as client:
        response = await client.generate([USER])

    first, second = response.message["tool_calls"]
    assert first["id"] != second["id"]
    assert first["function"] == {"name": "save", "arguments": '{"name": "Ada"}'}


async def test_cached_and_reasoning_tokens_are_told_as_plain_numbers(completion):
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 8},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    wire = Wire(completion({"content": "Hi"}, usage=usage))

    async with wire.client() as client:
        response = await client.generate([USER])

    assert response.usage == {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "cached_tokens": 8,
        "reasoning_tokens": 3,
    }


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (None, {}),
        ({}, {}),
        ({"prompt_tokens": 2, "completion_tokens": 3}, {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}),
        ({"prompt_tokens": "many"}, {}),
    ],
)
async def test_servers_that_count_badly_do_not_break_the_answer(completion, usage, counts):
    wire = Wire(completion({"content": "Hi"}, usage=usage))

    async with wire.client() as client:
        assert (await client.generate([USER])).usage == counts


@pytest.mark.parametrize(
    ("message", "content"),
    [
        ({"content": None, "refusal": "I must not."}, "I must not."),
        ({"content": None}, ""),
        ({}, ""),
        ({"content": [{"type": "text", "text": "Hi"}]}, "Hi"),
    ],
)
async def test_the_content_is_always_text(completion, message, content):
    wire = Wire(completion(message))

    async with wire.client() as client:
        response = await client.generate([USER])

    assert response.message == {"role": "assistant", "content": content}


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
async def test_the_reasoning_of_other_servers_is_kept_apart(completion, key):
    wire = Wire(completion({"content": "4", key: "two and two"}))

    async with wire.client() as client:
        response = await client.generate([USER])

    assert (response.content, response.thinking) == ("4", "two and two")


@pytest.mark.parametrize("body", [{"choices": []}, {"choices": None}, {}, {"choices": [{"index": 0}]}, [], "text"])
async def test_an_answer_without_a_message_is_an_error(body):
    async with Wire(body).client() as client:
        with pytest.raises(LLMBadReply, match="holds no message: is base_url the right address") as caught:
            await client.generate([USER])

    assert (caught.value.provider, caught.value.model) == (client.provider, "gpt-4o")


@pytest.mark.parametrize(
    "address",
    [
        "http://[::1",
        "http://ada:pass-word@[bad",
        "http://ada:pass-word/1@host",
        "http://host:port/v1",
        "http://h:99999",
    ],
)
def test_an_address_that_is_none_is_refused_before_anything_is_sent(address):
    with pytest.raises(ConfigError, match=r"base_url \(or OPENAI_BASE_URL\) is no address: '") as caught:
        OpenAIClient("test-key", base_url=address)

    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize("address", ["ada:pass-word@host/v1", "ftp://ada:pass-word@host/v1"])
def test_a_password_in_a_wrong_address_is_not_repeated(address):
    with pytest.raises(ConfigError, match=r"not '\.\.\.@host/v1'") as caught:
        OpenAIClient("test-key", base_url=address)

    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("message", "words"), [({"content": "Hello"}, "has no role"), ({"role": "user", "content": b"Hello"}, "is bytes")]
)
async def test_a_message_that_is_none_is_refused_in_words(model_server, message, words):
    async with OpenAIClient("test-key", "gpt-4o", base_url=model_server.base_url) as client:
        with pytest.raises(ConfigError, match=words):
            await client.generate([message])
