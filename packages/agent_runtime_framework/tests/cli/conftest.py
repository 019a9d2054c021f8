"""Running `agent-runtime` as its users do: with pipes, and in a terminal."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pexpect  # type: ignore[import-untyped]  # has no stubs
import pytest

from agent_runtime_framework.cli.main import main

HERE = Path(__file__).parent
COMMAND = [sys.executable, "-m", "agent_runtime_framework.cli"]
_CURSOR_POSITION_QUERY = r"\x1b\[6n"
_PROMPT_OPENS = "\x1b[?2004h"  # prompt_toolkit turns bracketed paste on when it begins to read
_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[()][A-Z0-9]|[=>78])")


def _environment(**more: str) -> dict[str, str]:
    """The surroundings of a user who has configured nothing, and for whom `chat_journeys` can be imported."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AGENT_RUNTIME_", "OPENAI_", "ANTHROPIC_")) and name not in ("NO_COLOR", "COLUMNS")
    }
    path = os.pathsep.join(filter(None, (str(HERE), str(HERE.parents[3]), os.environ.get("PYTHONPATH"))))
    commands = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return {
        **inherited,
        "PATH": commands,
        "PYTHONPATH": path,
        "PYTHONIOENCODING": "utf-8",
        "TERM": "xterm-256color",
        **more,
    }


@pytest.fixture
def agent_runtime(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `agent-runtime ARGUMENTS` in an empty directory with the lines as its input, and wait for its end."""

    def run(*arguments: str, lines: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            encoding="utf-8",
            cwd=tmp_path,
            env=_environment(**environment),
            timeout=60,
            check=False,
        )

    return run


class Done(NamedTuple):
    """How a command has ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def in_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Run `agent-runtime ARGUMENTS` here: to import a durable engine anew takes longer than all that is tested."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(HERE))
    for name in ("OPENAI_API_KEY", "AGENT_RUNTIME_MODEL_PROVIDER"):  # a journey without a model has none
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["agent-runtime", *arguments])
        monkeypatch.setattr(sys, "stdin", StringIO())
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        assert isinstance(code, int)
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def read_until() -> Callable[[subprocess.Popen[str], str], None]:
    """Read the output of a process that was started until the text has come."""

    def read(process: subprocess.Popen[str], text: str) -> None:
        assert process.stdout is not None
        shown = ""
        while text not in shown:
            character = process.stdout.read(1)
            assert character, f"the output ended with {shown!r}"
            shown += character

    return read


class Terminal:
    """`agent-runtime` in a terminal: what is typed goes to it, what it shows is read as text."""

    def __init__(self, arguments: list[str], directory: Path, environment: dict[str, str], output: Path | None) -> None:
        program, *rest = [*COMMAND, *arguments]
        if output is not None:  # the shell of the user who writes `> output`
            program, rest = "/bin/sh", ["-c", f"exec {shlex.join([*COMMAND, *arguments])} > {shlex.quote(str(output))}"]
        self._child: Any = pexpect.spawn(
            program,
            rest,
            cwd=str(directory),
            env=environment,
            encoding="utf-8",
            dimensions=(40, 120),
            timeout=30,
            echo=False,
        )
        self._child.delaybeforesend = None
        self.shown = ""

    def wait_for(self, text: str) -> str:
        """Read until the text is on the screen; what came before it, without escape sequences."""
        pattern = re.compile(re.escape(text))
        before = ""
        while True:
            which = self._child.expect([_CURSOR_POSITION_QUERY, pattern])
            before += self._child.before
            if which == 1:
                self.shown += _ESCAPES.sub("", before + text)
                return _ESCAPES.sub("", before)
            self._child.send("\x1b[1;1R")  # as a terminal answers: the cursor is at the top left

    def wait_for_prompt(self) -> str:
        """Read until the command waits for the user; what came before."""
        return self.wait_for(_PROMPT_OPENS)

    def say(self, text: str) -> None:
        """Type a line, once the prompt is there."""
        self.wait_for_prompt()
        self._child.send(f"{text}\r")

    def type(self, text: str) -> None:
        """Type, without the Enter key."""
        self._child.send(text)

    def press(self, key: str) -> None:
        """Press Control and this key."""
        self._child.sendcontrol(key)

    def exit_code(self) -> int:
        """Read to the end; the code that the process left with."""
        while self._child.expect([_CURSOR_POSITION_QUERY, pexpect.EOF]) == 0:
            self.shown += _ESCAPES.sub("", self._child.before)
            self._child.send("\x1b[1;1R")
        self.shown += _ESCAPES.sub("", self._child.before)
        self._child.close()
        assert self._child.exitstatus is not None, f"ended by signal {self._child.signalstatus}"
        return int(self._child.exitstatus)

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._child.close(force=True)


@pytest.fixture
def start_agent_runtime(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `agent-runtime ARGUMENTS` in an empty directory and leave its pipes to the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            cwd=tmp_path,
            env=_environment(**environment),
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None and not pipe.closed:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Open a terminal that runs `agent-runtime ARGUMENTS` in an empty directory."""
    opened: list[Terminal] = []

    def start(*arguments: str, output: Path | None = None, **environment: str) -> Terminal:
        opened.append(Terminal(list(arguments), tmp_path, _environment(**environment), output))
        return opened[-1]

    yield start
    for each in opened:
        each.close()
