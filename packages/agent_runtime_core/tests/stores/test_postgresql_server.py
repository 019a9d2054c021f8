"""A server of the tests' own: it is restarted in the middle, and it asks for passwords."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agent_runtime_core.errors import StoreUnavailable
from agent_runtime_core.interfaces import Begun
from agent_runtime_core.stores.postgresql import PostgreSQLCheckpointStore, upgrade
from tests.postgresql import ServerMissing, in_thread
from tests.postgresql_server import Server, own_server

USER = {"role": "user", "content": "hello"}
REPLY = {"role": "assistant", "content": "good day"}


@pytest.fixture(scope="module")
def server(service_missing: Callable[[str, str], None]) -> Iterator[Server]:
    """A running server with our tables, for the tests of this file."""
    try:
        with own_server() as server:
            in_thread(upgrade(server.url()))
            yield server
    except ServerMissing as missing:
        service_missing("a PostgreSQL server of the tests' own", str(missing))


async def test_a_wrong_password_is_named_and_not_shown(server: Server) -> None:
    async with PostgreSQLCheckpointStore(server.url("geheim")) as store:
        with pytest.raises(StoreUnavailable, match=r"refuses the password") as caught:
            await store.load("c", "agent")

    assert "geheim" not in str(caught.value) + repr(caught.value.__cause__)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_restart_in_the_middle_of_a_run(server: Server, mode: str) -> None:
    async with PostgreSQLCheckpointStore(server.url(), pool_size=2) as store:
        # Given: a run that has its message stored
        begun = await store.begin(
            mode, "agent", message=USER, message_id="m", remember=True, lease_seconds=600.0, max_messages=0
        )
        assert isinstance(begun, Begun)

        # When: the server stops
        await asyncio.to_thread(server.stop, mode)
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            await store.commit(mode, "agent", expected_version=1, messages=[REPLY], lease=begun.lease)

        # Then: as soon as it is back, the run goes on
        await asyncio.to_thread(server.start)
        assert (
            await store.commit(mode, "agent", expected_version=1, messages=[REPLY], lease=begun.lease, finish={}) == 2
        )
        assert await store.history(mode) == [USER, REPLY]


async def test_conversations_outlive_restarts(server: Server) -> None:
    is_up = asyncio.Event()
    is_up.set()
    async with PostgreSQLCheckpointStore(server.url(), pool_size=4) as store:

        async def persistent(call: Any) -> Any:
            while True:
                try:
                    return await call()
                except StoreUnavailable:
                    await is_up.wait()

        async def talk(name: str) -> None:
            for n in range(60):
                begun = await persistent(
                    lambda n=n: store.begin(
                        name, "agent", message={**USER, "n": n}, message_id=f"m{n}", remember=True, lease_seconds=600.0
                    )
                )
                assert isinstance(begun, Begun)
                version = begun.checkpoint.version
                await persistent(
                    lambda n=n, lease=begun.lease, version=version: store.commit(
                        name, "agent", expected_version=version, messages=[{**REPLY, "n": n}], lease=lease, finish={}
                    )
                )

        names = [f"c{n}" for n in range(4)]
        talking = asyncio.gather(*map(talk, names))
        for _ in range(3):
            is_up.clear()
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
            is_up.set()
        await talking

        for name in names:
            assert await store.history(name) == [{**message, "n": n} for n in range(60) for message in (USER, REPLY)]
