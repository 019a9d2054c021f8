"""A till: the tools that the tests of the executor let a model call, and what has run of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from agent_runtime_framework import CallableToolExecutor, ToolSchemaBuilder


@pytest.fixture
def till() -> SimpleNamespace:
    """`executor`, `schemas` and `ran` (name and arguments of each tool that ran) of a till."""
    ran: list[tuple[str, dict[str, Any]]] = []

    async def add_item(item: str, count: int = 1) -> str:
        ran.append(("add_item", {"item": item, "count": count}))
        return f"Added {count} {item}."

    async def complete_order() -> str:
        ran.append(("complete_order", {}))
        return "Order complete."

    async def explode() -> str:
        ran.append(("explode", {}))
        raise RuntimeError("the till is jammed")

    schemas = [
        ToolSchemaBuilder("add_item")
        .description("Add an item")
        .param("item", "string", "What", required=True)
        .param("count", "integer", "How many")
        .build(),
        ToolSchemaBuilder("complete_order").description("Complete the order").build(),
        ToolSchemaBuilder("explode").description("Fail").build(),
    ]
    executor = CallableToolExecutor({"add_item": add_item, "complete_order": complete_order, "explode": explode})
    return SimpleNamespace(executor=executor, schemas=schemas, ran=ran)
