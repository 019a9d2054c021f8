"""What happens to servers, connections and processes does not harm what is stored on Redis."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent_runtime_core.errors import ConfigError, StoreConflict, StoreUnavailable
from agent_runtime_core.interfaces import Answered, Begun, Checkpoint, CheckpointStore
from agent_runtime_core.stores import InMemoryCheckpointStore, open_store
from agent_runtime_core.stores.redis import RedisCheckpointStore
from agent_runtime_core.testing.contracts.turn import LONG, SHORT, begun, begun_at_last, finish, reply, user
from tests.redis_server import connected


class Wire:
    """A server in front of the server: it forwards everything, and breaks connections where it is told."""

    def __init__(self) -> None:
        self.cut = ""  # "request": before it arrives; "reply": after it was carried out
        self.cuts = 0
        self.held = asyncio.Event()
        self.held.set()
        self.serving: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def open(self, redis_url: str) -> AsyncIterator[str]:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.serving.add(asyncio.create_task(self.serve(reader, writer)))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        yield f"redis://127.0.0.1:{port}/0?{redis_url.partition('?')[2]}"
        server.close()
        await asyncio.gather(*self.serving)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server, from_server = None, None
        with contextlib.suppress(ConnectionError):
            from_server, to_server = await asyncio.open_connection("127.0.0.1", 6379)
            while data := await reader.read(2**20):
                await self.held.wait()
                if self.breaks("request", data):
                    break
                to_server.write(data)
                answer = await from_server.read(2**20)
                if self.breaks("reply", data):
                    break
                writer.write(answer)
        for each in (to_server, writer):
            if each is not None:
                each.close()
                with contextlib.suppress(ConnectionError):
                    await each.wait_closed()

    def breaks(self, where: str, data: bytes) -> bool:
        if self.cut != where or b"EVALSHA" not in data:
            return False
        self.cut = ""
        self.cuts += 1
        return True


@pytest.fixture
async def wire() -> Wire:
    return Wire()


@pytest.mark.parametrize("where", ["request", "reply"])
async def test_a_commit_whose_connection_breaks_is_written_once(wire: Wire, redis_url: str, where: str) -> None:
    async with wire.open(redis_url) as url, RedisCheckpointStore(url) as store:
        await store.commit("c", "agent", expected_version=None, messages=[user("a")])

        wire.cut = where
        assert await store.commit("c", "agent", expected_version=1, state={"n": 1}, messages=[user("b")]) == 2
        wire.cut = where
        assert await store.commit("c", "agent", expected_version=None, messages=[user("c")]) == 3

        assert wire.cuts == 2
        assert await store.history("c") == [user("a"), user("b"), user("c")]


@pytest.mark.parametrize("where", ["request", "reply"])
async def test_a_run_goes_on_over_a_broken_connection(wire: Wire, redis_url: str, where: str) -> None:
    async with wire.open(redis_url) as url, RedisCheckpointStore(url) as store:
        await store.load("c", "agent")

        wire.cut = where
        run = await begun(store, "m1")
        assert (run.placed, run.checkpoint.messages) == (1, [user("m1")])
        wire.cut = where
        assert await store.renew("c", run.lease, lease_seconds=LONG) is True
        wire.cut = where
        assert await finish(store, run, [reply("m1")]) == 2
        wire.cut = where
        assert await store.history("c") == [user("m1"), reply("m1")]
        assert wire.cuts == 4


async def test_an_answer_that_is_lost_on_its_way_is_not_forgotten(wire: Wire, redis_url: str) -> None:
    # Given: a message that another run has answered, and whose id need not be remembered
    async with wire.open(redis_url) as url, RedisCheckpointStore(url) as store:
        run = await begun(store, "m1", remember=False)
        await store.release("c", run.lease)
        await finish(store, await begun(store, "m2"), [reply("both")])

        # When
        wire.cut = "reply"
        answer = await store.begin(
            "c", "agent", message=user("m1"), message_id="m1", remember=False, lease_seconds=LONG
        )

        # Then
        assert isinstance(answer, Answered)
        assert wire.cuts == 1


async def test_what_may_have_been_done_is_said_to_be_in_doubt(wire: Wire, redis_url: str) -> None:
    async with wire.open(redis_url) as url, RedisCheckpointStore(url) as store:
        await store.commit("c", "agent", expected_version=0, messages=[user("a")])
        wire.cut = "reply"

        with pytest.raises(StoreUnavailable, match="Whether that was done is not known"):
            await store.delete("c")

        assert await store.load("c", "agent") == Checkpoint()


async def test_who_gets_no_connection_is_told_so(wire: Wire, redis_url: str) -> None:
    async with wire.open(redis_url) as url, RedisCheckpointStore(url, max_connections=1, timeout_s=0.2) as store:
        await store.load("c", "agent")
        wire.held.clear()

        answers = await asyncio.gather(*(store.load("c", "agent") for _ in range(3)), return_exceptions=True)

        wire.held.set()
        assert all(isinstance(answer, StoreUnavailable) for answer in answers)
        assert any("raise max_connections" in str(answer) for answer in answers)
        assert await store.load("c", "agent") == Checkpoint()


async def test_many_calls_share_a_few_connections(redis_url: str) -> None:
    async with RedisCheckpointStore(redis_url, max_connections=3) as store:
        calls = (store.commit("c", "agent", expected_version=None, messages=[user(f"{n}")]) for n in range(200))

        versions = await asyncio.gather(*calls)

    assert sorted(versions) == list(range(1, 201))


async def test_connections_that_the_server_kills_are_replaced(redis_url: str) -> None:
    # Given: a database number of its own tells the store's connections from others
    url = redis_url.replace("/0?", "/13?")
    names = [f"c{n}" for n in range(5)]
    done = dict.fromkeys(names, 0)

    async def talk(store: CheckpointStore, name: str) -> None:
        for n in range(20):
            run = await begun(store, f"m{n}", name)
            await finish(store, run, [reply(f"m{n}")], name)
            done[name] = n + 1

    def kill() -> int:
        ours = [each["id"] for each in client.client_list() if each["db"] == "13" and each["cmd"] == "evalsha"]
        return sum(client.client_kill_filter(_id=each) for each in ours)

    with connected(url) as client:
        client.select(12)
        async with RedisCheckpointStore(url) as store:
            # When
            talking = asyncio.gather(*(talk(store, name) for name in names))
            killed = rounds = 0
            while not talking.done():
                if min(done.values()) >= 2 * rounds:  # a call that was hit has come through since
                    rounds += 1
                    killed += await asyncio.to_thread(kill)
                await asyncio.sleep(0)
            await talking

            # Then
            assert killed
            for name in names:
                order = [each for n in range(20) for each in (user(f"m{n}"), reply(f"m{n}"))]
                assert await store.history(name) == order
                await store.delete(name)
        client.select(13)
        client.unlink(*client.keys(f"{url.partition('key_prefix=')[2]}*"))


async def test_a_server_that_forgets_the_script_gets_it_again(redis_url: str) -> None:
    with connected(redis_url) as client:
        async with RedisCheckpointStore(redis_url) as store:
            for n in range(5):
                client.script_flush()
                assert await store.commit("c", "agent", expected_version=n, messages=[user("a")]) == n + 1


def test_event_loops_at_the_same_time_share_a_store(redis_url: str) -> None:
    store = RedisCheckpointStore(redis_url)
    together = threading.Barrier(3, timeout=60)

    async def talk(name: str) -> None:
        together.wait()
        for n in range(10):
            await asyncio.gather(
                *(store.commit(f"{name}{each}", "agent", expected_version=n, messages=[user(str(n))]) for each in "abc")
            )
            await store.commit("all", "agent", expected_version=None, messages=[user(name)])

    with ThreadPoolExecutor(3) as threads:
        for finished in [threads.submit(asyncio.run, talk(name)) for name in "123"]:
            finished.result(timeout=120)

    async def look() -> None:
        for name in "123":
            for each in "abc":
                assert await store.history(f"{name}{each}") == [user(str(n)) for n in range(10)]
        assert Counter(message["content"] for message in await store.history("all")) == {
            user(name)["content"]: 10 for name in "123"
        }
        await store.close()

    asyncio.run(look())


def test_closing_closes_the_connections_of_other_event_loops(redis_url: str) -> None:
    store = RedisCheckpointStore(redis_url)
    began, ended = threading.Event(), threading.Event()

    async def other() -> None:
        await store.load("c", "agent")
        began.set()
        await asyncio.to_thread(ended.wait, 60)
        with pytest.raises(StoreUnavailable, match="is closed"):
            await store.load("c", "agent")

    async def close() -> None:
        await asyncio.to_thread(began.wait, 60)
        await store.close()
        ended.set()

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(asyncio.run, other())
        asyncio.run(close())
        running.result(timeout=60)


def test_event_loops_one_after_the_other_share_a_store(redis_url: str) -> None:
    store = RedisCheckpointStore(redis_url)

    for n in range(3):
        assert asyncio.run(store.commit("c", "agent", expected_version=n)) == n + 1
    asyncio.run(store.close())


async def test_versions_beyond_those_kept_are_dropped_with_their_states(redis_url: str) -> None:
    async with RedisCheckpointStore(redis_url, keep_versions=3) as store:
        plain = InMemoryCheckpointStore(keep_versions=3)
        for each in (store, plain):
            for n in range(8):
                agent = "sales" if n in (1, 4, 5) else "claims"
                await each.commit("c", agent, expected_version=n, state={"n": n}, messages=[user(f"{n}")])
            await each.rewind("c", 7)
            await each.delete_state("c", "sales")

        kept = [(each.version, each.message_count, each.agent_keys) for each in await store.versions("c")]
        assert kept == [(each.version, each.message_count, each.agent_keys) for each in await plain.versions("c")]
        assert [each[0] for each in kept] == [7, 9, 10]
        for version, _, _ in kept:
            for agent in ("sales", "claims"):
                found = await store.load("c", agent, at_version=version)
                assert found == await plain.load("c", agent, at_version=version)
        with connected(redis_url) as client:
            (key,) = client.keys(f"{redis_url.partition('key_prefix=')[2]}*:state:claims")
            assert client.zcard(key) == 1


async def test_a_lease_does_not_outlast_a_clock_that_is_set_back(redis_url: str) -> None:
    async with RedisCheckpointStore(redis_url) as store:
        await begun(store, "m1", lease_seconds=10.0)
        with connected(redis_url) as client:
            (head,) = client.keys(f"{redis_url.partition('key_prefix=')[2]}*:head")
            client.hincrbyfloat(head, "until", 3600)  # so it looks when the clock was an hour ahead

        assert (await begun(store, "m2")).placed == 1


SENDER = """
import asyncio, sys
from agent_runtime_core.stores.redis import RedisCheckpointStore
from agent_runtime_core.testing.contracts.turn import begun_at_last, reply

