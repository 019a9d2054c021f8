"""Messages and versions stand in packs: they are read as if each were alone, and take little more than their text."""

from __future__ import annotations

import asyncio
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.errors import StoreError
from agent_runtime_core.interfaces import Begun, CheckpointStore
from agent_runtime_core.stores import InMemoryCheckpointStore
from agent_runtime_core.stores.postgresql import PostgreSQLCheckpointStore
from tests.postgresql import execute

AGENTS = ("agent", "other", "long" * 300)
SIZES = (10, 10, 10, 300, 1_900, 2_100, 9_000)
"""Of the texts: many fit into a pack, one, or none."""


def message(size: int, chance: random.Random) -> dict[str, Any]:
    """A message with a text that does not shrink."""
    return {"role": "user", "content": "".join(chance.choices("0123456789abcdefghijklmnop", k=size))}


async def step(store: CheckpointStore, n: int, chance: random.Random) -> Any:
    """One call; with the same chance it is the same call."""
    name = chance.choice("abc")
    kind = chance.choices(("commit", "run", "rewind", "fork", "state", "messages"), (60, 30, 4, 3, 4, 1))[0]
    agent = chance.choice(AGENTS)
    state = chance.choice([None, message(chance.choice(SIZES), chance)])
    messages = [message(chance.choice(SIZES), chance) for _ in range(chance.choice([0, 1, 2, 12]))]
    at = chance.random()
    if kind == "commit":
        return await store.commit(name, agent, expected_version=None, state=state, state_version=n, messages=messages)
    if kind == "run":
        own = message(chance.choice(SIZES), chance)
        how: dict[str, Any] = {"message": own, "message_id": str(n), "remember": n % 2 == 0, "lease_seconds": 60.0}
        begun = await store.begin(name, agent, max_messages=5, **how)
        assert isinstance(begun, Begun)
        finish = {"n": n} if at < 0.5 else None
        await store.commit(
            name, agent, expected_version=None, state=state, messages=messages, lease=begun.lease, finish=finish
        )
        await store.release(name, begun.lease)
        return begun.checkpoint, await store.begin(name, agent, max_messages=3, **how) if n % 2 == 0 and finish else 0
    if kind == "state":
        return await store.delete_state(name, agent)
    if kind == "messages":
        return await store.delete_messages(name)
    versions = await store.versions(name)
    version = versions[int(at * len(versions))].version if versions else 1
    if kind == "rewind":
        return await store.rewind(name, version)
    return await store.fork(name, f"{name}-{n}", version=version)


async def outcome(store: CheckpointStore, n: int, seed: str) -> Any:
    """What the call gives, or how it fails."""
    try:
        return await step(store, n, random.Random(seed))
    except StoreError as error:
        return type(error), str(error)


@pytest.mark.parametrize("seed", range(4))
async def test_packs_are_read_like_single_rows(postgresql_url: str, seed: int) -> None:
    memory = InMemoryCheckpointStore(keep_versions=20)
    async with PostgreSQLCheckpointStore(postgresql_url, keep_versions=20) as store:
        for n in range(150):
            assert await outcome(store, n, f"{seed}-{n}") == await outcome(memory, n, f"{seed}-{n}")
        infos = await memory.conversations()
        assert await store.conversations() != []
        for info in infos:
            name, count = info.conversation_id, info.message_count
            history = await memory.history(name)
            assert await store.history(name) == history
            for start in range(0, count, max(1, count // 10)):
                assert await store.history(name, start=start, limit=7) == history[start : start + 7]
            versions = await memory.versions(name)
            assert [(each.version, each.message_count, each.agent_keys) for each in await store.versions(name)] == [
                (each.version, each.message_count, each.agent_keys) for each in versions
            ]
            for agent in AGENTS:
                assert await store.load(name, agent, max_messages=3) == await memory.load(name, agent, max_messages=3)
                for version in versions[:: max(1, len(versions) // 5)]:
                    at: dict[str, Any] = {"at_version": version.version, "max_messages": 4}
                    assert await store.load(name, agent, **at) == await memory.load(name, agent, **at)


async def test_full_packs_take_less_than_the_text_that_is_in_them(postgresql_url: str) -> None:
    words = re.findall(r"\S+", (Path(__file__).parents[4] / "README.md").read_text(encoding="utf-8"))
    sentences = [" ".join(words[n : n + 14]) for n in range(len(words) - 14)]
    await asyncio.to_thread(execute, postgresql_url, "VACUUM FULL agent_runtime_messages")
    async with PostgreSQLCheckpointStore(postgresql_url) as store:
        for n in range(500):
            texts = (sentences[2 * n % len(sentences)], sentences[(2 * n + 1) % len(sentences)])
            messages = [{"role": "user", "content": texts[0]}, {"role": "assistant", "content": texts[1]}]
            await store.commit("c", "agent", expected_version=n, messages=messages)
        text = sum(len(json.dumps(each, separators=(",", ":")).encode()) for each in await store.history("c"))

    statement = "SELECT pg_total_relation_size('agent_runtime_messages')"
    ((size,),) = await asyncio.to_thread(execute, postgresql_url, statement)
    assert size < text


async def test_many_messages_at_once_are_packs_of_the_usual_size(postgresql_url: str) -> None:
    messages = [{"role": "user", "content": f"{n}"} for n in range(2_000)]
    async with PostgreSQLCheckpointStore(postgresql_url) as store:
        await store.commit("c", "agent", expected_version=0, messages=messages[:3])
        await store.commit("c", "agent", expected_version=1, messages=messages[3:])

        assert await store.history("c") == messages
        assert (await store.load("c", "agent", max_messages=4)).messages == messages[-4:]
    statement = "SELECT max(cardinality(bodies)) FROM agent_runtime_messages"
    ((longest,),) = await asyncio.to_thread(execute, postgresql_url, statement)
    assert longest < 80
