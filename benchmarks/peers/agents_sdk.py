"""The OpenAI Agents SDK: an agent with two tools, its messages kept by its SQLite or SQLAlchemy session.

The SDK does not keep a run's context, so the journey's state is a row of our own, read before and written after a run.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from agents import (
    Agent,
    Model,
    ModelResponse,
    RunContextWrapper,
    Runner,
    SQLiteSession,
    Usage,
    function_tool,
    set_tracing_disabled,
)
from agents.extensions.memory import SQLAlchemySession
from agents.memory import SessionSettings
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from workload import PROMPTS, Peer, Place, Stub, serve

State = dict[str, Any]
_TABLE = "CREATE TABLE IF NOT EXISTS journey (id text PRIMARY KEY, state text NOT NULL)"
_READ = "SELECT state FROM journey WHERE id = :id"
_WRITE = "INSERT INTO journey VALUES (:id, :state) ON CONFLICT (id) DO UPDATE SET state = :state"


class StubAnswers(Model):  # type: ignore[misc]  # its types are in another environment
    """The stub as the SDK's model."""

    def __init__(self, stub: Stub) -> None:
        self.stub = stub

    async def get_response(
        self, system_instructions: Any, input: Any, model_settings: Any, tools: Any, *args: Any, **options: Any
    ) -> Any:
        """The next reply."""
        after_tool = not isinstance(input, str) and input[-1].get("type") == "function_call_output"
        text, name, arguments = self.stub.answer(after_tool=after_tool, offered=tools[0].name if tools else None)
        item: Any
        if name:
            item = ResponseFunctionToolCall(
                call_id=text, name=name, arguments=json.dumps(arguments), type="function_call", id=text
            )
        else:
            part = ResponseOutputText(text=text, type="output_text", annotations=[])
            item = ResponseOutputMessage(
                id="message", content=[part], role="assistant", status="completed", type="message"
            )
        return ModelResponse(output=[item], usage=Usage(), response_id=None)

    def stream_response(self, *args: Any, **options: Any) -> Any:
        """Not used here."""
        raise NotImplementedError


def _at(step: str) -> Any:
    return lambda wrapper, agent: wrapper.context["step"] == step


@function_tool(is_enabled=_at("name"))  # type: ignore[untyped-decorator]  # see StubAnswers
async def save_name(wrapper: RunContextWrapper[State], name: str) -> str:
    """Save the user's name."""
    wrapper.context.update(name=name, step="email")
    return f"Saved {name}."


@function_tool(is_enabled=_at("email"))  # type: ignore[untyped-decorator]  # see StubAnswers
async def save_email(wrapper: RunContextWrapper[State], email: str) -> str:
    """Save the user's email."""
    wrapper.context.update(email=email, step="done")
    return f"Saved {email}."


class SQLiteRows:
    """Sessions and states in a SQLite file; the states with sqlite3 on one thread."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.thread = ThreadPoolExecutor(1)
        self.connection = self.thread.submit(self._open).result()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(_TABLE)
        return connection

    def session(self, conversation: str, settings: Any) -> Any:
        """The conversation's messages."""
        return SQLiteSession(conversation, self.path, session_settings=settings)

    async def run(self, statement: str, values: dict[str, str]) -> Any:
        """The first row, or None."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.thread, lambda: self.connection.execute(statement, values).fetchone())


class PostgreSQLRows:
    """Sessions and states in a PostgreSQL database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    def session(self, conversation: str, settings: Any) -> Any:
        """The conversation's messages."""
        return SQLAlchemySession(conversation, engine=self.engine, create_tables=True, session_settings=settings)

    async def run(self, statement: str, values: dict[str, str]) -> Any:
        """The first row, or None."""
        async with self.engine.begin() as connection:
            result = await connection.execute(sql(statement), values)
            return result.fetchone() if result.returns_rows else None


class AgentsSDK:
    """An agent and its sessions, made for each run as a stateless server does."""

    def __init__(self, rows: SQLiteRows | PostgreSQLRows, limit: int | None) -> None:
        self.stub = Stub()
        self.rows = rows
        self.settings = None if limit is None else SessionSettings(limit=limit)
        self.agent = Agent(
            name="onboarding",
            instructions=lambda wrapper, agent: PROMPTS[wrapper.context["step"]],
            tools=[save_name, save_email],
            model=StubAnswers(self.stub),
        )

    async def send(self, conversation: str, text: str) -> None:
        """One run."""
        row = await self.rows.run(_READ, {"id": conversation})
        state = {"step": "name", "name": "", "email": ""} if row is None else json.loads(row[0])
        session = self.rows.session(conversation, self.settings)
        await Runner.run(self.agent, text, context=state, session=session)
        await self.rows.run(_WRITE, {"id": conversation, "state": json.dumps(state)})
        if isinstance(session, SQLiteSession):
            session.close()

    async def state(self, conversation: str) -> State:
        """The stored state."""
        state: State = json.loads((await self.rows.run(_READ, {"id": conversation}))[0])
        return state


@asynccontextmanager
async def opened(place: Place) -> AsyncIterator[Peer]:
    """The agent and where its rows are."""
    set_tracing_disabled(True)
    limit = int(place.variant.split()[-1]) if place.variant else None
    if place.is_postgresql:
        engine = create_async_engine(place.text.replace("postgresql://", "postgresql+asyncpg://"))
        async with engine.begin() as connection:
            await connection.execute(sql(_TABLE))
        yield AgentsSDK(PostgreSQLRows(engine), limit)
        await engine.dispose()
    else:
        rows = SQLiteRows(place.text)
        yield AgentsSDK(rows, limit)
        rows.thread.submit(rows.connection.close).result()
        rows.thread.shutdown()


if __name__ == "__main__":
    serve(opened)
