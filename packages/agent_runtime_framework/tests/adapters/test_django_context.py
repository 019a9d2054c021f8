"""`DjangoStateStore`: the host is asked until it has given a state, and told each one."""

from __future__ import annotations

from agent_runtime_core.contexts import InMemoryRunContext
from agent_runtime_framework.adapters import DjangoStateStore


class Counting(InMemoryRunContext):
    asked = 0

    async def get_state(self):
        self.asked += 1
        return await super().get_state()


async def test_the_host_is_asked_until_it_has_given_a_state():
    # Given
    ctx = Counting()
    store = DjangoStateStore(ctx, "shop")

    # When
    nothing = await store.load()
    await ctx.checkpoint({"step": "paid"})
    loaded = [await store.load(), await store.load()]

    # Then
    assert nothing is None
    assert loaded == [{"step": "paid"}, {"step": "paid"}]
    assert ctx.asked == 2


async def test_a_saved_state_is_the_hosts_and_is_known_at_once():
    # Given
    ctx = Counting()
    store = DjangoStateStore(ctx, "shop")

    # When
    await store.save({"step": "paid"})

    # Then
    assert await store.load() == {"step": "paid"}
    assert ctx.asked == 0
    assert await ctx.get_state() == {"step": "paid"}
