"""`agent-runtime lint`: what is wrong with journeys, for people and for CI."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from agent_runtime_framework.agents.lint import Finding, lint_journey
from agent_runtime_framework.cli.failure import FAILED
from agent_runtime_framework.cli.screen import Screen
from agent_runtime_framework.cli.target import load_journey
from agent_runtime_framework.cli.terminal_text import one_line

__all__ = ["lint"]

_SEVERITIES = ("error", "warning", "note")


def lint(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="TARGET...",
            help="The agents: module:Agent or path/to/file.py[:Agent]. Without :Agent, the one agent defined there.",
        ),
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell what is wrong with journeys, without asking a model.

    Exit code 1 when there is an error, or with --strict a warning; notes never fail.
    """
    found: dict[Finding, None] = {}
    for target in targets:
        found.update(dict.fromkeys(lint_journey(load_journey(target))))
    findings = list(found)
    counts = {severity: sum(each.severity == severity for each in findings) for severity in _SEVERITIES}
    screen = Screen()
    if as_json:
        screen.out(json.dumps(_as_json(findings, counts), indent=2), highlight=False)
    else:
        for each in findings:
            screen.out(_as_text(each), highlight=False)
        screen.out(_summary(counts), highlight=False)
    failed = counts["error"] or (strict and counts["warning"])
    raise typer.Exit(FAILED if failed else 0)


def _as_text(finding: Finding) -> str:
    place = f"{_shown(finding.file)}:{finding.line}" if finding.file else finding.journey
    return f"{place}: {finding.severity} {finding.code}: {one_line(finding.message)}\n    {one_line(finding.mend)}"


def _as_json(findings: list[Finding], counts: dict[str, int]) -> dict[str, Any]:
    return {
        "findings": [{**each.to_dict(), "file": _shown(each.file)} for each in findings],
        **{f"{severity}s": count for severity, count in counts.items()},
    }


def _summary(counts: dict[str, int]) -> str:
    told = [f"{count} {severity}{'' if count == 1 else 's'}" for severity, count in counts.items() if count]
    return f"{', '.join(told)}." if told else "Nothing found."


def _shown(file: str) -> str:
    """The file as seen from here, when it lies below."""
    try:
        here = Path.cwd()
    except OSError:  # the directory was removed while we stand in it
        here = Path(os.devnull)
    path = Path(file)
    return str(path.relative_to(here)) if file and path.is_relative_to(here) else file
