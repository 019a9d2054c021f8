"""One sink at one run, whose own trouble stays its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from agent_runtime_core.interfaces.tracing import TraceSink

__all__ = ["Watch"]

_LOGGER = logging.getLogger(__name__)


class Watch:
    """Tells a sink of a run; what the sink raises is logged, and the run goes on.

    Args:
        sink: The sink.
        run_id: Names the run.
    """

    def __init__(self, sink: TraceSink, run_id: Any) -> None:
        self._sink = sink
        self._run_id = run_id

    def tell(self, method: str, *arguments: Any) -> None:
        """Call a method of the sink."""
        try:
            getattr(self._sink, method)(self._run_id, *arguments)
        except Exception as error:  # whatever a sink raises must not become the run's
            self._note(method, error)

    @contextmanager
    def scope(self) -> Iterator[None]:
        """The sink's own scope, if it can be entered."""
        scope: AbstractContextManager[object] = nullcontext()
        try:
            entered = self._sink.current(self._run_id)
            entered.__enter__()
            scope = entered
        except Exception as error:  # as above
            self._note("current", error)
        try:
            yield
        finally:
            try:
                scope.__exit__(None, None, None)
            except Exception as error:  # as above
                self._note("current", error)

    def _note(self, method: str, error: Exception) -> None:
        name = type(self._sink).__name__
        _LOGGER.warning("Trace sink %s.%s raised %s; the run goes on", name, method, type(error).__name__)
        _LOGGER.debug("Trace sink %s.%s raised", name, method, exc_info=error)
