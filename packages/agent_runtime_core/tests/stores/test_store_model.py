"""Any order of calls gives on every store what it gives on a plain dict."""

from __future__ import annotations

import asyncio
import copy
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agent_runtime_core.errors import StoreConflict
from agent_runtime_core.interfaces import Checkpoint, CheckpointStore
from agent_runtime_core.stores import InMemoryCheckpointStore, SQLiteCheckpointStore

CONVERSATIONS = st.sampled_from(["a", "b", "\ud83d"])
AGENTS = st.sampled_from(["sales", "claims"])
TEXT = st.text(st.characters(exclude_categories=()), max_size=5)
STATES = st.none() | st.dictionaries(TEXT, TEXT | st.integers() | st.lists(TEXT, max_size=2), max_size=2)
MESSAGES = st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": TEXT | st.none()}), max_size=4)
COUNTS = st.none() | st.integers(0, 6)


class Model:
    """The contract in a few lines, for one conversation."""

    def __init__(self) -> None:
        self.version = 0
        self.states: dict[str, Any] = {}
        self.messages: list[Any] = []

    def checkpoint(self, agent_key: str, count: int | None) -> Checkpoint:
        return Checkpoint(
            version=self.version,
            state=self.states.get(agent_key),
            messages=self.messages[-count:] if count else ([] if count == 0 else self.messages),
            message_count=len(self.messages),
        )


class StoresAgainstModel(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "journeys.db"
        self.runner = asyncio.Runner()
        self.model: dict[str, Model] = {}
        self.stores: list[CheckpointStore] = [InMemoryCheckpointStore(), SQLiteCheckpointStore(self.path)]

    def all_say(self, ask: Callable[[CheckpointStore], Coroutine[Any, Any, Any]], answer: Any) -> None:
        for store in self.stores:
            try:
                found = self.runner.run(ask(store))
            except StoreConflict as conflict:
                found = (conflict.expected_version, conflict.found_version)
            assert found == answer, store

    @rule(
        name=CONVERSATIONS,
        agent=AGENTS,
        behind=st.sampled_from([None, 0, 0, 0, 1, 5]),
        state=STATES,
        messages=MESSAGES,
    )
    def commit(
        self, name: str, agent: str, behind: int | None, state: dict[str, Any] | None, messages: list[dict[str, Any]]
    ) -> None:
        kept = self.model.get(name) or Model()
        expected = None if behind is None else kept.version + behind
        if behind:
            answer: Any = (expected, kept.version)
        else:
            self.model[name] = kept
            kept.version = answer = kept.version + 1
            kept.messages += copy.deepcopy(messages)
            if state is not None:
                kept.states[agent] = copy.deepcopy(state)
        self.all_say(
            lambda store: store.commit(name, agent, expected_version=expected, state=state, messages=messages), answer
        )

    @rule(name=CONVERSATIONS, agent=AGENTS)
    def delete_state(self, name: str, agent: str) -> None:
        kept = self.model.get(name) or Model()
        there = kept.states.pop(agent, None) is not None
        kept.version += there
        self.all_say(lambda store: store.delete_state(name, agent), there)

    @rule(name=CONVERSATIONS)
    def delete_messages(self, name: str) -> None:
        kept = self.model.get(name) or Model()
        count = len(kept.messages)
        kept.version += count > 0
        kept.messages = []
        self.all_say(lambda store: store.delete_messages(name), count)

    @rule(name=CONVERSATIONS)
    def delete(self, name: str) -> None:
        self.all_say(lambda store: store.delete(name), self.model.pop(name, None) is not None)

    @rule(name=CONVERSATIONS, start=st.integers(0, 6), limit=COUNTS)
    def history(self, name: str, start: int, limit: int | None) -> None:
        messages = (self.model.get(name) or Model()).messages
        answer = messages[start : None if limit is None else start + limit]
        self.all_say(lambda store: store.history(name, start=start, limit=limit), answer)

    @rule(name=CONVERSATIONS, agent=AGENTS, count=COUNTS)
    def load(self, name: str, agent: str, count: int | None) -> None:
        self.expect_load(name, agent, count)

    def expect_load(self, name: str, agent: str, count: int | None) -> None:
        answer = (self.model.get(name) or Model()).checkpoint(agent, count)
        self.all_say(lambda store: store.load(name, agent, max_messages=count), answer)

    @rule()
    def open_the_file_anew(self) -> None:
        self.runner.run(self.stores[1].close())
        self.stores[1] = SQLiteCheckpointStore(self.path)

    @invariant()
    def everything_is_there(self) -> None:
        for name in ("a", "b", "\ud83d"):
            for agent in ("sales", "claims"):
                self.expect_load(name, agent, None)

    def teardown(self) -> None:
        if not hasattr(self, "stores"):
            return
        for store in self.stores:
            self.runner.run(store.close())
        self.runner.close()
        self.directory.cleanup()


TestStoresAgainstModel = StoresAgainstModel.TestCase
TestStoresAgainstModel.settings = hypothesis.settings(max_examples=40, stateful_step_count=25)
