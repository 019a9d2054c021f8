"""DBOS without pickle: a row that says it is pickled is refused, whoever has written it."""

from __future__ import annotations

from typing import Any

from dbos._serialization import DBOSDefaultSerializer

__all__ = ["allow_pickle", "refuse_pickle"]


def refuse_pickle() -> None:
    """Let DBOS unpickle nothing in this process, until `allow_pickle`.

    We hand it JSON only. But it reads each row as the row itself says, and a pickled one runs whatever code is in it:
    whoever can write into the tables could run code in every worker.
    """
    vars(DBOSDefaultSerializer)["deserialize"] = _refuse


def allow_pickle() -> None:
    """Let DBOS do as it likes: it is not ours any more."""
    vars(DBOSDefaultSerializer).pop("deserialize", None)


def _refuse(serialized_data: Any) -> Any:
    raise ValueError("a row of DBOS's tables says that it is pickled; nothing of ours is, and it was not read")