async def main(url, name):
    async with RedisCheckpointStore(url) as store:
        for n in range(25):
            run = await begun_at_last(store, f"{name} {n}")
            version = run.checkpoint.version
            version = await store.commit(
                "c", "agent", expected_version=version, messages=[reply(f"{name} {n}")], lease=run.lease
            )
            await store.commit("c", "agent", expected_version=version, state={}, lease=run.lease, finish={})

asyncio.run(main(*sys.argv[1:]))
"""


async def test_two_processes_take_turns(redis_url: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", SENDER, redis_url, name) for name in ("a", "b")
    ]
    assert [await process.wait() for process in processes] == [0, 0]

    async with RedisCheckpointStore(redis_url) as store:
        history = await store.history("c")
        for asked, given in zip(history[::2], history[1::2], strict=True):
            assert given["content"] == asked["content"].replace("this is", "answer to")
        for name in ("a", "b"):
            of_one = [each for each in history[::2] if each["content"].startswith(f"this is {name}")]
            assert of_one == [user(f"{name} {n}") for n in range(25)]
        assert (await store.load("c", "agent", max_messages=0)).version == 150


DYING = """
import asyncio, sys
from agent_runtime_core.stores.redis import RedisCheckpointStore
from agent_runtime_core.testing.contracts.turn import SHORT, begun, reply

