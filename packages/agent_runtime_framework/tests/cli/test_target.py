"""Which agent a target names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_runtime_framework.cli.failure import CommandError
from agent_runtime_framework.cli.target import load_agent

MINE = "from chat_journeys import Onboarding\n\nclass Mine(Onboarding):\n    key = 'mine'\n"


@pytest.fixture(autouse=True)
def clean_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty current directory, and afterwards no trace of what was imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parent), *sys.path])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_class_is_constructed(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)

    assert load_agent("mine.py:Mine").key == "mine"
    assert load_agent("mine:Mine").key == "mine"


def test_an_instance_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(f"{MINE}\nagent = Mine()\nagent.key = 'chosen'\n")

    assert load_agent("mine:agent").key == "chosen"


def test_a_function_is_called(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        f"{MINE}\ndef build():\n    agent = Mine()\n    agent.key = 'built'\n    return agent\n"
    )

    assert load_agent("mine.py:build").key == "built"


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ("return 'Ada'", "mine.py:build is no agent: it returns a str."),
        ("raise LookupError('no backend')", "mine.py:5: LookupError: no backend"),
    ],
)
def test_a_function_that_gives_no_agent_is_told(tmp_path: Path, returned: str, told: str) -> None:
    (tmp_path / "mine.py").write_text(f"{MINE}def build():\n    {returned}\n".replace("\n\n", "\n"))

    with pytest.raises(CommandError, match=told):
        load_agent("mine.py:build")


def test_an_async_function_is_no_agent(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(f"{MINE}\nasync def build():\n    return Mine()\n")

    with pytest.raises(CommandError, match="it is an async function"):
        load_agent("mine.py:build")


def test_something_inside_a_class_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from chat_journeys import Onboarding\n\nclass Agents:\n    first = Onboarding()\n"
    )

    assert load_agent("mine.py:Agents.first").key == "onboarding"


def test_the_one_class_of_a_file_needs_no_name(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)

    assert load_agent("mine.py").key == "mine"
    assert load_agent(str(tmp_path / "mine.py")).key == "mine"
    assert load_agent("mine").key == "mine"


def test_the_one_instance_goes_before_its_class(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(f"{MINE}\nagent = Mine()\nagent.key = 'chosen'\nsame_agent = agent\n")

    assert load_agent("mine.py").key == "chosen"


def test_an_unfinished_class_is_not_counted(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        f"from agent_runtime_framework import JourneyAgent\n{MINE}\nclass Sketch(JourneyAgent):\n    key = 'sketch'\n"
    )

    assert load_agent("mine.py").key == "mine"


def test_a_package_offers_the_agent_that_it_imports(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("from shop.flow import Mine\n")
    (tmp_path / "shop" / "flow.py").write_text(MINE)

    assert load_agent("shop").key == "mine"


def test_a_file_may_import_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "flow.py").write_text("from words import KEY\n" + MINE.replace("'mine'", "KEY"))
    (tmp_path / "elsewhere" / "words.py").write_text("KEY = 'from beside'\n")

    assert load_agent("elsewhere/flow.py").key == "from beside"


def test_a_file_in_a_package_may_import_relatively(tmp_path: Path) -> None:
    for package in ("shop", "shop/journeys"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / "shop" / "journeys" / "flow.py").write_text("from ..words import KEY\n" + MINE.replace("'mine'", "KEY"))
    (tmp_path / "shop" / "words.py").write_text("KEY = 'from above'\n")

    assert load_agent("shop/journeys/flow.py").key == "from above"


def test_a_file_does_not_take_the_place_of_a_module_of_its_name(tmp_path: Path) -> None:
    import json

    (tmp_path / "json.py").write_text(MINE)
    (tmp_path / "calendar.py").write_text(MINE)

    assert load_agent("./json.py").key == "mine"
    assert load_agent("./calendar.py").key == "mine"
    assert sys.modules["json"] is json
    assert not hasattr(sys.modules.get("calendar"), "Mine")


def test_an_error_is_told_at_the_users_own_line(tmp_path: Path) -> None:
    # Given: the standard library raises, because of line 2 of a file that the named one imports
    (tmp_path / "mine.py").write_text("import settings\n" + MINE)
    (tmp_path / "settings.py").write_text("import json\nVALUES = json.loads('{')\n")

    # Then
    with pytest.raises(CommandError, match=r"mine cannot be imported: settings.py:2: JSONDecodeError: "):
        load_agent("mine")


def test_ctrl_c_during_an_import_is_no_error_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("raise KeyboardInterrupt\n")

    with pytest.raises(KeyboardInterrupt):
        load_agent("mine.py")


def test_a_router_goes_before_the_journeys_that_stand_beside_it(tmp_path: Path) -> None:
    desk = "from agent_runtime_framework import JourneyRouter\n\nclass Desk(JourneyRouter):\n    key = 'desk'\n"
    (tmp_path / "mine.py").write_text(f"{MINE}\n{desk}")
    (tmp_path / "two.py").write_text(f"{MINE}\n{desk}\nclass Other(JourneyRouter):\n    key = 'other'\n")

    assert load_agent("mine.py").key == "desk"
    with pytest.raises(CommandError, match=r"several agents; say which: two\.py:Mine, two\.py:Desk, two\.py:Other\."):
        load_agent("two.py")
