"""The repository speaks of the project alone: no machine, no registry, no editor's leftovers."""

from __future__ import annotations

import re
from pathlib import Path

# The patterns are put together here, so that this file does not contain what it looks for.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("conda", "anaconda", "org"),
    )
]
MACHINE_PATH = re.compile(r"(?<![\w.~<}/-])/(?:root|home|Users|work|opt)/\w" + r"|[A-Z]:\\Users\\")


def lines_that_match(files: list[Path], root: Path, pattern: re.Pattern[str]) -> list[str]:
    found: list[str] = []
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        found += (
            f"{path.relative_to(root)}:{number}: {line.strip()}"
            for number, line in enumerate(text.splitlines(), start=1)
            if pattern.search(line)
        )
    return found


def test_no_file_names_a_package_registry(tracked_files: list[Path], root: Path) -> None:
    registries = re.compile("|".join(map(re.escape, REGISTRIES)))

    assert lines_that_match(tracked_files, root, registries) == []


def test_no_file_names_a_path_of_somebodys_machine(tracked_files: list[Path], root: Path) -> None:
    assert lines_that_match(tracked_files, root, MACHINE_PATH) == []


def test_no_lock_with_addresses_is_tracked(tracked_files: list[Path]) -> None:
    names = {path.name for path in tracked_files}

    assert names & {"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock"} == set()


def test_every_package_ships_its_types_and_its_licence(root: Path) -> None:
    for package in (root / "packages").iterdir():
        if (package / "pyproject.toml").is_file():
            assert (package / "src" / package.name / "py.typed").is_file()
            assert (package / "LICENSE").read_text() == (root / "LICENSE").read_text()
