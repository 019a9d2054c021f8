"""`agent-runtime store check`: whether a journey's code still reads what is stored."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import asdict
from typing import Annotated

import typer

from agent_runtime_core.interfaces import CheckpointStore
from agent_runtime_framework.agents.state_check import StateCheck, check_states
from agent_runtime_framework.cli.failure import FAILED, CommandError
from agent_runtime_framework.cli.store.opening import JSON, StoreURL, counted, print_json, print_line, with_store
from agent_runtime_framework.cli.target import load_agent
from agent_runtime_framework.cli.terminal_text import one_line

__all__ = ["check"]

_LISTED = 20

_WORDS = {
    "fits": "go on as they are",
    "migrates": "go on after a migration, which works",
    "pinned": "go on with the older journey",
    "restarts": "would begin anew",
    "fails": "would fail",
}


def check(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="The agent: module:Agent or path/to/file.py[:Agent].")
    ],
    store: StoreURL,
    owner: Annotated[
        str | None, typer.Option(metavar="OWNER", help="Only conversations of this owner; all without it.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help=f"List all that do not fit, not only the first {_LISTED}.")
    ] = False,
    json: JSON = False,
) -> None:
    """Try every stored state on the journey's present code; exit code 1 when one would fail. Nothing is written."""
    agent = load_agent(target)
    if not agent._reads_with_from_dict:
        raise CommandError(
            f"{type(agent).__name__} reads its states by itself (load_state); they are not checked here."
        )
    counts = dict.fromkeys(_WORDS, 0)
    misfits: list[StateCheck] = []

    async def checked(opened: CheckpointStore) -> None:
        async with aclosing(check_states(agent, opened, owner=owner)) as checks:
            async for each in checks:
                counts[each.outcome] += 1
                if each.reason and (everything or len(misfits) < _LISTED):
                    misfits.append(each)

    with_store(store, checked)
    if json:
        print_json({"agent": agent.key, "version": agent.version, **counts, "misfits": [*map(asdict, misfits)]})
    else:
        _tell(agent.key, agent.version, counts, misfits)
    if counts["fails"]:
        raise typer.Exit(FAILED)


def _tell(agent_key: str, version: int, counts: dict[str, int], misfits: list[StateCheck]) -> None:
    total = sum(counts.values())
    print_line(f"{counted(total, 'conversation')} of {one_line(agent_key)}, whose version is {version}")
    for outcome, words in _WORDS.items():
        if counts[outcome]:
            print_line(f"  {counts[outcome]:,} {words}")
    for each in misfits:
        owner = f"{one_line(each.owner)}/" if each.owner else ""
        step = "" if each.step is None else f", step {one_line(each.step, 60)}"
        where = f"{owner}{one_line(each.conversation_id)}: version {each.state_version}{step}"
        print_line(f"{where}: {one_line(each.reason)}")
    left_out = counts["fails"] + counts["restarts"] - len(misfits)
    if left_out:
        print_line(f"... and {left_out:,} more; --all lists them.")
