"""Any order of calls on stores, and what a plain model says to each."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from agent_runtime_core.errors import ConversationBusy, LeaseLost, StoreConflict, VersionNotFound
from agent_runtime_core.interfaces import Begun, CheckpointStore, OnBusy, Removal
from agent_runtime_core.stores import InMemoryCheckpointStore, open_store
from tests.store_model import Model, Waiter

__all__ = ["Place", "StoresAgainstModel", "check"]

NAMES = [("", "a"), ("", "b"), ("ada", "a"), ("\ud83d", "\ud83d\0")]
CONVERSATIONS = st.sampled_from([*NAMES[:1] * 4, *NAMES])  # most calls meet in one
AGENTS = st.sampled_from(["sales", "claims"])
MESSAGE_IDS = st.sampled_from(["m1", "m2", "m3", "\ud83d\0"])
TEXT = st.text(st.characters(exclude_categories=()), max_size=5)
OBJECTS = st.dictionaries(TEXT, TEXT | st.integers() | st.lists(TEXT, max_size=2), max_size=2)
MESSAGES = st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": TEXT | st.none()}), max_size=4)
COUNTS = st.none() | st.integers(0, 6)
VERSIONS = st.integers(1, 12)
HOUR = 3600.0

Name = tuple[str, str]


Place = Callable[[], AbstractContextManager[str | CheckpointStore]]
"""The URL of a store in which nothing is, or such a store, as long as the block."""


class StoresAgainstModel(RuleBasedStateMachine):
    """A store in memory and another one, asked the same; the model knows the answer."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.leftovers = ExitStack()
        self.place = self.leftovers.enter_context(place())
        self.runner = self.leftovers.enter_context(asyncio.Runner())
        self.model: dict[Name, Model] = {}
        self.leases: dict[Name, list[int]] = {}  # of the last run, one for each store
        self.stores: list[CheckpointStore] = [InMemoryCheckpointStore(), open_store(self.place)]

    def kept(self, name: Name) -> Model:
        return self.model.get(name) or Model()

    def ask_all(self, ask: Callable[[CheckpointStore, int], Coroutine[Any, Any, Any]]) -> list[Any]:
        return [self.ask(ask(store, number)) for number, store in enumerate(self.stores)]

    def ask(self, call: Coroutine[Any, Any, Any]) -> Any:
        try:
            return self.runner.run(call)
        except LeaseLost as lost:
            return "lost", lost.found_version
        except StoreConflict as conflict:
            return "conflict", conflict.expected_version, conflict.found_version
        except VersionNotFound as missing:
            return "missing", missing.version
        except ConversationBusy:
            return "busy"

    def all_say(self, ask: Callable[[CheckpointStore], Coroutine[Any, Any, Any]], answer: Any) -> None:
        for store, found in zip(self.stores, self.ask_all(lambda store, _: ask(store)), strict=True):
            assert found == answer, store

    @rule(
        name=CONVERSATIONS,
        agent=AGENTS,
        message_id=MESSAGE_IDS,
        on_busy=st.sampled_from(["queue", "merge", "merge", "reject"]),
        remember=st.booleans(),
        count=COUNTS,
    )
    def begin(
        self, name: Name, agent: str, message_id: str, on_busy: OnBusy, remember: bool, count: int | None
    ) -> None:
        kept = self.model.setdefault(name, Model())
        message = {"role": "user", "content": message_id}
        waiter = Waiter(message_id, message, remember, on_busy == "merge")
        answer = kept.begin(waiter, reject=on_busy == "reject")
        found = self.ask_all(
            lambda store, _: store.begin(
                name[1],
                agent,
                message=message,
                message_id=message_id,
                remember=remember,
                lease_seconds=HOUR,
                on_busy=on_busy,
                max_messages=count,
                owner=name[0],
            )
        )
        if isinstance(answer, int):
            self.leases[name] = [each.lease if isinstance(each, Begun) else -1 for each in found]
            found = [(each.placed, each.checkpoint) if isinstance(each, Begun) else each for each in found]
        expected: Any = (answer, kept.checkpoint(agent, count)) if isinstance(answer, int) else answer
        for store, each in zip(self.stores, found, strict=True):
            assert each == expected, store

    @rule(
        name=CONVERSATIONS,
        agent=AGENTS,
        behind=st.sampled_from([None, 0, 0, 0, 1, 5]),
        state=st.none() | OBJECTS,
        messages=MESSAGES,
        in_run=st.booleans(),
        finish=st.none() | OBJECTS,
    )
    def commit(
        self,
        name: Name,
        agent: str,
        behind: int | None,
        state: dict[str, Any] | None,
        messages: list[dict[str, Any]],
        in_run: bool,
        finish: dict[str, Any] | None,
    ) -> None:
        kept, leases = self.kept(name), self.leases.get(name) if in_run else None
        finish = None if leases is None else finish
        expected = None if behind is None else kept.version + behind
        if leases is not None and kept.running is None:
            answer: Any = ("lost", kept.version)
        elif behind:
            answer = ("conflict", expected, kept.version)
        else:
            self.model[name] = kept
            kept.messages += copy.deepcopy(messages)
            if state is not None:
                kept.states[agent] = copy.deepcopy(state)
            if finish is not None:
                kept.finish(copy.deepcopy(finish))
            answer = kept.write(*(() if state is None else (agent,)))
        found = self.ask_all(
            lambda store, number: store.commit(
                name[1],
                agent,
                expected_version=expected,
                state=state,
                messages=messages,
                lease=leases[number] if leases else None,
                finish=finish,
                owner=name[0],
            )
        )
        for store, each in zip(self.stores, found, strict=True):
            assert each == answer, store

    @rule(name=CONVERSATIONS)
    def release(self, name: Name) -> None:
        if name in self.leases:
            self.kept(name).running = None
            self.ask_all(lambda store, number: store.release(name[1], self.leases[name][number], owner=name[0]))

    @rule(name=CONVERSATIONS)
    def renew(self, name: Name) -> None:
        if name in self.leases:
            renewed = self.ask_all(
                lambda store, number: store.renew(name[1], self.leases[name][number], lease_seconds=HOUR, owner=name[0])
            )
            assert set(renewed) == {self.kept(name).running is not None}

    @rule(name=CONVERSATIONS, message_id=MESSAGE_IDS)
    def withdraw(self, name: Name, message_id: str) -> None:
        kept = self.kept(name)
        before = len(kept.line)
        kept.line = [each for each in kept.line if each.message_id != message_id]
        self.all_say(lambda store: store.withdraw(name[1], message_id, owner=name[0]), len(kept.line) < before)

    @rule(name=CONVERSATIONS, version=VERSIONS)
    def rewind(self, name: Name, version: int) -> None:
        kept = self.kept(name)
        if kept.running is not None:
            answer: Any = "busy"
            version = kept.version  # of a run that is on, and of a version that is not there, either may be told
        elif version in kept.snapshots:
            answer = kept.rewind(version)
        else:
            answer = ("missing", version)
        self.all_say(lambda store: store.rewind(name[1], version, owner=name[0]), answer)

    @rule(name=CONVERSATIONS, new_id=st.sampled_from(["a", "b", "c"]), version=st.none() | VERSIONS)
    def fork(self, name: Name, new_id: str, version: int | None) -> None:
        kept, there = self.kept(name), self.model.get((name[0], new_id))
        at = version or kept.version
        if at not in kept.snapshots:
            return
        if there is not None:
            answer: Any = ("conflict", 0, there.version)
        else:
            self.model[name[0], new_id] = kept.fork(at)
            answer = at
        self.all_say(lambda store: store.fork(name[1], new_id, version=version, owner=name[0]), answer)

    @rule(name=CONVERSATIONS, agent=AGENTS)
    def delete_state(self, name: Name, agent: str) -> None:
        kept = self.kept(name)
        there = kept.states.pop(agent, None) is not None
        if there:
            kept.write(agent)
        self.all_say(lambda store: store.delete_state(name[1], agent, owner=name[0]), there)

    @rule(name=CONVERSATIONS)
    def delete_messages(self, name: Name) -> None:
        self.all_say(lambda store: store.delete_messages(name[1], owner=name[0]), self.kept(name).delete_messages())

    @rule(name=CONVERSATIONS)
    def delete(self, name: Name) -> None:
        removal = self.model[name].removal() if name in self.model else Removal()
        self.model.pop(name, None)
        self.all_say(lambda store: store.delete(name[1], owner=name[0]), removal)

    @rule(name=CONVERSATIONS, start=st.integers(0, 6), limit=COUNTS)
    def history(self, name: Name, start: int, limit: int | None) -> None:
        answer = self.kept(name).messages[start : None if limit is None else start + limit]
        self.all_say(lambda store: store.history(name[1], start=start, limit=limit, owner=name[0]), answer)

    @rule(name=CONVERSATIONS, agent=AGENTS, count=COUNTS, version=st.none() | VERSIONS)
    def load(self, name: Name, agent: str, count: int | None, version: int | None) -> None:
        self.expect_load(name, agent, count, version)

    def expect_load(self, name: Name, agent: str, count: int | None, version: int | None) -> None:
        answer = self.kept(name).checkpoint(agent, count, version) or ("missing", version)
        self.all_say(
            lambda store: store.load(name[1], agent, max_messages=count, at_version=version, owner=name[0]), answer
        )

    @rule(after=st.none() | CONVERSATIONS, owner=st.sampled_from([None, "", "ada"]), limit=st.integers(0, 4))
    def conversations(self, after: Name | None, owner: str | None, limit: int) -> None:
        names = sorted(
            name
            for name, kept in self.model.items()
            if kept.version and (after is None or name > after) and owner in (None, name[0])
        )
        answer = [
            (name, kept.version, len(kept.messages), tuple(sorted(kept.states)))
            for name in names[:limit]
            for kept in (self.model[name],)
        ]

        async def listed(store: CheckpointStore) -> Any:
            return [
                ((info.owner, info.conversation_id), info.version, info.message_count, info.agent_keys)
                for info in await store.conversations(owner=owner, after=after, limit=limit)
            ]

        self.all_say(listed, answer)

    @rule()
    def info(self) -> None:
        async def counted(store: CheckpointStore) -> Any:
            info = await store.info()
            return info.conversations, info.messages

        self.all_say(counted, (len(self.model), sum(len(kept.messages) for kept in self.model.values())))

    @rule(name=CONVERSATIONS)
    def versions(self, name: Name) -> None:
        answer = [
            (version, len(snapshot.messages), snapshot.changed)
            for version, snapshot in self.kept(name).snapshots.items()
        ]

        async def listed(store: CheckpointStore) -> Any:
            versions = await store.versions(name[1], owner=name[0])
            return [(each.version, each.message_count, each.agent_keys) for each in versions]

        self.all_say(listed, answer)

    @rule()
    def open_anew(self) -> None:
        self.runner.run(self.stores[1].close())
        self.stores[1] = open_store(self.place)

    @invariant()
    def everything_is_there(self) -> None:
        for name in NAMES:
            self.expect_load(name, "sales", None, None)

    def teardown(self) -> None:
        for store in self.stores:
            self.runner.run(store.close())
        self.leftovers.close()


def check(place: Place) -> None:
    """Try many orders of calls on a store."""
    settings = hypothesis.settings(max_examples=20, stateful_step_count=30)
    factory: Any = lambda: StoresAgainstModel(place)  # noqa: E731 - it is declared as a class, and called only
    run_state_machine_as_test(factory, settings=settings)
