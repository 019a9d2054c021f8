"""Importing the framework costs little: nothing heavy is loaded before it is used."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAVY = {
    "alembic",
    "anthropic",
    "asyncpg",
    "dbos",
    "django",
    "fastapi",
    "genai_prices",
    "httpx",
    "httpx2",
    "jsonschema_rs",
    "litellm",
    "openai",
    "opentelemetry",
    "prompt_toolkit",
    "psycopg",
    "pydantic",
    "requests",
    "rich",
    "sqlalchemy",
    "sqlite3",
    "starlette",
    "typer",
}


@pytest.mark.parametrize("name", ["agent_runtime_core", "agent_runtime_framework", "agent_runtime_framework.adapters"])
def test_importing_a_package_loads_nothing_heavy(name: str) -> None:
    # Given: a fresh interpreter, without a coverage tool that would load things of its own
    program = f"import json, sys, {name}; print(json.dumps([*sys.modules]))"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COV")}

    # When
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )

    # Then
    loaded = {module.split(".")[0] for module in json.loads(finished.stdout)}
    assert name.split(".")[0] in loaded
    assert loaded & HEAVY == set()


def test_models_for_tests_need_no_test_runner() -> None:
    program = (
        "import sys; sys.modules['pytest'] = None\n"
        "from agent_runtime_core.testing import ScriptedLLM\n"
        "from agent_runtime_core import MockRunContext\n"
        "print(ScriptedLLM.__name__, MockRunContext.__name__)"
    )

    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert finished.stdout == "ScriptedLLM MockRunContext\n"
