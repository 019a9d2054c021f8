"""The store inside Django: transactions, test cases, requests side by side, and the face of a conversation."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest
from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async
from django.db import transaction
from django.test import TestCase, TransactionTestCase

from agent_runtime_core.errors import ConfigError, LeaseLost, StoreConflict
from agent_runtime_core.interfaces import Begun, Checkpoint
from django_agent_runtime.models import AgentConversation, AgentRun, Message
from django_agent_runtime.stores import DjangoCheckpointStore, reading
from tests.postgresql import SERVER, execute

HELLO = {"role": "user", "content": "Hello"}
REPLY = {"role": "assistant", "content": "Good day"}


class Undone(Exception):
    pass


def undone(work):
    """Do the work in a transaction that is undone afterwards."""
    with transaction.atomic():
        work()
        raise Undone


class TestInATestCase(TestCase):
    async def test_an_async_test_writes_within_the_transaction_of_its_test_case(self):
        store = DjangoCheckpointStore()
        await store.commit("c", "agent", expected_version=0, state={"n": 1}, messages=[HELLO])

        assert await store.load("c", "agent") == Checkpoint(
            version=1, state={"n": 1}, messages=[HELLO], message_count=1
        )
        assert await AgentConversation.objects.acount() == 1

    def test_the_next_test_finds_nothing_of_it(self):
        assert AgentConversation.objects.count() == 0

    def test_a_transaction_that_is_undone_takes_the_commit_along(self):
        store = DjangoCheckpointStore()
        commit = async_to_sync(store.commit)
        commit("c", "agent", expected_version=0, messages=[HELLO])

        with pytest.raises(Undone):
            undone(lambda: commit("c", "agent", expected_version=1, state={"n": 1}, messages=[REPLY]))

        assert async_to_sync(store.load)("c", "agent") == Checkpoint(version=1, messages=[HELLO], message_count=1)

    def test_a_refused_commit_leaves_the_transaction_around_it_usable(self):
        store = DjangoCheckpointStore()
        with transaction.atomic():
            with pytest.raises(StoreConflict):
                async_to_sync(store.commit)("c", "agent", expected_version=7, messages=[HELLO])
            AgentConversation.objects.create(title="still writes")

        assert [each.title for each in AgentConversation.objects.all()] == ["still writes"]


class TestInATransactionTestCase(TransactionTestCase):
    available_apps = None

    async def test_what_is_committed_is_there(self):
        store = DjangoCheckpointStore()
        await store.commit("c", "agent", expected_version=0, messages=[HELLO])

        assert await store.history("c") == [HELLO]

    def test_an_undone_transaction_leaves_nothing(self):
        commit = async_to_sync(DjangoCheckpointStore().commit)
        with pytest.raises(Undone):
            undone(lambda: commit("c", "agent", expected_version=0, messages=[HELLO]))

        assert AgentConversation.objects.count() == 0


@sync_to_async
def conversation(alias, **columns) -> AgentConversation:
    return AgentConversation.objects.using(alias).create(**columns)


@sync_to_async
def rows(query) -> list:
    return list(query)


async def test_a_row_and_its_conversation_have_one_id(alias):
    # Given: a conversation that a project has begun, and a name that is no UUID
    row = await conversation(alias, agent_key="onboarding", title="A title")
    store = DjangoCheckpointStore(alias)

    # When
    await store.commit(str(row.pk), "onboarding", expected_version=0, messages=[HELLO])
    await store.commit("order 17", "sales", expected_version=0, messages=[HELLO])
    begun = str(uuid4())
    await store.commit(begun, "sales", expected_version=None, messages=[HELLO])
    await store.commit(begun, "sales", expected_version=None, messages=[HELLO], owner="ada")

    # Then
    found = {
        each.store_name: each for each in await rows(AgentConversation.objects.using(alias).filter(store_owner=""))
    }
    assert found[str(row.pk)].pk == row.pk
    assert (found[str(row.pk)].title, found[str(row.pk)].version) == ("A title", 1)
    assert found[begun].pk == UUID(begun)
    assert (found["order 17"].agent_key, found["order 17"].user_id) == ("sales", None)
    assert str(found["order 17"].pk) != "order 17"
    (hers,) = await rows(AgentConversation.objects.using(alias).filter(store_owner="ada"))
    assert hers.pk != UUID(begun)


async def test_an_id_that_a_row_of_another_name_has_is_still_a_name(alias):
    store = DjangoCheckpointStore(alias)
    await store.commit("c", "agent", expected_version=0, messages=[HELLO], owner="ada")
    (hers,) = await rows(AgentConversation.objects.using(alias).all())

    await store.commit(str(hers.pk), "agent", expected_version=0, messages=[REPLY])

    assert await store.history(str(hers.pk)) == [REPLY]
    assert await store.history("c", owner="ada") == [HELLO]


async def test_a_row_nothing_was_said_in_is_version_0_and_can_be_removed(alias):
    store = DjangoCheckpointStore(alias)
    row = await conversation(alias)

    assert await store.load(str(row.pk), "agent") == Checkpoint()
    assert [each.version for each in await store.conversations()] == [0]
    assert (await store.delete(str(row.pk))).conversations == 1


async def test_what_a_run_writes_is_marked_as_its_own(alias):
    store = DjangoCheckpointStore(alias)
    row = await conversation(alias)
    first = await sync_to_async(AgentRun.objects.using(alias).create)(agent_key="a", conversation=row)
    second = await sync_to_async(AgentRun.objects.using(alias).create)(agent_key="a", conversation=row)
    of_another = await sync_to_async(AgentRun.objects.using(alias).create)(agent_key="a")

    async def begin(run, **how):
        message = {"role": "user", "content": str(run.pk)}
        return await store.begin(
            str(row.pk), "a", message=message, message_id=str(run.pk), remember=True, lease_seconds=60.0, **how
        )

    begun = await begin(first)
    await begin(second, on_busy="merge")
    await begin(of_another, on_busy="merge")
    await store.commit(str(row.pk), "a", expected_version=1, state={"n": 1}, lease=begun.lease)
    await store.commit(str(row.pk), "a", expected_version=2, messages=[REPLY], lease=begun.lease, finish={})
    await store.commit(str(row.pk), "a", expected_version=3, messages=[HELLO])
    assert isinstance(await begin(second), Begun)

    messages = await rows(Message.objects.using(alias).filter(conversation=row))
    assert [each.run_id for each in messages] == [first.pk, first.pk, None, second.pk, None]
    assert [(each.seq, each.state) for each in await rows(first.checkpoints.using(alias).all())] == [(2, {"n": 1})]


async def in_a_request(work):
    """As a request under ASGI does it: with a thread, and so a connection, of its own."""
    async with ThreadSensitiveContext():
        try:
            return await work
        finally:
            from django.db import connections

            await sync_to_async(connections.close_all)()


@pytest.mark.allow_blocking("asgiref shuts the thread of a request down at its end")
async def test_of_requests_on_one_version_exactly_one_wins(alias):
    store = DjangoCheckpointStore(alias)
    await store.commit("c", "agent", expected_version=0)

    commits = (store.commit("c", "agent", expected_version=1, messages=[{"n": n}]) for n in range(6))
    outcomes = await asyncio.gather(*map(in_a_request, commits), return_exceptions=True)

    winners = [n for n, outcome in enumerate(outcomes) if outcome == 2]
    assert len(winners) == 1, outcomes
    assert all(isinstance(each, StoreConflict) for each in outcomes if each != 2), outcomes
    assert await store.history("c") == [{"n": winners[0]}]


@pytest.mark.allow_blocking("asgiref shuts the thread of a request down at its end")
async def test_requests_that_begin_the_same_new_conversation_all_write(alias):
    store = DjangoCheckpointStore(alias)
    name = str(uuid4())

    commits = (store.commit(name, "agent", expected_version=None, messages=[{"n": n}]) for n in range(6))
    versions = await asyncio.gather(*map(in_a_request, commits))

    assert sorted(versions) == [1, 2, 3, 4, 5, 6]
    assert sorted(each["n"] for each in await store.history(name)) == [0, 1, 2, 3, 4, 5]


@pytest.mark.allow_blocking("asgiref shuts the thread of a request down at its end")
async def test_of_messages_of_many_requests_each_has_a_run_of_its_own(alias):
    store = DjangoCheckpointStore(alias)

    async def send(name: str) -> None:
        message = {"role": "user", "content": name}
        while True:
            answer = await store.begin(
                "c", "agent", message=message, message_id=name, remember=True, lease_seconds=600.0
            )
            if isinstance(answer, Begun):
                break
        await store.commit(
            "c",
            "agent",
            expected_version=answer.checkpoint.version,
            messages=[{"role": "assistant", "content": name}],
            lease=answer.lease,
            finish={},
        )

    await asyncio.gather(*(in_a_request(send(f"m{n}")) for n in range(4)))

    history = await store.history("c")
    assert len(history) == 8
    for asked, given in zip(history[::2], history[1::2], strict=True):
        assert (asked["role"], given["role"], asked["content"]) == ("user", "assistant", given["content"])


@pytest.mark.allow_blocking("asgiref shuts the thread of a request down at its end")
async def test_a_reader_sees_whole_commits_while_others_rewind(alias):
    store = DjangoCheckpointStore(alias)
    await store.commit("c", "agent", expected_version=0, state={"said": 0})

    async def write() -> None:
        for _ in range(8):
            await store.rewind("c", 1)
            version = (await store.load("c", "agent", max_messages=0)).version
            pair = [{"n": version}, {"n": version}]
            await store.commit("c", "agent", expected_version=version, state={"said": version}, messages=pair)

    writing = asyncio.create_task(in_a_request(write()))
    while not writing.done():
        checkpoint = await store.load("c", "agent")
        assert len(checkpoint.messages) == checkpoint.message_count
        assert {each["n"] for each in checkpoint.messages} <= {(checkpoint.state or {})["said"]}
    await writing


async def test_a_removed_conversation_refuses_its_run(alias):
    store = DjangoCheckpointStore(alias)
    begun = await store.begin("c", "agent", message=HELLO, message_id="m", remember=True, lease_seconds=60.0)
    assert isinstance(begun, Begun)
    await sync_to_async(AgentConversation.objects.using(alias).all().delete)()

    with pytest.raises(LeaseLost):
        await store.commit("c", "agent", expected_version=1, messages=[REPLY], lease=begun.lease)
    assert await store.conversations() == []


async def test_only_so_many_versions_are_kept(alias):
    store = DjangoCheckpointStore(alias, keep_versions=3)
    for n in range(70):
        await store.commit("c", "agent", expected_version=n, state={"n": n})

    assert [each.version for each in await store.versions("c")] == [68, 69, 70]
    assert (await store.load("c", "agent", at_version=68)).state == {"n": 67}
    with pytest.raises(LookupError):
        await store.load("c", "agent", at_version=67)
    row = await sync_to_async(AgentConversation.objects.using(alias).get)()
    assert len(await rows(row.versions.using(alias).all())) < 40
    assert len(await rows(row.checkpoints.using(alias).all())) < 40


def test_at_least_one_version_is_kept():
    with pytest.raises(ConfigError, match="keep_versions is 0"):
        DjangoCheckpointStore(keep_versions=0)


@pytest.mark.allow_blocking("asgiref shuts the thread of a request down at its end")
async def test_what_the_server_undoes_is_done_again(postgresql_alias):
    # Given: a database that undoes transactions rather than let them wait
    from django.db import connections

    store = DjangoCheckpointStore(postgresql_alias)
    await store.commit("c", "agent", expected_version=0)
    name = connections[postgresql_alias].settings_dict["NAME"]
    await sync_to_async(execute)(SERVER, f"ALTER DATABASE {name} SET default_transaction_isolation TO 'serializable'")
    try:
        commits = (store.commit("c", "agent", expected_version=None, messages=[{"n": n}]) for n in range(4))
        versions = await asyncio.gather(*map(in_a_request, commits))
    finally:
        await sync_to_async(execute)(SERVER, f"ALTER DATABASE {name} RESET default_transaction_isolation")

    assert sorted(versions) == [2, 3, 4, 5]
    assert sorted(each["n"] for each in await store.history("c")) == [0, 1, 2, 3]


async def test_a_reader_whom_writers_never_leave_alone_locks_them_out(alias, monkeypatch):
    store = DjangoCheckpointStore(alias)
    await store.commit("c", "agent", expected_version=0, state={"n": 1}, messages=[HELLO])
    monkeypatch.setattr(reading, "TRIES", 0)

    assert await store.load("c", "agent") == Checkpoint(version=1, state={"n": 1}, messages=[HELLO], message_count=1)


async def test_version_0_is_what_was_before_anything(alias):
    store = DjangoCheckpointStore(alias)
    assert await store.load("c", "agent", at_version=0) == Checkpoint()
    await store.commit("c", "agent", expected_version=0)

    with pytest.raises(LookupError):
        await store.load("c", "agent", at_version=0)
