"""Every journey in `broken/` gets the codes of its first line, and no other, at the line marked with `# <-`."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from agent_runtime_framework import lint_journey
from agent_runtime_framework.agents.lint import RULES

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.py"))


@pytest.fixture
def journey(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """The module of a broken journey, imported under a name of its own."""
    path: Path = request.param
    spec = importlib.util.spec_from_file_location(f"broken_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def wanted_codes(path: Path) -> list[str]:
    return re.findall(r"J\d{3}", path.read_text(encoding="utf-8").splitlines()[0])


@pytest.mark.parametrize("journey", BROKEN, indirect=True, ids=lambda path: path.stem)
def test_a_broken_journey_gets_its_code_at_its_line(journey: ModuleType) -> None:
    path = Path(str(journey.__file__))
    lines = path.read_text(encoding="utf-8").splitlines()
    marked = [number for number, line in enumerate(lines, start=1) if "# <-" in line]

    findings = lint_journey(journey.Agent)

    assert sorted({each.code for each in findings}) == wanted_codes(path), findings
    assert {each.file for each in findings} <= {str(path)}
    if marked:
        assert [each.line for each in findings] == marked


def test_there_are_enough_of_them_and_each_rule_has_one() -> None:
    seeded = [code for path in BROKEN for code in wanted_codes(path)]

    assert len(seeded) >= 40
    assert set(seeded) == set(RULES)
