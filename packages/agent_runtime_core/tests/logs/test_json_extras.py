"""What somebody adds to a record is shown, and takes nothing away from it."""

from __future__ import annotations

import json
import logging
from typing import Any

from agent_runtime_core.logs.formats import JsonFormatter


def written(**extra: Any) -> dict[str, Any]:
    record = logging.makeLogRecord({"name": "shop", "levelname": "WARNING", "msg": "sold out", **extra})
    data: dict[str, Any] = json.loads(JsonFormatter().format(record), parse_constant=lambda name: f"not JSON: {name}")
    return data


def test_what_the_record_is_stands_above_what_was_added():
    data = written(level=1, logger="me", time="evil")

    assert (data["level"], data["logger"], data["message"]) == ("WARNING", "shop", "sold out")
    assert data["time"] != "evil"


def test_numbers_that_json_does_not_know_are_text():
    assert written(share=float("nan"))["share"] == "nan"


def test_a_dict_that_holds_itself_does_not_break_the_log_call():
    loop: dict[str, Any] = {}
    loop["again"] = loop

    assert written(loop=loop)["loop"]["again"]
