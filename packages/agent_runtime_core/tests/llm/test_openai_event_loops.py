"""One OpenAI client in several event loops, as scripts and synchronous hosts use it."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agent_runtime_core.llm.openai import OpenAIClient

USER = {"role": "user", "content": "Hello"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open, or there would be nothing to carry over

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
        body = json.dumps({"choices": [choice], "model": "m"}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def base_url() -> Iterator[str]:
    """A server that outlives the event loops."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()
        thread.join()


def test_a_client_works_in_one_event_loop_after_another(base_url):
    client = OpenAIClient(base_url=base_url, max_retries=0)

    async def ask() -> str:
        async with client:
            return (await client.generate([USER])).content

    assert [asyncio.run(ask()) for _ in range(3)] == ["Hi", "Hi", "Hi"]


def test_closing_in_one_loop_leaves_the_others_open(base_url):
    # Given a client that is in use in two loops
    client = OpenAIClient(base_url=base_url, max_retries=0)

    async def ask() -> str:
        return (await client.generate([USER])).content

    with asyncio.Runner() as one, asyncio.Runner() as two:
        assert (one.run(ask()), two.run(ask())) == ("Hi", "Hi")

        # When it is closed in one of them
        two.run(client.close())

        # Then the other goes on
        assert one.run(ask()) == "Hi"
        one.run(client.close())
