"""The model of an agent that was given none: the configured one, made once per event loop."""

from __future__ import annotations

import asyncio
import weakref
from inspect import isawaitable
from typing import Any

__all__ = ["DefaultClient"]


class DefaultClient:
    """Makes the configured client when it is first needed and keeps it as long as the event loop is the same.

    (A vendor's client holds connections of one event loop and cannot be carried to the next.)
    """

    def __init__(self) -> None:
        self._client: Any = None
        self._loop: weakref.ref[asyncio.AbstractEventLoop] | None = None

    def get(self) -> Any:
        """The client.

        Raises:
            ValueError: `agent_runtime_core.llm` cannot be imported.
            ConfigError: No provider or key is configured.
        """
        loop = asyncio.get_running_loop()
        if self._loop is None or self._loop() is not loop:
            try:
                import agent_runtime_core.llm as llm
            except ImportError as error:
                raise ValueError(
                    "LLM client is required to run the agent: pass llm_client=, or install agent_runtime_core"
                ) from error
            self._client = llm.get_llm_client()  # looked up at call time, so that a test may replace it
            self._loop = weakref.ref(loop)
        return self._client

    async def aclose(self) -> None:
        """Close the client, if one was made for this event loop."""
        client, its_loop = self._client, self._loop
        self._client = self._loop = None
        if its_loop is not None and its_loop() is asyncio.get_running_loop() and hasattr(client, "close"):
            closing = client.close()
            if isawaitable(closing):  # a client of the user's, or a test double, may close at once
                await closing
