"""The context that users test with keeps the contract of the real ones."""

from __future__ import annotations

import pytest

from agent_runtime_core.testing import MockRunContext
from agent_runtime_core.testing.contracts import RunContextContract


class TestMockRunContext(RunContextContract):
    @pytest.fixture
    def ctx(self):
        return MockRunContext()

    async def emitted(self, ctx):
        return ctx.get_events()

    async def request_cancel(self, ctx):
        ctx.cancel()
        return True
