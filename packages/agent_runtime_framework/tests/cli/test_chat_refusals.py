"""What cannot begin ends with one clear line and exit code 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FILES = {
    "syntax.py": "import enum\nclass Broken(:\n    pass\n",
    "raises.py": "import enum\n\nsettings = {}\nname = settings['name']\n",
    "exits.py": "import sys\nsys.exit(3)\n",
    "needs.py": "\nimport a_package_that_nobody_has\n",
    "empty.py": "answer = 42\n\nclass Plain:\n    pass\n",
    "two.py": (
        "from chat_journeys import Onboarding\n"
        "class First(Onboarding):\n    pass\n"
        "class Second(Onboarding):\n    pass\n"
    ),
    "unbuildable.py": (
        "from chat_journeys import Onboarding\n"
        "class Needy(Onboarding):\n"
        "    def __init__(self, backend):\n"
        "        super().__init__()\n"
    ),
    "unfinished.py": (
        "from agent_runtime_framework import JourneyAgent\n"
        "class Sketch(JourneyAgent):\n"
        "    key = 'sketch'\n"
        "    def get_initial_state(self):\n"
        "        return None\n"
    ),
    "stateless.py": (
        "from chat_journeys import Onboarding\n"
        "class Stateless(Onboarding):\n"
        "    def get_initial_state(self):\n"
        "        return self.settings['start']\n"
        "    settings = {}\n"
    ),
    "text.txt": "no code",
}

OFFLINE = ("--provider", "offline")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["nowhere.py"], "there is no file nowhere.py.", id="no file"),
        pytest.param(["./two"], "there is no file ./two. Did you mean ./two.py?", id="suffix forgotten"),
        pytest.param(
            ["two", "--provider", "offline"],
            "two has several agents; say which: two:First, two:Second.",
            id="several in a module",
        ),
        pytest.param(["./"], "./ is a directory. Name a Python file in it, as agent.py:Agent.", id="directory"),
        pytest.param(["./text.txt"], "./text.txt is not a Python file (.py).", id="not Python"),
        pytest.param(
            ["nowhere"], "there is no module 'nowhere', neither in the current directory nor installed.", id="no module"
        ),
        pytest.param(
            ["chat_journeys.deeper"], "there is no module 'chat_journeys.deeper'", id="no such part of a module"
        ),
        pytest.param(["what is this"], "'what is this' is neither a module nor a Python file.", id="no name"),
        pytest.param(
            ["syntax.py"], "syntax.py cannot be imported: syntax.py:2: SyntaxError: invalid syntax", id="syntax"
        ),
        pytest.param(["raises.py"], "raises.py cannot be imported: raises.py:4: KeyError: 'name'", id="raises"),
        pytest.param(["raises"], "raises cannot be imported: raises.py:4: KeyError: 'name'", id="module raises"),
        pytest.param(["exits.py"], "exits.py exits while it is imported (exit code 3).", id="exits"),
        pytest.param(
            ["needs.py"],
            "needs.py:2: ModuleNotFoundError: No module named 'a_package_that_nobody_has'",
            id="missing import",
        ),
        pytest.param(
            ["needs"],
            "needs.py:2: ModuleNotFoundError: No module named 'a_package_that_nobody_has'",
            id="module's missing import",
        ),
        pytest.param(["empty.py"], "there is no JourneyAgent in empty.py.", id="no agent"),
        pytest.param(
            ["empty.py:Plain"],
            "empty.py:Plain is no agent: the class does not derive from JourneyAgent.",
            id="plain class",
        ),
        pytest.param(["empty.py:answer"], "empty.py:answer is no agent: it is a int.", id="number"),
        pytest.param(["two.py"], "two.py has several agents; say which: two.py:First, two.py:Second.", id="several"),
        pytest.param(
            ["two.py:Third"],
            "two.py has no name 'Third'. Agents there: two.py:First, two.py:Second.",
            id="no such name",
        ),
        pytest.param(
            ["empty.py:Third"], "empty.py has no name 'Third'. There is no agent in it.", id="no such name and no agent"
        ),
        pytest.param(
            ["unbuildable.py"],
            "unbuildable.py:Needy cannot be built without arguments: TypeError: ",
            id="needs arguments",
        ),
        pytest.param(
            ["unfinished.py"],
            "unfinished.py:Sketch cannot be built: it does not define create_tools, execute_tool, get_",
            id="abstract",
        ),
        pytest.param(
            ["stateless.py", *OFFLINE],
            "the journey cannot start: stateless.py:4: KeyError: 'start'",
            id="no initial state",
        ),
        pytest.param(
            ["chat_journeys:Onboarding", "--provider", "nobody"], "Unknown LLM provider: nobody.", id="provider"
        ),
        pytest.param(["chat_journeys:Onboarding"], "On this command line: --provider offline.", id="no key"),
        pytest.param(
            ["chat_journeys:Onboarding", *OFFLINE, "--store", "carrier-pigeon://x"], "carrier-pigeon", id="store scheme"
        ),
        pytest.param(
            ["chat_journeys:Onboarding", *OFFLINE, "--store", "journeys.db"], "journeys.db", id="store without scheme"
        ),
        pytest.param(
            ["chat_journeys:Onboarding", *OFFLINE, "--store", "sqlite:////no/such/folder/x.db"],
            "/no/such/folder",
            id="store folder",
        ),
    ],
)
def test_a_chat_that_cannot_begin_says_why_in_one_line(
    agent_runtime, tmp_path: Path, arguments: list[str], told: str
) -> None:
    # Given
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)

    # When
    done = agent_runtime("chat", *arguments, lines=("hello",))

    # Then
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_bad_variable_is_named_without_advice_that_would_not_help(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:Onboarding", lines=("hello",), AGENT_RUNTIME_MAX_RETRIES="many")

    assert done.returncode == 2
    assert done.stderr.startswith("Error: AGENT_RUNTIME_MAX_RETRIES must be a whole number, 0 or more, not 'many'")
    assert done.stderr.endswith("change it or unset it.\n")


@pytest.mark.parametrize("missing", ["typer", "rich", "prompt_toolkit"])
def test_a_missing_extra_is_named(terminal, tmp_path: Path, missing: str) -> None:
    # Given: a Python that does not have the package
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{missing!r}] = None\n")

    # When
    window = terminal("chat", "chat_journeys:scripted", PYTHONPATH=str(tmp_path) + ":" + str(Path(__file__).parent))

    # Then
    assert window.exit_code() == 2
    assert f"Error: agent-runtime needs {missing}, which is not installed." in window.shown
    assert "pip install 'agent_runtime_framework[cli]'" in window.shown
    assert "Traceback" not in window.shown


def test_a_wrong_option_is_refused(agent_runtime) -> None:
    done = agent_runtime("chat", "chat_journeys:scripted", "--colour", "blue")

    assert done.returncode == 2
    assert "No such option: --colour" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_version_and_the_commands_are_told(agent_runtime) -> None:
    assert agent_runtime("--version").stdout.startswith("agent-runtime 0.")
    help_text = agent_runtime("--help").stdout
    assert "chat" in help_text
    assert "--conversation" in agent_runtime("chat", "--help").stdout


def test_the_entry_point_itself_loads_nothing_heavy() -> None:
    code = (
        "import sys, agent_runtime_framework.cli.main\n"
        "print(sorted({'typer', 'rich', 'prompt_toolkit', 'sqlite3', 'pydantic'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "[]"
