"""Where the tests of the architecture look: the packages' sources and the tracked files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.django_project.project import set_up

set_up()  # models can be imported by who has loaded the apps

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("agent_runtime_core", "agent_runtime_framework", "django_agent_runtime")


def module_files() -> dict[str, Path]:
    """The file of every module of ours by its dotted name, found without importing any."""
    found: dict[str, Path] = {}
    for package in PACKAGES:
        source = ROOT / "packages" / package / "src"
        for file in sorted((source / package).rglob("*.py")):
            parts = file.relative_to(source).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


MODULES = module_files()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each of our modules, or packages, when it asks for `module` or `package`."""
    if "module" in metafunc.fixturenames:
        metafunc.parametrize("module", MODULES)
    if "package" in metafunc.fixturenames:
        metafunc.parametrize("package", [name for name in MODULES if MODULES[name].name == "__init__.py"])


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout."""
    return ROOT


@pytest.fixture
def source(request: pytest.FixtureRequest) -> str:
    """The text of the module or package that the test was given."""
    given = request.node.callspec.params
    return MODULES[given.get("module") or given["package"]].read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def tracked_files() -> list[Path]:
    """Every file that git knows, as it is in the working tree."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout: there is no list of tracked files")
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]
