"""What hosts rely on: names of events, empty results, and what an agent does when nobody told it otherwise."""

import pytest

from agent_runtime_core.interfaces import AgentRuntime, ErrorInfo, EventType, EventVisibility, RunResult, TraceSink


class Minimal(AgentRuntime):
    key = "minimal"

    async def run(self, ctx):
        return RunResult()


def test_an_event_type_is_its_text():
    assert EventType.RUN_STARTED == "run.started"
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

    with pytest.raises(TypeError, match="abstract"):
        Nothing()


async def test_by_default_cancelling_does_nothing_and_an_error_may_be_tried_again():
    agent = Minimal()

    assert await agent.cancel(None) is None
    assert await agent.on_error(None, OSError("disk full")) == ErrorInfo("OSError", "disk full", retriable=True)


def test_a_sink_need_not_flush():
    class Counting(TraceSink):
        def start_run(self, run_id, metadata): ...

        def log_event(self, run_id, event_type, payload): ...

        def end_run(self, run_id, outcome, metadata=None): ...

    assert Counting().flush() is None
