"""The packages are released together: one version, and pins that agree with what the packages ask for."""

from __future__ import annotations

import importlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PACKAGES = ["agent_runtime_core", "agent_runtime_framework", "django_agent_runtime"]
OURS = {canonicalize_name(name) for name in PACKAGES}
LOCKS = ["build", "demo", "dev"]


def metadata(root: Path, package: str) -> dict[str, Any]:
    text = (root / "packages" / package / "pyproject.toml").read_text(encoding="utf-8")
    project: dict[str, Any] = tomllib.loads(text)["project"]
    return project


def pins(root: Path, lock: str) -> dict[str, str]:
    """The pinned versions that hold for this interpreter."""
    found: dict[str, str] = {}
    for line in (root / "requirements" / f"{lock}.txt").read_text(encoding="utf-8").splitlines():
        if line[:1].isalnum():
            requirement = Requirement(line.rstrip(" \\"))
            if requirement.marker is not None and not requirement.marker.evaluate():
                continue
            (exact,) = requirement.specifier
            assert exact.operator == "==", line
            found[canonicalize_name(requirement.name)] = exact.version
    return found


@pytest.mark.parametrize("project_name", PACKAGES)
def test_the_module_and_its_metadata_name_the_same_version(root: Path, project_name: str) -> None:
    assert importlib.import_module(project_name).__version__ == metadata(root, project_name)["version"]


@pytest.mark.parametrize("project_name", ["agent_runtime_framework", "django_agent_runtime"])
def test_whoever_stands_on_the_core_asks_for_the_one_of_its_own_version(root: Path, project_name: str) -> None:
    project = metadata(root, project_name)

    assert f"agent_runtime_core=={project['version']}" in project["dependencies"]
    assert metadata(root, "agent_runtime_core")["version"] == project["version"]


def test_importing_the_core_needs_nothing_else(root: Path) -> None:
    assert metadata(root, "agent_runtime_core")["dependencies"] == []


@pytest.mark.parametrize("project_name", PACKAGES)
def test_the_extra_all_brings_every_feature(root: Path, project_name: str) -> None:
    extras: dict[str, list[str]] = metadata(root, project_name)["optional-dependencies"]

    (everything,) = map(Requirement, extras["all"])

    assert everything.name == project_name
    assert everything.extras == set(extras) - {"all", "dev"}


@pytest.mark.parametrize("project_name", PACKAGES)
def test_the_pinned_versions_are_those_that_the_packages_allow(root: Path, project_name: str) -> None:
    # Given
    project = metadata(root, project_name)
    pinned = pins(root, "dev")
    extras: dict[str, list[str]] = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(line for extra in extras.values() for line in extra)]

    # Then
    for requirement in map(Requirement, wanted):
        name = canonicalize_name(requirement.name)
        if name not in OURS:
            assert pinned[name] in requirement.specifier, f"{project_name} asks for {requirement}"


@pytest.mark.parametrize("lock", ["build", "demo"])
def test_the_smaller_locks_are_parts_of_the_large_one(root: Path, lock: str) -> None:
    assert pins(root, lock).items() <= pins(root, "dev").items()


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_carry_hashes_and_no_address(root: Path, lock: str) -> None:
    text = (root / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    entries = [entry for entry in text.split("\n") if entry[:1].isalnum()]

    assert entries
    assert all(entry.endswith("\\") for entry in entries), "an entry without hashes"
    assert "://" not in text
    assert "index-url" not in text
    assert "find-links" not in text
