"""The two READMEs that user code was written for: copied faithfully, and their journey arrives."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import agent_runtime_core.llm
from agent_runtime_core import AgentRunner
from agent_runtime_core.registry import unregister_runtime
from agent_runtime_core.testing import ScriptedLLM, tool_call_reply
from agent_runtime_framework import (
    AgentContext,
    AgentMessage,
    BaseJourneyTools,
    LLMExecutor,
    MethodToolExecutor,
    ToolSchema,
    ToolSchemaBuilder,
)
from agent_runtime_framework.executor import ExecutionResult
from tests.django_project.project import set_up
from tests.docs.free_names import free_names_of
from tests.docs.markdown_page import ROOT, Block, Page, seed_texts
from tests.docs.obedient_model import ObedientModel
from tests.docs.page_run import PageRun

set_up()  # the package that the texts register their adapter with lives in a Django project

OLD, NEW = seed_texts()
ORIGINALS = ROOT.parent / "shared" / "seeds"

CONVERSATION = ["Hello!", "I am Ada.", "ada@example.org"]
ANSWERS = {"name": "Ada", "email": "ada@example.org"}
STEPS = ["collect_name", "collect_email", "complete"]

Start = Callable[..., PageRun]

both = pytest.mark.parametrize("page", [OLD, NEW], ids=lambda page: page.path.stem)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Open a text anew, with some of its free names replaced."""
    opened: list[PageRun] = []

    def start(page: Page, **names: Any) -> PageRun:
        opened.append(PageRun(page, tmp_path, {**free_names_of(page), **names}))
        return opened[-1]

    yield start
    for run in opened:
        run.close()


def the_block(page: Page, heading: str) -> Block:
    (block,) = page.section(heading)
    return block


# The quick start arrives, message by message, with a model that only calls what it is offered.


@both
def test_the_quick_start_arrives_when_the_caller_keeps_the_messages(page: Page, start: Start) -> None:
    # Given: the block as it stands, with the first message as its context
    conversation_id = uuid4()
    messages = [AgentMessage("user", CONVERSATION[0])]
    context = AgentContext(uuid4(), conversation_id, messages)
    run = start(page, my_llm_client=ObedientModel(ANSWERS), context=context)
    run.run(the_block(page, "Quick Start"))
    agent, result = run.names["agent"], run.names["result"]
    steps = [result.state["step"]]

    # When: the other messages follow
    for text in CONVERSATION[1:]:
        messages = [*messages, *result.messages, AgentMessage("user", text)]
        result = run.wait_for(agent.run(AgentContext(uuid4(), conversation_id, messages)))
        steps.append(result.state["step"])

    # Then
    assert steps == STEPS
    assert result.state == {"step": "complete", **ANSWERS}


@both
def test_the_quick_start_arrives_when_the_agent_keeps_the_messages(page: Page, start: Start) -> None:
    # Given
    run = start(page)
    run.run(the_block(page, "Quick Start"))
    agent = run.names["OnboardingAgent"](llm_client=ObedientModel(ANSWERS))

    # When
    results = [run.wait_for(agent.send("ada", text)) for text in CONVERSATION]

    # Then
    assert [result.state["step"] for result in results] == STEPS
    assert results[-1].state == {"step": "complete", **ANSWERS}
    assert [message.role for message in run.wait_for(agent.get_history("ada"))] == [
        *("user", "assistant"),
        *("user", "assistant", "tool", "assistant"),
        *("user", "assistant", "tool", "assistant"),
    ]


# What the texts say about their own examples holds.


def process_data(run: PageRun) -> Coroutine[Any, Any, ExecutionResult]:
    """A run in which the model calls the tool of the text with the text's bad data."""
    model = ScriptedLLM([tool_call_reply("process_data", data="abc"), "I need a number."])
    executor = LLMExecutor(model, MethodToolExecutor(run.names["MyTools"](state=None)))
    return executor.run([{"role": "user", "content": "abc"}])


def test_in_debug_mode_the_exception_of_a_tool_propagates(start: Start) -> None:
    # Given
    run = start(NEW)
    run.run(the_block(NEW, "Debug mode catches errors immediately"))

    # Then
    with pytest.raises(ValueError, match=r"^invalid literal for int\(\) with base 10: 'abc'$"):
        run.wait_for(process_data(run))


