"""A place for values under keys, and the one that keeps them in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

__all__ = ["InMemoryStore", "MemoryStore"]

T = TypeVar("T")


class MemoryStore(ABC, Generic[T]):
    """Keeps values under text keys. Derive from it to use a storage of your own as a backend."""

    @abstractmethod
    async def get(self, key: str) -> T | None:
        """The value under this key, or None."""

    @abstractmethod
    async def set(self, key: str, value: T) -> None:
        """Put the value under this key, in place of the one that is there."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Remove the key; a key that is not there is no error."""

    async def exists(self, key: str) -> bool:
        """Whether there is a value under this key."""
        return await self.get(key) is not None


class InMemoryStore(MemoryStore[T]):
    """Keeps values for as long as the object lives, as the objects that they are."""

    def __init__(self) -> None:
        self._data: dict[str, T] = {}

    async def get(self, key: str) -> T | None:
        """The very object that was put under this key, or None."""
        return self._data.get(key)

    async def set(self, key: str, value: T) -> None:
        """Put the object under this key."""
        self._data[key] = value

    async def delete(self, key: str) -> None:
        """Remove the key; a key that is not there is no error."""
        self._data.pop(key, None)

    def clear(self) -> None:
        """Remove everything."""
        self._data.clear()
