"""What there is: pages of conversations, what was last written when, and how much it all is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from agent_runtime_core.interfaces import CheckpointStore, ConversationInfo, Removal
from agent_runtime_core.testing.contracts.refusal import refused
from agent_runtime_core.testing.contracts.store_values import IDS
from agent_runtime_core.testing.contracts.turn import begun, finish, reply, user, waiting

__all__ = ["StoreListing"]


def names(infos: list[ConversationInfo]) -> list[tuple[str, str]]:
    """Owner and id of each."""
    return [(info.owner, info.conversation_id) for info in infos]


class StoreListing:
    """The part of the contract about `conversations` and `info`, and what `delete` counts."""

    async def test_an_empty_store_lists_nothing(self, store: CheckpointStore) -> None:
        assert await store.conversations() == []
        assert await store.conversations(owner="ada", updated_before=datetime.now(UTC), after=("", "c")) == []
        info = await store.info()
        assert (info.conversations, info.messages) == (0, 0)
        assert info.backend != ""

    async def test_a_conversation_is_told_without_its_contents(self, store: CheckpointStore) -> None:
        await store.commit("c", "sales", expected_version=0, state={"n": 1}, messages=[user("a")], owner="ada")
        await store.commit("c", "claims", expected_version=1, state={"n": 2}, owner="ada")
        await store.commit("c", "third", expected_version=2, state={"n": 2}, messages=[reply("a")], owner="ada")
        await store.delete_state("c", "third", owner="ada")
        await store.commit("c", "stateless", expected_version=4, owner="ada")

        (info,) = await store.conversations()

        assert (info.owner, info.conversation_id, info.version, info.message_count) == ("ada", "c", 5, 2)
        assert info.agent_keys == ("claims", "sales")
        assert info.created_at <= info.updated_at
        assert (info.created_at.tzinfo, info.updated_at.tzinfo) == (UTC, UTC)
        versions = await store.versions("c", owner="ada")
        assert (info.created_at, info.updated_at) == (versions[0].committed_at, versions[-1].committed_at)
        assert abs(info.updated_at - datetime.now(UTC)) < timedelta(minutes=10)  # by whichever clock

    async def test_conversations_come_in_the_order_of_their_code_points(self, store: CheckpointStore) -> None:
        owners = ("", "b", "B", "a", "aa", "a\0", "ä", "\ud83d", "\uffff", "😀")
        pairs = [(owner, name) for owner in owners for name in IDS[::2]]
        for owner, name in pairs[::-1]:
            await store.commit(name, "agent", expected_version=0, owner=owner)

        found: list[tuple[str, str]] = []
        while page := await store.conversations(after=found[-1] if found else None, limit=17):
            assert len(page) <= 17
            found += names(page)

        assert found == sorted(pairs)
        assert names(await store.conversations(owner="a", limit=1000)) == [("a", name) for name in sorted(IDS[::2])]

    async def test_pages_begin_behind_the_one_before(self, store: CheckpointStore) -> None:
        for owner, name in (("a", "1"), ("a", "2"), ("b", "1"), ("b", "2"), ("b", "3")):
            await store.commit(name, "agent", expected_version=0, owner=owner)

        assert names(await store.conversations(after=("a", "2"), limit=2)) == [("b", "1"), ("b", "2")]
        assert names(await store.conversations(after=("a", "1z"))) == [("a", "2"), ("b", "1"), ("b", "2"), ("b", "3")]
        assert names(await store.conversations(owner="b", after=("b", "2"))) == [("b", "3")]
        assert names(await store.conversations(owner="b", after=("a", "2"), limit=1)) == [("b", "1")]
        assert await store.conversations(owner="a", after=("b", "1")) == []
        assert await store.conversations(after=("b", "3")) == []
        assert await store.conversations(limit=0) == []
        assert len(await store.conversations(limit=10**30)) == 5
        await refused(store.conversations(limit=-1), ValueError)

    async def test_what_was_written_since_is_left_out(self, store: CheckpointStore) -> None:
        # Given: four conversations, one after the other; the first is written to again
        for name in ("a", "b", "c", "d"):
            await self._later(store, name)
        await self._later(store, "a")
        updated = {info.conversation_id: info.updated_at for info in await store.conversations()}

        # Then
        assert names(await store.conversations(updated_before=updated["d"])) == [("", "b"), ("", "c")]
        assert names(await store.conversations(updated_before=updated["d"], limit=1, after=("", "b"))) == [("", "c")]
        assert names(await store.conversations(updated_before=updated["d"], owner="")) == [("", "b"), ("", "c")]
        assert await store.conversations(updated_before=updated["d"], owner="ada") == []
        assert await store.conversations(updated_before=updated["b"]) == []
        hour = timedelta(hours=1)
        assert len(await store.conversations(updated_before=updated["a"] + hour)) == 4
        elsewhere = updated["d"].astimezone(tz=datetime.strptime("+0530", "%z").tzinfo)
        assert names(await store.conversations(updated_before=elsewhere)) == [("", "b"), ("", "c")]

    async def test_a_page_is_full_when_few_are_old(self, store: CheckpointStore) -> None:
        for name in ("a", "z"):
            await self._later(store, name)
        for n in range(30):
            await self._later(store, f"m{n}")
        first_new = (await store.conversations(after=("", "m"), limit=1))[0].updated_at

        assert names(await store.conversations(updated_before=first_new, limit=2)) == [("", "a"), ("", "z")]

    async def _later(self, store: CheckpointStore, name: str) -> None:
        """Commit once the store's clock tells another time than at the commit before."""
        before = max((info.updated_at for info in await store.conversations()), default=None)
        while True:
            await store.commit(name, "agent", expected_version=None)
            infos = await store.conversations()
            mine = next(info.updated_at for info in infos if info.conversation_id == name)
            if before is None or mine > before:
                return

    async def test_every_write_of_a_conversation_is_told(self, store: CheckpointStore) -> None:
        run = await begun(store, "m1")
        await waiting(store, "m2")
        (info,) = await store.conversations()
        assert (info.version, info.message_count, info.agent_keys) == (1, 1, ())
        await finish(store, run, [reply("m1")], state={"n": 1})
        (info,) = await store.conversations()
        assert (info.version, info.message_count, info.agent_keys) == (2, 2, ("agent",))
        await store.delete_messages("c")
        await store.delete_state("c", "agent")
        (info,) = await store.conversations()
        assert (info.version, info.message_count, info.agent_keys) == (4, 0, ())

    async def test_a_store_counts_what_it_holds(self, store: CheckpointStore) -> None:
        await store.commit("a", "agent", expected_version=0, messages=[user("a"), reply("a")], owner="ada")
        await store.commit("b", "agent", expected_version=0, messages=[user("b")], owner="bob")
        await store.fork("a", "copy", owner="ada")
        await begun(store, "m1", "c")
        await waiting(store, "m2", "c")

        info = await store.info()
        assert (info.conversations, info.messages) == (4, 6)
        assert info.size_bytes is None or info.size_bytes > 0

        await store.delete("a", owner="ada")
        await store.delete_messages("b", owner="bob")
        await store.rewind("copy", 1, owner="ada")
        info = await store.info()
        assert (info.conversations, info.messages) == (3, 3)

    async def test_a_removal_counts_everything(self, store: CheckpointStore) -> None:
        for n in range(3):
            await store.commit("c", "sales", expected_version=None, state={"n": n}, messages=[user(f"{n}")])
        await store.commit("c", "claims", expected_version=3, state={})
        await store.commit("c", "third", expected_version=4, state={})
        await store.delete_state("c", "third")
        await begun(store, "m1")
        for name in ("m2", "m3"):
            await waiting(store, name)

        assert await store.delete("c") == Removal(conversations=1, messages=4, states=2, waiting=2)
        assert await store.conversations() == []
        assert await store.delete("c") == Removal()
