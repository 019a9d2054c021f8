"""Tools made of functions: plain ones may use the ORM, some get the run's context."""

from __future__ import annotations

import pytest

from agent_runtime_core.interfaces import ToolRegistry
from agent_runtime_core.testing import create_test_context
from django_agent_runtime.models import AgentConversation
from django_agent_runtime.runtime import django_tool, django_tool_with_context

PARAMETERS = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}


@django_tool("begin", "Begin a conversation.", PARAMETERS, has_side_effects=True, metadata={"team": "a"})
def begin(title: str) -> str:
    return AgentConversation.objects.create(title=title).title


@django_tool("count", "Count them.", {"type": "object", "properties": {}})
async def count() -> int:
    return await AgentConversation.objects.acount()


@django_tool_with_context("where", "Say which run it is.", PARAMETERS)
def where(run, title: str) -> str:
    return f"{title} {run.run_id}"


async def test_functions_become_tools_that_use_the_orm(default_alias):
    tools = ToolRegistry()
    tools.register(begin)
    tools.register(count)

    assert await tools.execute("begin", {"title": "A"}) == "A"
    assert await tools.execute("count", {}) == 1


def test_a_tool_knows_what_it_was_made_of():
    assert (begin.name, begin.has_side_effects, begin.requires_confirmation) == ("begin", True, False)
    assert begin.metadata["team"] == "a"
    assert begin.metadata["is_django_tool"] is True
    assert begin.metadata["original_function"].__name__ == "begin"
    assert "requires_context" not in begin.metadata
    assert where.metadata["requires_context"] is True


async def test_the_first_parameter_is_the_context():
    tools = ToolRegistry()
    tools.register(where)
    context = create_test_context("Hello")

    assert await tools.execute("where", {"title": "in"}, context) == f"in {context.run_id}"
    with pytest.raises(ValueError, match="without the context"):
        await tools.execute("where", {"title": "in"})


def test_a_function_without_a_parameter_gets_no_context():
    with pytest.raises(ValueError, match="takes no parameter"):
        django_tool_with_context("bad", "Bad.", {})(lambda: None)
