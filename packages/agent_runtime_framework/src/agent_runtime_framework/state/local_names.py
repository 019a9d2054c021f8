"""What the annotations of a class may mean when it is defined inside a function."""

from __future__ import annotations

import re
import sys
from types import FrameType
from typing import Any

__all__ = ["local_names"]

_NAME = re.compile(r"[^\W\d]\w*")


def local_names(owner: type) -> dict[str, Any]:
    """The names of the function that defines the class, as far as its annotations use them; {} at module level.

    To be called while the class is made. Annotations that are texts (`from __future__ import annotations`) cannot be
    evaluated later without them.
    """
    qualname = owner.__qualname__
    if "<locals>" not in qualname:
        return {}
    around = qualname.rpartition(".<locals>.")[0].rpartition(".")[2]
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == around and frame.f_globals.get("__name__") == owner.__module__:
            return _used(owner, frame.f_locals)
        frame = frame.f_back
    return {}


def _used(owner: type, found: dict[str, Any]) -> dict[str, Any]:
    """Those of the names that the annotations use, and the annotations of classes that these name."""
    result: dict[str, Any] = {}
    waiting = [owner]
    while waiting:
        for base in waiting.pop().__mro__:
            for annotation in vars(base).get("__annotations__", {}).values():
                for name in _NAME.findall(annotation) if isinstance(annotation, str) else ():
                    if name in found and name not in result:
                        result[name] = found[name]
                        if isinstance(found[name], type):
                            waiting.append(found[name])
    return result
