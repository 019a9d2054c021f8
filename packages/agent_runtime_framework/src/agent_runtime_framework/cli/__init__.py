"""The `agent-runtime` command."""

__all__: list[str] = []
