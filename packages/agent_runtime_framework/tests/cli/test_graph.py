"""`agent-runtime graph`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[4]
CART = f"{ROOT / 'examples' / 'cart.py'}:CartAgent"

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_it_prints_mermaid(agent_runtime: Run) -> None:
    run = agent_runtime("graph", CART)

    assert run.returncode == 0
    assert run.stdout.startswith('flowchart TD\n    s0(["START"])\n')
    assert '    s2 -->|"place_order"| s3\n' in run.stdout
    assert not run.stderr


def test_it_writes_a_picture(agent_runtime: Run, tmp_path: Path) -> None:
    run = agent_runtime("graph", CART, "--svg", "cart.svg")

    assert run.returncode == 0
    assert not run.stdout
    picture = ElementTree.parse(tmp_path / "cart.svg")
    assert "place_order" in {each.text for each in picture.iter()}


def test_it_prints_json(agent_runtime: Run) -> None:
    run = agent_runtime("graph", CART, "--json")

    data = json.loads(run.stdout)
    assert data["start"] == "START"
    assert [each["name"] for each in data["steps"] if each["is_terminal"]] == ["DONE"]


def test_it_marks_the_path_of_a_conversation(agent_runtime: Run) -> None:
    options = ("--store", "sqlite:///c.db", "--conversation", "c")
    talked = agent_runtime("chat", CART, *options, "--provider", "offline", lines=("Hello",))
    assert talked.returncode == 0, talked.stderr

    run = agent_runtime("graph", CART, *options, "--json")

    assert json.loads(run.stdout)["path"] == ["START", "SHOPPING"]
    assert "class s0,s1 taken" in agent_runtime("graph", CART, *options).stdout


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--conversation", "c"], 2, "--store and --conversation belong together"),
        (["--owner", "ada"], 2, "--owner says whose --conversation it is"),
        (["--json", "--svg", "x.svg"], 2, "--json and --svg are two forms of the same"),
        (["--svg", "no/such/folder/x.svg"], 2, "--svg: cannot write no/such/folder/x.svg: No such file or directory."),
        (["--store", "nowhere://", "--conversation", "c"], 2, "--store: "),
        (["--store", "sqlite:///c.db", "--conversation", "c"], 2, "no state of 'cart' in conversation 'c'. Is it"),
        (
            ["--store", "sqlite:///c.db", "--conversation", "c", "--owner", "ada"],
            2,
            "no state of 'cart' in conversation 'c' of 'ada'. Is it",
        ),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(agent_runtime: Run, options: list[str], code: int, told: str) -> None:
    run = agent_runtime("graph", CART, *options)

    assert run.returncode == code
    assert told in " ".join(run.stderr.split())
    assert "Traceback" not in run.stderr
    assert not run.stdout


def test_a_journey_without_a_start_is_told(agent_runtime: Run, tmp_path: Path) -> None:
    (tmp_path / "lost.py").write_text(
        "from examples.cart import CartAgent\n"
        "class Lost(CartAgent):\n"
        "    def get_initial_state(self):\n"
        "        raise LookupError('nobody there')\n",
        encoding="utf-8",
    )

    run = agent_runtime("graph", "lost.py", PYTHONPATH=str(ROOT))

    assert run.returncode == 2
    assert "Lost has no start: get_initial_state() raised LookupError: nobody there." in " ".join(run.stderr.split())