def test_in_production_mode_the_model_reads_what_went_wrong_and_goes_on(start: Start) -> None:
    # Given
    run = start(NEW)
    run.run(the_block(NEW, "Production mode handles errors gracefully"))

    # When
    result = run.wait_for(process_data(run))

    # Then
    told = "Error executing process_data: invalid literal for int() with base 10: 'abc'"
    assert [message.content for message in result.messages] == [None, told, "I need a number."]


@both
def test_the_prompt_and_the_route_are_those_that_the_text_shows(page: Page, start: Start) -> None:
    # When
    run = start(page)
    run.run(the_block(page, "Prompt Management"))

    # Then
    assert run.names["prompt"] == "Hello Alice! You are at step welcome."
    assert run.names["journey"] is run.names["Journey"].QUOTE


@both
def test_what_the_memory_example_saves_is_there(page: Page, start: Start) -> None:
    # Given
    run = start(page)
    run.run(the_block(page, "Memory Management"))
    manager, conversation_id = run.names["manager"], run.names["conversation_id"]

    # When
    context = run.wait_for(manager.load_context(conversation_id, "my-agent"))

    # Then
    assert context.state == run.names["new_state"]
    assert [message.content for message in context.messages] == ["Hello", "Hello!"]


@both
async def test_the_django_adapter_of_the_text_is_run_by_its_key(page: Page, start: Start, monkeypatch: Any) -> None:
    # Given: the block as it stands, and what it names without having made it
    alone = Page(page.path, f"```python\n{the_block(page, 'Django Integration').text}```\n")

    class MyTools(BaseJourneyTools[Any]):
        async def save_name(self, name: str) -> str:
            self.state.name = name
            await self._notify_state_change()
            return f"Saved {name}."

    free = free_names_of(page)
    step = free["MyStep"].WELCOME
    save_name = ToolSchemaBuilder("save_name").param("name", "string", required=True).build()
    names = {
        "MyTools": MyTools,
        "PROMPTS": {step: "Ask for the name."},
        "TOOLS": {step: [save_name]},
        "ToolSchema": ToolSchema,
    }
    model = ScriptedLLM([tool_call_reply("save_name", name="Grace"), "Hello, Grace!"])
    monkeypatch.setattr(agent_runtime_core.llm, "get_llm_client", lambda: model)

    # When
    PageRun(alone, page.path.parent, {**free, **names}).run(alone.blocks[0])
    try:
        outcome = await AgentRunner().execute("my-agent", input_data={"messages": [{"role": "user", "content": "Hi"}]})
    finally:
        unregister_runtime("my-agent")

    # Then
    assert outcome.final_output == {"response": "Hello, Grace!", "state": {"step": "welcome", "name": "Grace"}}
    assert model.calls[0]["messages"][0] == {"role": "system", "content": "Ask for the name."}


# The copies are faithful; checked where the original texts lie beside the checkout.


@pytest.fixture
def originals() -> tuple[str, str]:
    """The texts of 0.1.0 and of 0.3.0 as they were handed down."""
    if not ORIGINALS.is_dir():
        pytest.skip("the original texts do not lie beside this checkout")
    texts = [path.read_text(encoding="utf-8") for path in sorted(ORIGINALS.glob("*.txt"))]
    (old,) = [text for text in texts if "```python" in text]
    (new,) = [text for text in texts if "```python" not in text]
    return old, new


def test_the_blocks_of_0_1_0_are_the_original_ones(originals: tuple[str, str]) -> None:
    old, _ = originals

    assert [block.text for block in OLD.python] == re.findall(r"^```python\n(.*?)^```$", old, re.DOTALL | re.MULTILINE)


def test_the_blocks_of_0_3_0_hold_the_original_lines_and_leave_none_out(originals: tuple[str, str]) -> None:
    # Given: a text without fences and indentation, in which two emojis are broken
    _, new = originals

    # When: the blocks are cut out of it, one after the other
    rest, position = new, 0
    for block in NEW.python:
        found = re.compile(lines_of(block)).search(rest, position)
        assert found is not None, f"{block.name} is not in the original"
        rest, position = rest[: found.start()] + "\n" + rest[found.end() :], found.start()

    # Then: no code is left
    code = re.compile(r"^(?:from \w|import \w|(?:async )?def |class |@\w+$|return |await |\)|\w+ = ).*$", re.MULTILINE)
    assert code.findall(rest) == []


def lines_of(block: Block) -> str:
    """A pattern for the lines of a block, whatever stands there for indentation and for what is not ASCII."""
    return r"[\s\x80-\uffff]+".join(re.escape(part) for part in re.split(r"[\s\x80-\U0010ffff]+", block.text.strip()))
