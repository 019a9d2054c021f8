"""LangGraph: a graph of a model node and a tool node, kept by its SQLite or Postgres saver.

In its cheapest form: the nodes are plain functions, and the stub is called without a chat model around it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from workload import PROMPTS, Peer, Place, Stub, serve

_TOOLS = {"name": "save_name", "email": "save_email", "done": None}


class Journey(TypedDict, total=False):
    """The graph's state."""

    messages: Annotated[list[AnyMessage], add_messages]
    step: str
    name: str
    email: str


class LangGraph:
    """A compiled graph with a saver."""

    def __init__(self, saver: Any, durability: str) -> None:
        self.stub = Stub()
        self.durability = durability
        graph = StateGraph(Journey)
        graph.add_node("model", self.model)
        graph.add_node("tool", self.tool)
        graph.add_edge(START, "model")
        graph.add_conditional_edges("model", lambda state: "tool" if state["messages"][-1].tool_calls else END)
        graph.add_edge("tool", "model")
        self.graph = graph.compile(checkpointer=saver)

    async def model(self, state: Journey) -> dict[str, Any]:
        """Ask the stub with the prompt of the step."""
        step = state.get("step", "name")
        request = [SystemMessage(PROMPTS[step]), *state["messages"]]
        after_tool = isinstance(request[-1], ToolMessage)
        text, name, arguments = self.stub.answer(after_tool=after_tool, offered=_TOOLS[step])
        if name:
            return {"messages": [AIMessage("", tool_calls=[{"id": text, "name": name, "args": arguments}])]}
        return {"messages": [AIMessage(text)]}

    async def tool(self, state: Journey) -> dict[str, Any]:
        """Run the one call."""
        call = state["messages"][-1].tool_calls[0]
        change = {"step": "email", "name": call["args"]["name"]} if call["name"] == "save_name" else {}
        if call["name"] == "save_email":
            change = {"step": "done", "email": call["args"]["email"]}
        saved = next(iter(call["args"].values()))
        return {**change, "messages": [ToolMessage(f"Saved {saved}.", tool_call_id=call["id"], name=call["name"])]}

    async def send(self, conversation: str, text: str) -> None:
        """One run."""
        config = {"configurable": {"thread_id": conversation}}
        await self.graph.ainvoke({"messages": [HumanMessage(text)]}, config, durability=self.durability)

    async def state(self, conversation: str) -> dict[str, Any]:
        """The stored state."""
        found = await self.graph.aget_state({"configurable": {"thread_id": conversation}})
        return {name: found.values[name] for name in ("step", "name", "email")}


@asynccontextmanager
async def opened(place: Place) -> AsyncIterator[Peer]:
    """The graph on its saver."""
    saver: Any = AsyncPostgresSaver if place.is_postgresql else AsyncSqliteSaver
    async with saver.from_conn_string(place.text) as open_saver:
        await open_saver.setup()
        yield LangGraph(open_saver, place.variant or "async")


if __name__ == "__main__":
    serve(opened)
