"""Under another owner the same id is another conversation."""

from __future__ import annotations

from agent_runtime_core.errors import VersionNotFound
from agent_runtime_core.interfaces import Checkpoint, CheckpointStore, Removal
from agent_runtime_core.testing.contracts.refusal import refused
from agent_runtime_core.testing.contracts.store_values import IDS
from agent_runtime_core.testing.contracts.turn import answered, begun, finish, reply, user, waiting

__all__ = ["StoreOwners"]


class StoreOwners:
    """The part of the contract about owners: every call sees those of its owner only."""

    async def test_owners_do_not_see_each_others_conversations(self, store: CheckpointStore) -> None:
        for owner in ("ada", "bob", ""):
            await store.commit(
                "c", "agent", expected_version=0, state={"of": owner}, messages=[user(f"of {owner}")], owner=owner
            )
        await store.commit("c", "agent", expected_version=1, messages=[reply("ada")], owner="ada")

        assert await store.load("c", "agent", owner="ada") == Checkpoint(
            version=2, state={"of": "ada"}, messages=[user("of ada"), reply("ada")], message_count=2
        )
        for owner in ("bob", ""):
            assert await store.load("c", "agent", owner=owner) == Checkpoint(
                version=1, state={"of": owner}, messages=[user(f"of {owner}")], message_count=1
            )
            assert await store.history("c", owner=owner) == [user(f"of {owner}")]
        assert await store.load("c", "agent", owner="eve") == Checkpoint()
        assert [each.version for each in await store.versions("c", owner="ada")] == [1, 2]
        assert [each.version for each in await store.versions("c")] == [1]
        assert await store.versions("c", owner="eve") == []

    async def test_owners_have_runs_and_message_ids_of_their_own(self, store: CheckpointStore) -> None:
        ada = await begun(store, "m1", owner="ada")
        bob = await begun(store, "m1", owner="bob")
        assert await waiting(store, "m2", owner="ada") == 0

        assert await store.withdraw("c", "m2", owner="bob") is False
        await finish(store, ada, [reply("ada")], owner="ada")
        await finish(store, bob, [reply("bob")], owner="bob")

        assert (await answered(store, "m1", owner="ada")).messages == [reply("ada")]
        assert (await answered(store, "m1", owner="bob")).messages == [reply("bob")]
        assert (await begun(store, "m2", owner="ada")).placed == 1
        assert (await begun(store, "m1")).placed == 1

    async def test_deleting_takes_from_its_owner_only(self, store: CheckpointStore) -> None:
        for owner in ("ada", "bob"):
            await store.commit("c", "agent", expected_version=0, state={}, messages=[user(owner)], owner=owner)

        assert await store.delete("c") == Removal()
        assert await store.delete_messages("c") == 0
        assert await store.delete_state("c", "agent") is False
        assert await store.delete("c", owner="ada") == Removal(conversations=1, messages=1, states=1)

        assert [each.owner for each in await store.conversations()] == ["bob"]
        assert await store.delete_state("c", "agent", owner="bob") is True
        assert await store.delete_messages("c", owner="bob") == 1
        assert (await store.load("c", "agent", owner="bob")).version == 3

    async def test_going_back_and_copying_stay_with_the_owner(self, store: CheckpointStore) -> None:
        for owner in ("ada", "bob"):
            await store.commit("c", "agent", expected_version=0, messages=[user(owner)], owner=owner)
            await store.commit("c", "agent", expected_version=1, messages=[reply(owner)], owner=owner)

        await store.rewind("c", 1, owner="ada")
        await store.fork("c", "d", owner="ada")
        await refused(store.rewind("c", 1), VersionNotFound)
        await refused(store.fork("c", "e"), VersionNotFound)
        assert await store.fork("c", "d", owner="bob") == 2  # the id is free with this owner

        assert await store.history("c", owner="ada") == await store.history("d", owner="ada") == [user("ada")]
        assert await store.history("c", owner="bob") == await store.history("d", owner="bob")
        assert await store.history("d") == []

    async def test_any_text_is_an_owner(self, store: CheckpointStore) -> None:
        names = ["", *IDS]
        for owner in names:
            await store.commit(owner or "c", "agent", expected_version=0, messages=[user(owner)], owner=owner)

        for owner in names:
            assert await store.history(owner or "c", owner=owner) == [user(owner)], owner
            (info,) = await store.conversations(owner=owner)
            assert (info.owner, info.conversation_id) == (owner, owner or "c")
        for owner in names:
            assert (await store.delete(owner or "c", owner=owner)).conversations == 1
        assert await store.conversations() == []

    async def test_an_owner_and_an_id_are_not_run_together(self, store: CheckpointStore) -> None:
        pairs = [("ab", "c"), ("a", "bc"), ("", "abc"), ("a:b", "c"), ("a", "b:c"), ("a\0b", "c"), ("a", "\0b\0c")]
        pairs += [("a\0", "c"), ("a", "\0c"), ("c", "a"), ("{a}", "c"), ("a/b", "c"), ("a", "b/c")]
        for owner, name in pairs:
            await store.commit(name, "agent", expected_version=0, messages=[user(f"{owner!r} {name!r}")], owner=owner)

        for owner, name in pairs:
            assert await store.history(name, owner=owner) == [user(f"{owner!r} {name!r}")]
        assert [(each.owner, each.conversation_id) for each in await store.conversations()] == sorted(pairs)
