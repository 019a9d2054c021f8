"""The guard of tests: whoever opens a connection, none leaves the machine."""

from __future__ import annotations

import asyncio
import socket
import urllib.request
from typing import Any

import pytest

from agent_runtime_core.testing import RealLLMCallForbidden, ScriptedLLM, forbid_real_llm_calls

USER: list[Any] = [{"role": "user", "content": "Hello"}]
ELSEWHERE = "model.example"


async def ask_by_httpx() -> None:
    httpx = pytest.importorskip("httpx")
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.get(f"http://{ELSEWHERE}/v1/models")


async def ask_by_aiohttp() -> None:
    aiohttp = pytest.importorskip("aiohttp")
    async with aiohttp.ClientSession(trust_env=False) as session:
        await session.get(f"http://{ELSEWHERE}/v1/models")


async def ask_by_requests() -> None:
    requests = pytest.importorskip("requests")

    def ask() -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.get(f"http://{ELSEWHERE}/v1/models")

    await asyncio.to_thread(ask)


async def ask_by_the_standard_library() -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    await asyncio.to_thread(opener.open, f"http://{ELSEWHERE}/v1/models")


async def ask_by_openais_sdk() -> None:
    openai = pytest.importorskip("openai")
    async with openai.AsyncOpenAI(api_key="test-key", base_url=f"http://{ELSEWHERE}/v1", max_retries=0) as client:
        await client.chat.completions.create(model="m", messages=USER)


@pytest.mark.allow_blocking("vendors' libraries read files of their own at a first call")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "ask", [ask_by_httpx, ask_by_aiohttp, ask_by_requests, ask_by_the_standard_library, ask_by_openais_sdk]
)
async def test_no_library_reaches_another_machine(ask: Any) -> None:
    with forbid_real_llm_calls(), pytest.raises(Exception) as caught:  # noqa: PT011 - each wraps it in its own way
        await ask()

    reasons: list[BaseException | None] = [caught.value]
    while reasons[-1] is not None:
        reasons.append(reasons[-1].__cause__ or reasons[-1].__context__)
    assert any(isinstance(reason, RealLLMCallForbidden) and ELSEWHERE in str(reason) for reason in reasons)


@pytest.mark.allow_blocking("it looks at sockets")
def test_addresses_are_looked_at_as_well_as_names() -> None:
    with forbid_real_llm_calls():
        for host in ("192.0.2.1", "2001:db8::1"):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family) as other, pytest.raises(RealLLMCallForbidden, match=host):
                # Around the guard that this repository's own tests have in `socket.socket`.
                super(socket.socket, other).connect((host, 443))


async def test_servers_on_this_machine_and_scripted_models_go_on() -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    with forbid_real_llm_calls():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b"hello"
        writer.close()
        server.close()
        assert (await ScriptedLLM(["Hi"]).generate(USER)).content == "Hi"


@pytest.mark.allow_blocking("it looks up an address")
def test_guards_nest_and_come_down_with_their_blocks() -> None:
    def look_up() -> list[Any]:
        return socket.getaddrinfo("192.0.2.1", 80)  # a number: nobody is asked

    with forbid_real_llm_calls():
        with forbid_real_llm_calls(allow_loopback=True):
            pass
        with pytest.raises(RealLLMCallForbidden):
            look_up()

    assert look_up()
