"""The tables' history, for Alembic: one module for each revision, named by it.

A new one says what it follows in `down_revision`, changes the tables in `upgrade()` with `alembic.op`, and stands in
`agent_runtime_core.stores.postgresql.revision.REVISIONS`. A published one is never changed.
"""

__all__: list[str] = []
