"""The other names under which users know what a context has, the same for each."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from agent_runtime_core.contexts import FileRunContext, InMemoryRunContext
from agent_runtime_core.interfaces import EventType
from agent_runtime_core.testing import MockRunContext


class Mine(str, Enum):
    HELLO = "my.hello"


@pytest.fixture(params=["memory", "file", "mock"])
def ctx(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "file":
        return FileRunContext(checkpoint_dir=tmp_path)
    return InMemoryRunContext() if request.param == "memory" else MockRunContext()


def test_its_tools_and_whether_it_is_cancelled_have_two_names(ctx: Any) -> None:
    assert ctx.tools is ctx.tool_registry
    assert ctx.is_cancelled() is ctx.cancelled() is False

    ctx.cancel()

    assert ctx.is_cancelled() is ctx.cancelled() is True


@pytest.mark.allow_blocking(reason="it reads the file of the events")
async def test_an_event_is_named_by_any_enum_and_is_told_as_it_was(ctx: Any) -> None:
    payload = {"n": 1}
    await ctx.emit(Mine.HELLO, payload)
    payload["n"] = 2
    await ctx.emit(EventType.CHECKPOINT, {})

    events = ctx.events if isinstance(ctx, InMemoryRunContext) else ctx.get_events()
    told = [event if isinstance(event, tuple) else (event["event_type"], event["payload"]) for event in events]
    assert told == [("my.hello", {"n": 1}), ("state.checkpoint", {})]