async def main(url):
    store = RedisCheckpointStore(url)
    run = await begun(store, "m1", lease_seconds=SHORT)
    await store.commit("c", "agent", expected_version=1, state={"n": 1}, messages=[reply("half")], lease=run.lease)
    print("half", flush=True)
    await asyncio.Event().wait()

asyncio.run(main(sys.argv[1]))
"""


async def test_the_message_of_a_killed_process_is_taken_up_by_another(redis_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DYING, redis_url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"half\n"
    process.kill()
    await process.communicate()

    async with RedisCheckpointStore(redis_url) as store:
        run = await begun_at_last(store, "m1")

        assert (run.placed, run.checkpoint.state) == (0, {"n": 1})
        assert run.checkpoint.messages == [user("m1"), reply("half")]


class OwnServer:
    """A server that a test may stop and kill."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://:se%40cret@127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        settings = "--appendonly yes --appendfsync always --save  --bind 127.0.0.1 --requirepass se@cret".split(" ")
        command = ["redis-server", "--port", str(self.port), "--dir", str(self.directory), *settings]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def own_server(tmp_path: Path, service_missing: Callable[[str, str], None]) -> Iterator[OwnServer]:
    if shutil.which("redis-server") is None:
        service_missing("redis", "there is no redis-server on the path")
    server = OwnServer(tmp_path)
    yield server
    server.kill()


