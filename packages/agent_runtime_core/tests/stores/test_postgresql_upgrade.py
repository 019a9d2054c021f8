"""Tables of an earlier version, with conversations in them, are brought up to date whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agent_runtime_core.errors import StoreUnavailable, VersionNotFound
from agent_runtime_core.interfaces import Answered, Begun, Checkpoint
from agent_runtime_core.stores.postgresql import PostgreSQLCheckpointStore, SchemaChange, upgrade
from agent_runtime_core.stores.postgresql.revision import REVISION
from tests.postgresql import ServerMissing, execute, in_thread, new_database

REVISION_0001 = (
    """CREATE TABLE agent_runtime_conversations (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner bytea NOT NULL, id bytea NOT NULL,
        long_owner bytea, long_id bytea, version bigint NOT NULL, message_count bigint NOT NULL,
        created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, lease bigint NOT NULL DEFAULT 0,
        lease_until double precision NOT NULL DEFAULT 0, lease_seconds double precision NOT NULL DEFAULT 0,
        running_id bytea, placed bigint NOT NULL DEFAULT 0, waiting bigint NOT NULL DEFAULT 0,
        token bigint NOT NULL DEFAULT 0,
        CONSTRAINT agent_runtime_conversations_owner_id UNIQUE (owner, id)) WITH (fillfactor = 70)""",
    """CREATE TABLE agent_runtime_messages (
        conversation bigint, position bigint, body bytea NOT NULL, PRIMARY KEY (conversation, position))""",
    """CREATE TABLE agent_runtime_states (
        conversation bigint, version bigint, journey_version bigint NOT NULL, agent bytea, long_agent bytea, body bytea,
        PRIMARY KEY (conversation, agent, version))""",
    """CREATE TABLE agent_runtime_versions (
        conversation bigint, version bigint, message_count bigint NOT NULL, committed_at timestamptz NOT NULL,
        PRIMARY KEY (conversation, version))""",
    """CREATE TABLE agent_runtime_waiting (
        conversation bigint, place bigint GENERATED ALWAYS AS IDENTITY, until double precision NOT NULL,
        seconds double precision NOT NULL, remember boolean NOT NULL, merges boolean NOT NULL,
        message_id bytea NOT NULL, body bytea NOT NULL, PRIMARY KEY (conversation, place))""",
    """CREATE TABLE agent_runtime_receipts (
        conversation bigint, position bigint NOT NULL, end_position bigint, remember boolean NOT NULL,
        message_id bytea, result bytea, PRIMARY KEY (conversation, message_id))""",
    "CREATE INDEX agent_runtime_receipts_open ON agent_runtime_receipts (conversation) WHERE end_position IS NULL",
    "CREATE TABLE agent_runtime_schema (version_num varchar(32) PRIMARY KEY)",
    "INSERT INTO agent_runtime_schema VALUES ('0001')",
)
"""The tables as that revision made them."""

LONG_AGENT = "agent" * 300
CONVERSATIONS = (
    """INSERT INTO agent_runtime_conversations
        (owner, id, version, message_count, created_at, updated_at, running_id, waiting) VALUES
        ('ada', 'talk', 300, 600, '2026-01-01Z', '2026-02-01Z', 'm-open', 1), ('', 'short', 2, 1, now(), now(), NULL, 0)
    """,
    # Two messages and a state with each version; the first 100 versions are gone, up to one state that is still needed.
    """INSERT INTO agent_runtime_messages
        SELECT 1, n, convert_to('{"role":"user","content":"' || n || repeat('.', n % 90) || '"}', 'UTF8')
        FROM generate_series(0, 599) AS n""",
    """INSERT INTO agent_runtime_versions
        SELECT 1, n, 2 * n, '2026-01-01Z'::timestamptz + n * interval '1 hour' FROM generate_series(101, 300) AS n""",
    """INSERT INTO agent_runtime_states
        SELECT 1, n, 7, 'agent', NULL, convert_to('{"n":' || n || '}', 'UTF8') FROM generate_series(101, 299) AS n
        WHERE n % 50 <> 0""",
    f"""INSERT INTO agent_runtime_states VALUES
        (1, 40, 1, 'rare', NULL, '{{"of":40}}'), (1, 150, 1, 'rare', NULL, '{{"of":150}}'),
        (1, 200, 0, 'rare', NULL, NULL),
        (1, 50, 2, convert_to('{LONG_AGENT[:968]}', 'UTF8') || sha256(convert_to('{LONG_AGENT}', 'UTF8')),
            convert_to('{LONG_AGENT}', 'UTF8'), '{{"of":50}}')""",
    'INSERT INTO agent_runtime_messages VALUES (2, 0, \'{"role":"user","content":"\u00e9"}\')',
    "INSERT INTO agent_runtime_versions VALUES (2, 1, 1, now()), (2, 2, 1, now())",
    """INSERT INTO agent_runtime_receipts VALUES
        (1, 590, 594, true, 'm-answered', '{"response":"."}'), (1, 599, NULL, false, 'm-open', NULL)""",
    """INSERT INTO agent_runtime_waiting (conversation, until, seconds, remember, merges, message_id, body)
        VALUES (1, 0, 1, false, false, 'm-waits', '{"role":"user","content":"I wait"}')""",
)
MESSAGES = [{"role": "user", "content": f"{n}{'.' * (n % 90)}"} for n in range(600)]


@pytest.fixture
def old_database(service_missing: Callable[[str, str], None]) -> Iterator[str]:
    """The URL of a database as revision 0001 left it."""
    try:
        with new_database(with_tables=False) as url:
            execute(url, *REVISION_0001, *CONVERSATIONS)
            yield url
    except ServerMissing as missing:
        service_missing("postgresql", str(missing))


def used(url: str, work: Callable[[PostgreSQLCheckpointStore], Any]) -> Any:
    """What the work gives with a store."""

    async def use() -> Any:
        async with PostgreSQLCheckpointStore(url) as store:
            return await work(store)

    return in_thread(use())


async def read_everything(store: PostgreSQLCheckpointStore) -> None:
    """Look at all that was there."""
    assert await store.history("talk", owner="ada") == MESSAGES
    assert await store.history("short") == [{"role": "user", "content": "é"}]
    assert await store.load("talk", "agent", max_messages=3, owner="ada") == Checkpoint(
        version=300, state={"n": 299}, state_version=7, messages=MESSAGES[-3:], message_count=600
    )
    assert (await store.load("talk", "rare", owner="ada")).state is None
    assert (await store.load("talk", LONG_AGENT, owner="ada")).state == {"of": 50}
    for version, rare in ((101, {"of": 40}), (150, {"of": 150}), (199, {"of": 150}), (201, None)):
        before = await store.load("talk", "agent", at_version=version, owner="ada")
        assert before.messages == MESSAGES[: 2 * version]
        assert before.state == {"n": version - (version % 50 == 0)}
        assert (await store.load("talk", "rare", at_version=version, owner="ada")).state == rare
        assert (await store.load("talk", LONG_AGENT, at_version=version, owner="ada")).state_version == 2
    with pytest.raises(VersionNotFound):
        await store.load("talk", "rare", at_version=40, owner="ada")
    versions = await store.versions("talk", owner="ada")
    assert [each.version for each in versions] == [*range(101, 301)]
    assert [each.message_count for each in versions] == [*range(202, 601, 2)]
    assert [each.agent_keys for each in versions[48:50]] == [("agent",), ("rare",)]
    assert versions[24].committed_at.isoformat() == "2026-01-06T05:00:00+00:00"
    assert [(info.conversation_id, info.agent_keys) for info in await store.conversations()] == [
        ("short", ()),
        ("talk", ("agent", LONG_AGENT)),
    ]


def test_conversations_of_the_first_version_are_all_there(old_database: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"has tables of version 0001, .* run `agent-runtime store upgrade"):
        used(old_database, lambda store: store.check())

    assert in_thread(upgrade(old_database)) == SchemaChange(before="0001", after=REVISION)

    used(old_database, read_everything)


def test_conversations_of_the_first_version_go_on(old_database: str) -> None:
    in_thread(upgrade(old_database))

    async def go_on(store: PostgreSQLCheckpointStore) -> None:
        hello = {"role": "user", "content": "hello"}
        how: dict[str, Any] = {"message": hello, "remember": True, "lease_seconds": 60.0, "owner": "ada"}
        answered = await store.begin("talk", "agent", message_id="m-answered", **how)
        assert answered == Answered(version=300, messages=MESSAGES[591:594], result={"response": "."})
        begun = await store.begin("talk", "agent", message_id="m-open", max_messages=1, **how)
        assert isinstance(begun, Begun)
        assert (begun.placed, begun.checkpoint.messages) == (0, MESSAGES[-1:])
        version = await store.commit(
            "talk", "rare", expected_version=300, messages=[hello], state={}, lease=begun.lease, finish={}, owner="ada"
        )
        begun = await store.begin("talk", "agent", message_id="m-waits", max_messages=2, **how)
        assert isinstance(begun, Begun)
        assert begun.checkpoint.messages == [hello, {"role": "user", "content": "I wait"}]
        await store.release("talk", begun.lease, owner="ada")

        assert await store.rewind("talk", 180, owner="ada") == version + 2
        assert await store.history("talk", start=355, owner="ada") == MESSAGES[355:360]
        assert (await store.load("talk", "rare", owner="ada")).state == {"of": 150}
        assert [each.version for each in await store.versions("talk", owner="ada")] == [*range(103, 181), version + 2]

    used(old_database, go_on)


def test_an_upgrade_that_fails_changes_nothing(old_database: str) -> None:
    execute(old_database, "CREATE TABLE agent_runtime_new_versions (stands_in_the_way int)")

    with pytest.raises(StoreUnavailable, match="agent_runtime_new_versions"):
        in_thread(upgrade(old_database))

    execute(old_database, "DROP TABLE agent_runtime_new_versions")
    assert in_thread(upgrade(old_database)) == SchemaChange(before="0001", after=REVISION)
    used(old_database, read_everything)
