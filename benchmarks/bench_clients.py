"""CPU of our clients beside the bare vendors' SDKs, over loopback: `python benchmarks/bench_clients.py [rounds]`.

Both talk to the same local model server (see tests/aimock), in turn, so that what is compared is the client side only.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from agent_runtime_core.llm.anthropic import AnthropicClient
from agent_runtime_core.llm.openai import OpenAIClient
from agent_runtime_core.llm.resilient import ResilientClient
from tests.aimock.server import ServerMissing, running_server

CALLS = 25
"""Calls of one round of one subject."""

WORDS = 400
"""Words of a reply: of a stream, about as many pieces."""

HISTORY = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}] * 5
QUESTION = [*HISTORY, {"role": "user", "content": "go on"}]
PROMPT = "You are kind."
MESSAGES = [{"role": "system", "content": PROMPT}, *QUESTION]
MODEL = "model"

Call = Callable[[], Awaitable[Any]]


async def drained(stream: Any) -> None:
    """Read a stream to its end."""
    async for _ in stream:
        pass


def subjects(address: str) -> dict[str, dict[str, Call]]:
    """By title: the bare SDK first, then our client, then our client as `get_llm_client` gives it."""
    openai = OpenAIClient("test-key", MODEL, base_url=f"{address}/v1", max_retries=0)
    anthropic = AnthropicClient("test-key", MODEL, base_url=address, max_retries=0)
    chat, messages = openai._client.chat.completions, anthropic._client.messages
    anthropic_request = {"model": MODEL, "messages": QUESTION, "system": PROMPT, "max_tokens": 4096}

    async def bare_openai_stream() -> None:
        await drained(await chat.create(model=MODEL, messages=MESSAGES, stream=True))

    async def bare_anthropic_stream() -> None:
        await drained(await messages.create(**anthropic_request, stream=True))

    def ours(client: Any) -> dict[str, Call]:
        wrapped = ResilientClient(client)
        return {
            "call": lambda: client.generate(MESSAGES),
            "call, resilient": lambda: wrapped.generate(MESSAGES),
            "stream": lambda: drained(client.stream(MESSAGES)),
            "stream, resilient": lambda: drained(wrapped.stream(MESSAGES)),
        }

    def table(name: str, bare_call: Call, bare_stream: Call, client: Any) -> dict[str, dict[str, Call]]:
        own = ours(client)
        return {
            f"{name}, one call": {"SDK": bare_call, "ours": own["call"], "ours, resilient": own["call, resilient"]},
            f"{name}, one stream": {
                "SDK": bare_stream,
                "ours": own["stream"],
                "ours, resilient": own["stream, resilient"],
            },
        }

    return {
        **table("OpenAI", lambda: chat.create(model=MODEL, messages=MESSAGES), bare_openai_stream, openai),
        **table("Anthropic", lambda: messages.create(**anthropic_request), bare_anthropic_stream, anthropic),
    }


async def spent_on(call: Call) -> float:
    """CPU microseconds of a call."""
    start = time.process_time()
    await call()
    return (time.process_time() - start) * 1e6


async def one_round(calls: dict[str, Call]) -> dict[str, float]:
    """Median CPU microseconds of each subject; they take turns call by call, so that all meet the same noise."""
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(CALLS):
        names = list(calls)
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            spent[name].append(await spent_on(calls[name]))
    return {name: statistics.median(values) for name, values in spent.items()}


async def compare(address: str, rounds: int) -> None:
    """Measure all subjects in turn and print medians and ratios."""
    for title, calls in subjects(address).items():
        await one_round(calls)  # warm-up
        figures = [await one_round(calls) for _ in range(rounds)]
        print(f"\n{title}: CPU, {rounds} rounds of {CALLS}\n{'':18}{'us median':>10}{'us min':>10}{'x SDK':>8}")
        for name in calls:
            values = [figure[name] for figure in figures]
            ratio = statistics.median(figure[name] / figure["SDK"] for figure in figures)
            print(f"{name:18}{statistics.median(values):10.0f}{min(values):10.0f}{ratio:8.2f}")


def main() -> None:
    """Start the server and compare."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    fixture = {"match": {"userMessage": "go on"}, "response": {"content": "word " * WORDS}}
    with tempfile.TemporaryDirectory() as folder:
        fixtures = Path(folder) / "fixtures.json"
        fixtures.write_text(json.dumps({"fixtures": [fixture]}))
        try:
            with running_server("--latency", "0", fixtures=fixtures) as address:
                asyncio.run(compare(address, rounds))
        except ServerMissing as error:
            print(f"Not measured, there is no model server: {error}")


if __name__ == "__main__":
    main()
