"""What hosts rely on: names of events, empty results, and what an agent does when nobody told it otherwise."""

from typing import cast

import pytest

from agent_runtime_core.interfaces import (
    AgentRuntime,
    ErrorInfo,
    EventType,
    EventVisibility,
    RunContext,
    RunResult,
    TraceSink,
)


class Minimal(AgentRuntime):
    key = "minimal"

    async def run(self, ctx):
        return RunResult()


def test_an_event_type_is_its_text():
    named: dict[str, int] = {"run.started": 1}
    assert named[EventType.RUN_STARTED] == 1
    assert f"{EventType.STEP_RETRYING}" == "step.retrying"
    assert EventType("tool.result") is EventType.TOOL_RESULT
    assert len(EventType) == 18
    assert [visibility.value for visibility in EventVisibility] == ["internal", "debug", "user"]


def test_results_share_nothing():
    first, second = RunResult(), RunResult()
    first.final_output["response"] = "hello"
    first.final_messages.append({"role": "assistant"})

    assert second == RunResult({}, [], {}, {})


def test_an_agent_needs_a_key_and_a_run():
    class Nothing(AgentRuntime):
        pass

    without_methods: type = Nothing
    with pytest.raises(TypeError, match="abstract"):
        without_methods()


async def test_by_default_cancelling_is_fine_and_an_error_may_be_tried_again():
    agent, run = Minimal(), cast(RunContext, object())

    await agent.cancel(run)
    told = await agent.on_error(run, OSError("disk full"))

    assert told == ErrorInfo("OSError", "disk full", retriable=True)


def test_a_sink_need_not_flush():
    class Counting(TraceSink):
        def start_run(self, run_id, metadata): ...

        def log_event(self, run_id, event_type, payload): ...

        def end_run(self, run_id, outcome, metadata=None): ...

    Counting().flush()

    assert Counting.flush is TraceSink.flush
