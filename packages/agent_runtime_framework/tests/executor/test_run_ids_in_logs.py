"""Which run, conversation and step a log record belongs to."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from agent_runtime_core.logs import configure_logging, reset_logging
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_core.testing.llm import ScriptedReply

LOGGER = logging.getLogger("shop")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged as JSON lines."""
    stream = io.StringIO()
    levels = {name: logging.getLogger(name).level for name in ("agent_runtime_core", "agent_runtime_framework")}
    configure_logging(json=True, stream=stream)
    yield stream
    reset_logging()
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


async def test_records_of_tools_carry_the_ids_of_their_run(signup: SimpleNamespace, log: io.StringIO) -> None:
    # Given: a tool of the user's, that logs in a thread
    class Agent(signup.Agent):  # type: ignore[name-defined]
        async def execute_tool(self, tools: Any, name: str, arguments: dict[str, Any], /) -> Any:
            await asyncio.to_thread(LOGGER.warning, "working")
            return await super().execute_tool(tools, name, arguments)

    script: list[ScriptedReply] = [
        tool_call_reply("save_name", name="Ada"),
        tool_call_reply("save_age", age=36),
        "Done.",
    ]

    # When: two conversations at once
    await asyncio.gather(*(Agent(ScriptedLLM(script)).send(name, "Hi") for name in ("c-1", "c-2")))
    LOGGER.warning("after")

    # Then
    *working, after = lines(log)
    assert sorted((each["conversation_id"], each["step"], each["agent"]) for each in working) == [
        ("c-1", "age", "signup"),
        ("c-1", "name", "signup"),
        ("c-2", "age", "signup"),
        ("c-2", "name", "signup"),
    ]
    assert len({each["run_id"] for each in working}) == 2
    assert not {"run_id", "conversation_id", "step"} & after.keys()


async def test_our_own_records_carry_them_too_and_no_words(signup: SimpleNamespace, log: io.StringIO) -> None:
    await signup.Agent(ScriptedLLM([tool_call_reply("explode"), "Sorry."])).send("c-1", "I am Ada Lovelace")

    (record,) = lines(log)
    assert (record["level"], record["conversation_id"], record["step"]) == ("ERROR", "c-1", "name")
    assert "Lovelace" not in log.getvalue()
