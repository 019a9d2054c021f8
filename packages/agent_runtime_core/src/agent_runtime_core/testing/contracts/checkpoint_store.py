"""What `CheckpointStore` promises, as tests."""

from __future__ import annotations

from agent_runtime_core.testing.contracts.store_deletions import StoreDeletions
from agent_runtime_core.testing.contracts.store_leases import StoreLeases
from agent_runtime_core.testing.contracts.store_listing import StoreListing
from agent_runtime_core.testing.contracts.store_owners import StoreOwners
from agent_runtime_core.testing.contracts.store_races import StoreRaces
from agent_runtime_core.testing.contracts.store_receipts import StoreReceipts
from agent_runtime_core.testing.contracts.store_rewinding import StoreRewinding
from agent_runtime_core.testing.contracts.store_turns import StoreTurns
from agent_runtime_core.testing.contracts.store_values import StoreValues
from agent_runtime_core.testing.contracts.store_versions import StoreVersions
from agent_runtime_core.testing.contracts.store_windows import StoreWindows

__all__ = ["CheckpointStoreContract"]


class CheckpointStoreContract(
    StoreVersions,
    StoreWindows,
    StoreValues,
    StoreTurns,
    StoreLeases,
    StoreReceipts,
    StoreOwners,
    StoreRewinding,
    StoreListing,
    StoreDeletions,
    StoreRaces,
):
    """Subclass it and provide a fixture `store`: an empty store of yours, open, and closed when the test is over.

    ```python
    class TestMyStore(CheckpointStoreContract):
        @pytest.fixture
        async def store(self):
            async with MyStore() as store:
                yield store
    ```

    The tests are coroutines: pytest-asyncio in its `auto` mode runs them. For failures that show the values compared,
    put `pytest.register_assert_rewrite("agent_runtime_core.testing.contracts")` into your conftest.py.
    """