async def at_last(store: CheckpointStore) -> Checkpoint:
    """What is stored, when the server is up."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await store.load("c", "agent")
            except StoreUnavailable:
                await asyncio.sleep(0)


async def test_a_killed_server_has_kept_every_commit(own_server: OwnServer) -> None:
    async with RedisCheckpointStore(own_server.url) as store:
        await at_last(store)
        run = await begun(store, "m1")

        own_server.kill()
        with pytest.raises(StoreUnavailable) as caught:
            await store.commit("c", "agent", expected_version=1, messages=[reply("m1")], lease=run.lease)
        own_server.start()

        # Then: the store that was open goes on, and so does the run
        assert str(caught.value).startswith(f"redis://127.0.0.1:{own_server.port}/0 ")
        assert await at_last(store) == run.checkpoint
        assert await finish(store, run, [reply("m1")]) == 2


async def test_a_server_that_does_not_answer_is_given_up(own_server: OwnServer) -> None:
    async with RedisCheckpointStore(own_server.url, timeout_s=0.3) as store:
        await at_last(store)
        own_server.process.send_signal(signal.SIGSTOP)
        with pytest.raises(StoreUnavailable):
            await store.load("c", "agent")
        own_server.process.send_signal(signal.SIGCONT)

        assert await at_last(store) == Checkpoint()


async def test_a_full_server_writes_nothing_and_says_so(own_server: OwnServer) -> None:
    async with RedisCheckpointStore(own_server.url) as store:
        await at_last(store)
        run = await begun(store, "m1")
        with connected(own_server.url) as client:
            client.config_set("maxmemory", 1)
            with pytest.raises(StoreUnavailable, match=r"has no memory left.* Nothing was written"):
                await store.commit("c", "agent", expected_version=1, messages=[reply("x")], lease=run.lease, finish={})
            client.config_set("maxmemory", 0)

        assert await store.load("c", "agent") == run.checkpoint
        assert await finish(store, run, [reply("m1")]) == 2


async def test_a_wrong_password_is_told_and_not_shown(own_server: OwnServer) -> None:
    async with RedisCheckpointStore(own_server.url) as store:
        await at_last(store)
    wrong = own_server.url.replace("se%40cret", "gue%40ssed")

    async with RedisCheckpointStore(wrong) as store:
        with pytest.raises(StoreUnavailable, match="refuses this user") as caught:
            await store.load("c", "agent")

    assert "ssed" not in f"{caught.value} {caught.value.__cause__}"


async def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"redis://ada:hidden@127.0.0.1:{probe.getsockname()[1]}/3"
    async with RedisCheckpointStore(url) as store:
        with pytest.raises(StoreUnavailable, match="cannot be reached") as caught:
            await store.commit("c", "agent", expected_version=0)

    assert "hidden" not in f"{caught.value} {caught.value.__cause__}"
    assert "Nothing was written" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("redis://:hidden@localhost:port/0", "cannot be read; write it as redis://user:password@host:6379/0"),
        ("redis://localhost/first", "cannot be read"),
        ("redis://hid@den@localhost/0", "cannot be read"),
        ("redis://localhost/0?prefix=x", "redis:// has no option 'prefix'; known are keep_versions, key_prefix"),
        ("redis://localhost/0?ssl_keyfile=x", "redis:// has no option 'ssl_keyfile'"),
        ("redis://localhost/0?keep_versions=x", "keep_versions is 'x'; give a whole number, or 'all'"),
        ("redis://localhost/0?max_connections=many", "max_connections is 'many'; give a whole number"),
        ("redis://localhost/0?max_connections=0", "max_connections is 0; give 1 or more"),
        ("redis://localhost/0?timeout_s=0", "timeout_s is 0.0; give more than 0"),
        ("redis://localhost/0?keep_versions=0", "keep_versions is 0"),
    ],
)
def test_a_wrong_url_is_explained(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_store(url)

    assert sentence in str(caught.value)
    assert "hid" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["redis://", "redis://localhost", "rediss://user:p%23w@host:6380/2?ssl_ca_certs=ca.pem"]
)
def test_a_url_is_a_store_and_connects_to_nothing_yet(url: str) -> None:
    assert isinstance(open_store(url), RedisCheckpointStore)


WITHOUT_REDIS = """
import sys
from agent_runtime_core.errors import MissingDependency
from agent_runtime_core.stores import open_store

assert "redis" not in sys.modules
sys.modules["redis"] = None
try:
    open_store("redis://localhost")
except MissingDependency as missing:
    print(missing)
"""


async def test_without_the_extra_its_name_is_told() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", WITHOUT_REDIS, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()

    assert b"pip install 'agent_runtime_core[redis]'" in output


async def test_a_conversation_that_others_wrote_into_meets_a_conflict(redis_url: str) -> None:
    async with RedisCheckpointStore(redis_url) as one, RedisCheckpointStore(redis_url) as other:
        run = await begun(one, "m1", lease_seconds=SHORT)
        taken = await begun_at_last(other, "m2")

        with pytest.raises(StoreConflict):
            await finish(one, run, [reply("m1")])

        assert isinstance(taken, Begun)
        assert await one.history("c") == [user("m1"), user("m2")]
