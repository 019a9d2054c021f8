"""What a log record looks like: a line to read, or a line of JSON; neither holds a secret."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from agent_runtime_core.logs.run_ids import RUN_FIELDS
from agent_runtime_core.redaction.plain_data import plain_data
from agent_runtime_core.redaction.secrets import without_secrets

__all__ = ["JsonFormatter", "LineFormatter"]

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", *RUN_FIELDS}


class LineFormatter(logging.Formatter):
    """Time, level, logger and message, and behind it what is known of the run."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line, and ` [run=... conversation=... agent=... step=...]` for a record of a run."""
        known = ((name.removesuffix("_id"), getattr(record, name, None)) for name in RUN_FIELDS)
        ids = " ".join(f"{name}={value}" for name, value in known if value is not None)
        return super().formatMessage(record) + (f" [{ids}]" if ids else "")

    def format(self, record: logging.LogRecord) -> str:
        """The line and the traceback."""
        return without_secrets(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `message`, the ids of the run, and what `extra=` has given."""

    def format(self, record: logging.LogRecord) -> str:
        """The object; ids that are not known are left out; `exception` and `stack` are there when there is one."""
        data: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        data.update((name, value) for name in RUN_FIELDS if (value := getattr(record, name, None)) is not None)
        given = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        data = {**given, **data}  # what a record is stands above what somebody has added to it
        if record.exc_info:
            data["exception"] = self.formatException(record.exc_info)
        elif record.exc_text:  # a record that came from another process
            data["exception"] = record.exc_text
        if record.stack_info:
            data["stack"] = self.formatStack(record.stack_info)
        return json.dumps(plain_data(data), ensure_ascii=False)
