"""The example of killed workers, small: it ends, and its table says that nothing was lost or doubled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nothing_is_lost_and_nothing_doubled(request: pytest.FixtureRequest, kind: str) -> None:
    # Given
    command = [sys.executable, "-m", "examples.durable.chaos", "--people", "3", "--workers", "2", "--kills", "2"]
    if kind == "postgresql":
        command += ["--database", request.getfixturevalue("runs_url")]

    # When
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=240, check=False)

    # Then
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {line.split()[0]: [int(cell) for cell in line.split()[1:]] for line in done.stdout.splitlines()[2:5]}
    assert rows["messages"][0] == rows["messages"][1] >= 9
    assert rows["donations"][0] == rows["donations"][1] >= 3
    assert [row[2:] for row in rows.values()] == [[0, 0]] * 3
    assert "2 workers killed" in done.stdout
