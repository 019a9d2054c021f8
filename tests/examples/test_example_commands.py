"""The examples from the command line: the demonstration, and every journey in a chat."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONVERSATIONS = {
    "onboarding": ("Ada", "ada@example.org"),
    "quick_start": ("Ada", "ada@example.org"),
    "insurance_quote": ("hi", "car", "Toyota 2019", "yes"),
    "cart": ("hi", "two apples", "that's all", "yes"),
    "order_lookup": ("hi", "A-1001", "yes", "yes"),
}
SEED_STYLE = ("onboarding", "insurance_quote", "cart", "order_lookup")


def test_every_journey_is_written_in_both_styles():
    files = {path.stem for path in (ROOT / "examples/seed_style").glob("*.py")}

    assert files == set(SEED_STYLE)
    assert files <= {path.stem for path in (ROOT / "examples").glob("*.py")}


def run(directory: Path, *command: str, lines: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run a command there, as the user of a terminal without any configuration."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AGENT_RUNTIME_")}
    return subprocess.run(
        command,
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        encoding="utf-8",
        cwd=directory,
        env={**environment, "PYTHONIOENCODING": "utf-8"},
        timeout=60,
        check=False,
    )


def test_the_demonstration_tells_how_to_open_its_conversation_again(tmp_path: Path):
    # When
    demo = run(tmp_path, sys.executable, str(ROOT / "examples/demo.py"))
    again = shlex.split(demo.stdout.splitlines()[-1])
    opened = run(tmp_path, *again)

    # Then
    assert demo.returncode == 0, demo.stderr
    assert "rules, no AI" in demo.stdout
    assert "> Sorry, my name is Ada." in demo.stdout
    assert "change_answer(field='name') ✓" in demo.stdout
    assert "save_name(name='Ada') ✓" in demo.stdout
    assert "✓ welcome → ✓ name → ● email → ○ done" in demo.stdout
    assert "Saved in sqlite:///demo.db. Open it again:" in demo.stdout
    assert again[-2:] == ["--provider", "offline"]
    assert (tmp_path / "demo.db").is_file()
    assert opened.returncode == 0, opened.stderr
    assert "You are all set, Ada." in opened.stdout
    assert "✓ welcome → ✓ name → ✓ email → ✓ done" in opened.stdout


def test_each_demonstration_is_a_conversation_of_its_own(tmp_path: Path):
    # When
    runs = [run(tmp_path, sys.executable, str(ROOT / "examples/demo.py")).stdout for _ in range(2)]

    # Then
    ids = [output.split("--conversation ")[1].split()[0] for output in runs]
    assert len(set(ids)) == 2
    assert runs[0].replace(ids[0], "ID") == runs[1].replace(ids[1], "ID")


def test_the_demonstration_says_in_one_line_that_it_cannot_save(tmp_path: Path):
    # When
    demo = run(tmp_path, sys.executable, str(ROOT / "examples/demo.py"), "sqlite:///missing/demo.db")

    # Then
    assert demo.returncode == 2
    assert demo.stderr.startswith("Error: ")
    assert len(demo.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", [*CONVERSATIONS, *(f"seed_style/{name}" for name in SEED_STYLE)])
def test_every_journey_arrives_in_a_piped_chat(tmp_path: Path, name: str):
    # Given
    chat = [sys.executable, "-m", "agent_runtime_framework.cli", "chat", str(ROOT / f"examples/{name}.py")]

    # When
    done = run(tmp_path, *chat, "--provider", "offline", lines=CONVERSATIONS[Path(name).name])

    # Then
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("The journey is complete.") == 1
