"""Any order of calls gives on SQLite what it gives in memory: lines, answers, leases by the clock, kept versions."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agent_runtime_core.errors import StoreError
from agent_runtime_core.interfaces import Begun, CheckpointStore
from agent_runtime_core.stores import InMemoryCheckpointStore, SQLiteCheckpointStore

NAMES = ("a", "b\ud83d", "b\uffff")
CONVERSATIONS = st.sampled_from(NAMES)
OWNERS = st.sampled_from(["", "", "", "ada"])
AGENTS = st.sampled_from(["sales", "claims"])
MESSAGE_IDS = st.sampled_from(["1", "2", "3"])
BEHIND = st.integers(-1, 9)


def asking(method: str, *arguments: Any, **named: Any) -> Callable[[CheckpointStore, int], Coroutine[Any, Any, Any]]:
    """A call of this method, of whichever store."""
    return lambda store, _: getattr(store, method)(*arguments, **named)


class SQLiteAgainstMemory(RuleBasedStateMachine):
    @initialize(keep=st.sampled_from([None, 1, 2, 5]))
    def open(self, keep: int | None) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        self.keep = keep
        self.now = 1_700_000_000.0
        self.memory: CheckpointStore = InMemoryCheckpointStore(keep_versions=keep, clock=lambda: self.now)
        self.sqlite = self.opened()
        self.leases: dict[tuple[str, str], tuple[int, int]] = {}

    def opened(self) -> CheckpointStore:
        path = Path(self.directory.name) / "journeys.db"
        return SQLiteCheckpointStore(path, keep_versions=self.keep, clock=lambda: self.now)

    def both(self, ask: Callable[[CheckpointStore, int], Coroutine[Any, Any, Any]]) -> tuple[Any, Any]:
        """What both say; they have to agree, but for the tokens of leases."""
        answers = []
        for which, store in enumerate((self.memory, self.sqlite)):
            try:
                answers.append(self.runner.run(ask(store, which)))
            except StoreError as error:
                answers.append((type(error), str(error)))
        memory, sqlite = answers
        if isinstance(memory, Begun):
            assert isinstance(sqlite, Begun)
            assert (memory.checkpoint, memory.placed) == (sqlite.checkpoint, sqlite.placed)
        else:
            assert memory == sqlite
        return memory, sqlite

    @rule(
        owner=OWNERS,
        name=CONVERSATIONS,
        agent=AGENTS,
        message_id=MESSAGE_IDS,
        remember=st.booleans(),
        on_busy=st.sampled_from(["queue", "queue", "merge", "reject"]),
        seconds=st.sampled_from([5, 50]),
        window=st.none() | st.integers(0, 3),
    )
    def begin(self, owner: str, name: str, window: int | None, seconds: float, **arguments: Any) -> None:
        agent, message_id = arguments.pop("agent"), arguments["message_id"]
        memory, sqlite = self.both(
            lambda store, _: store.begin(
                name,
                agent,
                message={"role": "user", "id": message_id, "at": self.now},
                lease_seconds=seconds,
                max_messages=window,
                owner=owner,
                **arguments,
            )
        )
        if isinstance(memory, Begun):
            self.leases[owner, name] = (memory.lease, sqlite.lease)

    @rule(
        owner=OWNERS,
        name=CONVERSATIONS,
        agent=AGENTS,
        state=st.none() | st.integers().map(lambda n: {"n": n}),
        count=st.integers(0, 2),
        is_run=st.booleans(),
        is_last=st.booleans(),
        expected=st.sampled_from([None, None, 3]),
    )
    def commit(
        self,
        owner: str,
        name: str,
        agent: str,
        state: dict[str, Any] | None,
        count: int,
        is_run: bool,
        is_last: bool,
        expected: int | None,
    ) -> None:
        leases = self.leases.get((owner, name)) if is_run else None
        self.both(
            lambda store, which: store.commit(
                name,
                agent,
                expected_version=expected,
                state=state,
                state_version=count,
                messages=[{"role": "assistant", "n": n, "at": self.now} for n in range(count)],
                lease=leases[which] if leases else None,
                finish={"at": self.now} if is_last and leases else None,
                owner=owner,
            )
        )

    @rule(
        owner=OWNERS,
        name=CONVERSATIONS,
        agents=st.lists(AGENTS | st.none(), min_size=5, max_size=40),
        behind=st.none() | BEHIND,
    )
    def commit_often(self, owner: str, name: str, agents: list[str | None], behind: int | None) -> None:
        """Old versions go from time to time only: what is told of them must not show it, also behind a rewind."""
        for n, agent in enumerate(agents):
            state = {"n": n} if agent else None
            self.both(asking("commit", name, agent or "sales", expected_version=None, state=state, owner=owner))
        if behind is not None:
            self.now += 100
            self.rewind(owner, name, behind)

    @rule(seconds=st.sampled_from([-100.0, 0.25, 4, 5, 6, 60, 90_000]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(owner=OWNERS, name=CONVERSATIONS, message_id=MESSAGE_IDS)
    def withdraw(self, owner: str, name: str, message_id: str) -> None:
        self.both(lambda store, _: store.withdraw(name, message_id, owner=owner))

    @rule(owner=OWNERS, name=CONVERSATIONS, release=st.booleans())
    def end_or_renew(self, owner: str, name: str, release: bool) -> None:
        leases = self.leases.get((owner, name), (1, 1))
        if release:
            self.both(lambda store, which: store.release(name, leases[which], owner=owner))
        else:
            self.both(lambda store, which: store.renew(name, leases[which], lease_seconds=20, owner=owner))

    def version_of(self, owner: str, name: str, behind: int) -> int:
        return self.runner.run(self.memory.load(name, "sales", max_messages=0, owner=owner)).version - behind

    @rule(owner=OWNERS, name=CONVERSATIONS, behind=BEHIND)
    def go_back_for_good(self, owner: str, name: str, behind: int) -> None:
        self.rewind(owner, name, behind)

    def rewind(self, owner: str, name: str, behind: int) -> None:
        version = self.version_of(owner, name, behind)
        self.both(lambda store, _: store.rewind(name, version, owner=owner))

    @rule(owner=OWNERS, name=CONVERSATIONS, to=CONVERSATIONS, behind=st.none() | BEHIND)
    def fork(self, owner: str, name: str, to: str, behind: int | None) -> None:
        version = None if behind is None else self.version_of(owner, name, behind)
        self.both(lambda store, _: store.fork(name, to, version=version, owner=owner))

    @rule(owner=OWNERS, name=CONVERSATIONS, agent=AGENTS, what=st.sampled_from(["state", "messages", "all"]))
    def delete(self, owner: str, name: str, agent: str, what: str) -> None:
        if what == "state":
            self.both(lambda store, _: store.delete_state(name, agent, owner=owner))
        elif what == "messages":
            self.both(lambda store, _: store.delete_messages(name, owner=owner))
        else:
            self.both(lambda store, _: store.delete(name, owner=owner))

    @rule()
    def open_the_file_anew(self) -> None:
        self.runner.run(self.sqlite.close())
        self.sqlite = self.opened()

    @rule(owner=OWNERS, name=CONVERSATIONS, agent=AGENTS, behind=BEHIND)
    def go_back(self, owner: str, name: str, agent: str, behind: int) -> None:
        version = self.version_of(owner, name, behind)
        self.both(lambda store, _: store.load(name, agent, at_version=version, max_messages=2, owner=owner))

    @rule(
        owner=st.none() | OWNERS,
        after=st.none() | st.tuples(OWNERS, CONVERSATIONS),
        limit=st.integers(0, 4),
        before=st.none() | st.integers(0, 6),
    )
    def page(self, owner: str | None, after: tuple[str, str] | None, limit: int, before: int | None) -> None:
        infos = self.runner.run(self.memory.conversations())
        moment = infos[before].updated_at if before is not None and before < len(infos) else None
        self.both(lambda store, _: store.conversations(owner=owner, after=after, limit=limit, updated_before=moment))

    @invariant()
    def both_hold_the_same(self) -> None:
        if not hasattr(self, "sqlite"):
            return
        infos, _ = self.both(lambda store, _: store.conversations())
        for info in infos:
            name, owner = info.conversation_id, info.owner
            self.both(asking("versions", name, owner=owner))
            for agent in ("sales", "claims"):
                self.both(asking("load", name, agent, owner=owner))

    def teardown(self) -> None:
        if hasattr(self, "sqlite"):
            self.runner.run(self.sqlite.close())
            self.runner.close()
            self.directory.cleanup()


TestSQLiteAgainstMemory = SQLiteAgainstMemory.TestCase
TestSQLiteAgainstMemory.settings = hypothesis.settings(max_examples=25, stateful_step_count=40)
