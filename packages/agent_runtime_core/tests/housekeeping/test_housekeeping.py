"""Export, erasure and retention, on every store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.errors import StoreUnavailable, VersionNotFound
from agent_runtime_core.housekeeping import (
    each_conversation,
    erase_owner,
    export_conversation,
    export_owner,
    find_conversation,
    prune,
)
from agent_runtime_core.interfaces import Removal
from agent_runtime_core.stores import InMemoryCheckpointStore, open_store


@pytest.fixture(params=["memory", "sqlite", "postgresql", "redis"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "memory":
        url = "memory://"
    elif request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'journeys.db'}"
    else:
        url = request.getfixturevalue(f"{request.param}_url")
    opened = open_store(url)
    yield opened
    await opened.close()


async def write(store: Any, conversation: str, owner: str = "", messages: int = 1, agent: str = "signup") -> None:
    said = [{"role": "user", "content": f"message {number}"} for number in range(messages)]
    await store.commit(
        conversation, agent, expected_version=None, state={"step": "name"}, state_version=2, messages=said, owner=owner
    )


async def names(store: Any, owner: str | None = None) -> list[str]:
    return [info.conversation_id async for info in each_conversation(store, owner=owner, page_size=2)]


async def test_conversations_come_page_by_page(store: Any) -> None:
    for number in range(5):
        await write(store, f"c{number}", owner="ada")
    await write(store, "other", owner="bob")

    assert await names(store, "ada") == ["c0", "c1", "c2", "c3", "c4"]
    assert await names(store) == ["c0", "c1", "c2", "c3", "c4", "other"]
    assert await names(store, "nobody") == []


@pytest.mark.parametrize("name", ["a", "b", "ab", "0", "\x01", "ä", "\ue000", "😀", "a" * 50])
async def test_one_conversation_is_found_by_its_name(name: str, store: Any) -> None:
    for other in (name, f"{name}x", f"x{name}", "aa", "z"):
        await write(store, other, owner="ada")

    info = await find_conversation(store, name, owner="ada")

    assert info is not None
    assert info.conversation_id == name
    assert await find_conversation(store, name, owner="bob") is None
    assert await find_conversation(store, f"{name}-", owner="ada") is None


async def test_an_export_holds_all_that_is_kept_of_a_conversation(store: Any) -> None:
    # Given
    await write(store, "c", owner="ada", messages=3)
    await write(store, "c", owner="ada", messages=2, agent="billing")
    await write(store, "c", owner="bob", messages=1)

    # When
    exported = await export_conversation(store, "c", owner="ada")

    # Then: it is JSON, and says what the store says
    assert exported is not None
    assert json.loads(json.dumps(exported)) == exported
    assert exported["format"] == "agent-runtime-conversation/1"
    assert (exported["owner"], exported["conversation_id"], exported["version"]) == ("ada", "c", 2)
    assert exported["messages"] == await store.history("c", owner="ada")
    state = {"state": {"step": "name"}, "state_version": 2}
    assert exported["states"] == {"billing": state, "signup": state}
    assert [each["version"] for each in exported["versions"]] == [1, 2]
    assert [each["agent_keys"] for each in exported["versions"]] == [["signup"], ["billing"]]
    assert datetime.fromisoformat(exported["created_at"]) <= datetime.fromisoformat(exported["updated_at"])
    assert await export_conversation(store, "c", owner="nobody") is None


async def test_an_owner_is_exported_one_conversation_at_a_time(store: Any) -> None:
    await write(store, "c1", owner="ada")
    await write(store, "c2", owner="ada")
    await write(store, "c3", owner="bob")

    exports = [each["conversation_id"] async for each in export_owner(store, "ada")]

    assert exports == ["c1", "c2"]


async def test_all_of_an_owner_goes_and_nothing_of_another(store: Any) -> None:
    for number in range(3):
        await write(store, f"c{number}", owner="ada", messages=number)
    await write(store, "c0", owner="bob")

    assert await erase_owner(store, "ada") == Removal(conversations=3, messages=3, states=3)

    assert await names(store) == ["c0"]
    assert not await erase_owner(store, "ada")


async def test_what_was_left_alone_for_long_goes(store: Any) -> None:
    await write(store, "c", owner="ada", messages=2)
    await write(store, "d", owner="bob")

    assert await prune(store, older_than=timedelta(days=1)) == Removal()
    assert await prune(store, older_than=datetime(2020, 1, 1, tzinfo=UTC)) == Removal()
    assert await prune(store, older_than=timedelta(), owner="ada", dry_run=True) == Removal(
        conversations=1, messages=2, states=1
    )
    assert await names(store) == ["c", "d"]
    assert await prune(store, older_than=timedelta(), owner="ada") == Removal(conversations=1, messages=2, states=1)
    assert await names(store) == ["d"]


class Interrupted(InMemoryCheckpointStore):
    """A store to which somebody else writes right after a page was read."""

    def __init__(self, *meanwhile: Any) -> None:
        super().__init__()
        self._meanwhile = list(meanwhile)

    async def conversations(self, **options: Any) -> Any:
        page = await super().conversations(**options)
        if page and self._meanwhile:
            await self._meanwhile.pop(0)(self)
        return page


async def test_a_conversation_that_is_written_to_meanwhile_is_not_pruned() -> None:
    store = Interrupted(lambda store: write(store, "c"))
    await write(store, "c")
    await write(store, "d")

    assert await prune(store, older_than=timedelta()) == Removal(conversations=1, messages=1, states=1)

    assert (await store.load("c", "signup")).message_count == 2
    assert (await store.load("d", "signup")).version == 0


async def test_a_conversation_that_goes_meanwhile_is_not_counted() -> None:
    store = Interrupted(lambda store: store.delete("c"))
    await write(store, "c")

    assert await prune(store, older_than=timedelta()) == Removal()


async def test_a_conversation_that_appears_meanwhile_is_erased_too() -> None:
    store = Interrupted(lambda store: write(store, "a-new", "ada"), lambda store: write(store, "a-newer", "ada"))
    await write(store, "c", "ada")

    assert (await erase_owner(store, "ada")).conversations == 3

    assert await names(store) == []


async def test_an_export_is_of_one_moment_while_runs_go_on() -> None:
    store = Interrupted(lambda store: write(store, "c", agent="billing"))
    await write(store, "c")

    exported = await export_conversation(store, "c")

    assert exported is not None
    assert (exported["version"], list(exported["states"])) == (2, ["billing", "signup"])
    assert len(exported["messages"]) == 2


async def test_what_is_removed_before_it_is_exported_is_left_out() -> None:
    store = Interrupted(lambda store: store.delete("c"))
    await write(store, "c", "")
    await write(store, "d", "")

    assert [each["conversation_id"] async for each in export_owner(store, "")] == ["d"]


async def test_a_conversation_that_never_rests_is_an_error() -> None:
    class Restless(InMemoryCheckpointStore):
        async def load(self, *arguments: Any, at_version: int | None = None, **options: Any) -> Any:
            if at_version is not None:
                raise VersionNotFound(arguments[0], at_version)
            return await super().load(*arguments, **options)

    store = Restless()
    await write(store, "c")
    await write(store, "c", agent="billing")

    with pytest.raises(StoreUnavailable, match="'c' is written to so often"):
        await export_conversation(store, "c")


@pytest.mark.parametrize(
    "older_than",
    [timedelta(days=-1), datetime(2020, 1, 1), datetime(9000, 1, 1, tzinfo=UTC), timedelta(days=999_999_999)],
)
async def test_a_time_that_cannot_be_meant_is_refused(older_than: Any) -> None:
    with pytest.raises(ValueError, match="older_than is"):
        await prune(InMemoryCheckpointStore(), older_than=older_than)
