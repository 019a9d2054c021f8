"""`agent-runtime lint`: text for people, JSON and an exit code for CI."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

BROKEN = Path(__file__).parents[1] / "lint" / "broken"


def test_a_clean_journey_passes(agent_runtime):
    done = agent_runtime("lint", f"{BROKEN / 'seed_clean.py'}:Agent")

    assert (done.returncode, done.stdout, done.stderr) == (0, "Nothing found.\n", "")


def test_a_finding_tells_place_code_reason_and_remedy(agent_runtime, tmp_path):
    source = (BROKEN / "seed_dead_end.py").read_text(encoding="utf-8")
    (tmp_path / "onboarding.py").write_text(source, encoding="utf-8")
    line = next(number for number, text in enumerate(source.splitlines(), start=1) if "# <-" in text)

    done = agent_runtime("lint", "onboarding:Agent")

    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"onboarding.py:{line}: error J101: Step NAME is no end, and none of its tools moves on (save_name).",
        "    Offer a tool there that moves on, or make the step terminal.",
        "1 error.",
    ]


@pytest.mark.parametrize(
    ("journey", "options", "exit_code"),
    [
        ("declared_talking_step", [], 0),
        ("declared_talking_step", ["--strict"], 0),
        ("declared_parameter_undescribed", [], 0),
        ("declared_parameter_undescribed", ["--strict"], 1),
        ("declared_loop", [], 1),
    ],
)
def test_the_exit_code_is_by_severity(agent_runtime, journey, options, exit_code):
    assert agent_runtime("lint", f"{BROKEN / journey}.py", *options).returncode == exit_code


def test_several_journeys_come_as_one_json_object(agent_runtime):
    done = agent_runtime("lint", "--json", f"{BROKEN / 'declared_loop.py'}", f"{BROKEN / 'seed_talking_step.py'}")

    told = json.loads(done.stdout)
    assert [(each["code"], each["severity"]) for each in told["findings"]] == [("J104", "error"), ("J103", "note")]
    assert (told["errors"], told["warnings"], told["notes"]) == (1, 0, 1)
    assert set(told["findings"][0]) == {"code", "severity", "file", "line", "message", "mend", "journey"}
    assert done.returncode == 1


def test_an_unfinished_class_is_a_finding(agent_runtime):
    done = agent_runtime("lint", f"{BROKEN / 'seed_lacks_methods.py'}")

    assert "error J001: Agent lacks create_tools()." in done.stdout
    assert done.returncode == 1


def test_what_is_no_agent_cannot_be_linted(agent_runtime):
    done = agent_runtime("lint", f"{BROKEN / 'seed_clean.py'}:State")

    assert done.returncode == 2
    assert "is no agent" in done.stderr
