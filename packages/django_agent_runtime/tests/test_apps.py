"""Start-up: a process of Django configures the core, finds the agents, and says what is wrong with its settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

PROJECT = """
import django
from django.conf import settings
settings.configure(
    USE_TZ=True,
    SECRET_KEY="of the tests",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "django_agent_runtime"],
    DJANGO_AGENT_RUNTIME={settings},
)
django.setup()
"""

AGENTS = """
from agent_runtime_core import AgentRuntime, RunResult
from django_agent_runtime.runtime.registry import register_runtime

class Echo(AgentRuntime):
    key = "echo"
    async def run(self, ctx):
        return RunResult()

class Louder(Echo):
    loud = True

def register():
    register_runtime(Echo())

def register_louder():
    register_runtime(Louder())

def broken():
    raise RuntimeError("the agents' own fault")
"""


def process(folder: Path, settings: str, program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "agents.py").write_text(AGENTS)
    code = PROJECT.replace("{settings}", settings) + program
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def test_agents_are_found_at_start_up_in_both_spellings(tmp_path):
    done = process(
        tmp_path,
        '{"RUNTIME_REGISTRY": ["agents:register", "agents.register_louder"], "MAX_ITERATIONS": 9}',
        """
from agent_runtime_core import get_config
from django_agent_runtime.runtime.registry import get_runtime, list_runtimes
print(list_runtimes(), get_runtime("echo").loud, get_config().max_iterations)
""",
    )

    assert (done.stdout.strip(), done.stderr) == ("['echo'] True 9", "")


def test_a_broken_function_is_logged_and_the_others_are_called(tmp_path):
    settings = '{"RUNTIME_REGISTRY": ["agents:broken", "no.such:thing", "agents:register"]}'
    program = "from django_agent_runtime.runtime.registry import list_runtimes\nprint(list_runtimes())"

    done = process(tmp_path, settings, program)
    assert done.stdout.strip() == "['echo']"
    assert "no agents come from RUNTIME_REGISTRY entry 'agents:broken'" in done.stderr

    done = process(tmp_path, settings, program, DJANGO_AGENT_RUNTIME_DEBUG="1")
    assert done.returncode == 1
    assert "RuntimeError: the agents' own fault" in done.stderr


def test_settings_that_cannot_be_used_are_told_and_stop_who_needs_them(tmp_path):
    program = """
from django.core.checks import run_checks
print([each.id for each in run_checks()])
from django_agent_runtime.stores import DjangoCheckpointStore
DjangoCheckpointStore()
"""

    done = process(tmp_path, '{"LEASE": 3}', program)

    assert "django_agent_runtime.E001" in done.stdout
    assert done.returncode == 1
    assert "DJANGO_AGENT_RUNTIME cannot be used: DJANGO_AGENT_RUNTIME has no key 'LEASE'" in done.stderr
    assert "UnknownSetting" in done.stderr.splitlines()[-1]


def test_the_package_can_be_imported_before_the_apps_are_loaded(tmp_path):
    program = "import django_agent_runtime as package; print(package.__version__, 'StepCheckpoint' in dir(package))"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "0.3.0 True"


def test_names_of_the_package_are_the_models():
    import django_agent_runtime
    from django_agent_runtime import models

    assert django_agent_runtime.StepCheckpoint is models.StepCheckpoint
    assert django_agent_runtime.StepEvent is models.StepEvent
    assert not hasattr(django_agent_runtime, "Nothing")
