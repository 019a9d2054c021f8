"""What the clients on a vendor's SDK share: one SDK client per event loop."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import Callable, Iterable
from inspect import Parameter, signature
from typing import Any, Self
from urllib.parse import urlsplit

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.interfaces.llm import LLMClient
from agent_runtime_core.llm.real_calls import check_real_call

__all__ = ["SDKClient", "address_to_use", "check_options", "server_name"]


class SDKClient(LLMClient):
    """A client on a vendor's SDK, whose connections cannot be carried from one event loop to another.

    Args:
        make: Makes a client of the SDK.
        one_for_all: Whether all loops get the same one, because it uses a transport of the caller's.
    """

    _server: str = "a vendor's server"  # who is asked, for errors

    def __init__(self, make: Callable[[], Any], *, one_for_all: bool) -> None:
        self._make = make
        self._one_for_all = one_for_all
        self._client = make()
        self._home: weakref.ref[asyncio.AbstractEventLoop] | None = None  # the loop that uses `_client`
        self._elsewhere: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = weakref.WeakKeyDictionary()

    async def close(self) -> None:
        """Close the connections of this event loop; a second call does nothing."""
        client = self._elsewhere.pop(asyncio.get_running_loop(), None)
        if client is None and self._is_home():
            client = self._client
        if client is not None:
            await client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _here(self) -> Any:
        """The SDK's client for the running event loop; every call goes through here.

        Raises:
            RealLLMCallForbidden: A test has forbidden real calls.
        """
        check_real_call(self._server)
        if self._is_home():
            return self._client
        loop = asyncio.get_running_loop()
        if loop not in self._elsewhere:
            self._elsewhere[loop] = self._make()
        return self._elsewhere[loop]

    def _is_home(self) -> bool:
        """Whether `_client` is for the running event loop: the first one, or all with a transport of the caller's."""
        loop = asyncio.get_running_loop()
        if self._home is None:
            self._home = weakref.ref(loop)
        return self._home() is loop or self._one_for_all


def check_options(client_class: type[SDKClient], sdk_class: Any, options: Iterable[str]) -> None:
    """Refuse options that neither a client nor the SDK's client below it knows.

    Raises:
        ConfigError: There is one; the text names those that are known.
    """
    try:
        below = signature(sdk_class).parameters
    except (TypeError, ValueError):
        return  # a stand-in that does not say what it takes
    if any(each.kind is Parameter.VAR_KEYWORD for each in below.values()):
        return  # a stand-in that takes anything
    own = [name for name, each in signature(client_class).parameters.items() if each.kind is not Parameter.VAR_KEYWORD]
    known = {*own, *below}
    for name in options:
        if name not in known:
            shown = ", ".join(sorted(each for each in known if not each.startswith("_")))
            raise ConfigError(
                f"{client_class.__name__} has no option {name!r}. It takes {shown}; "
                f"get_llm_client() also takes max_concurrency, resilient, retries, timeouts."
            )


def address_to_use(base_url: Any, *, variable: str, default: str) -> Any:
    """The address for the SDK; None when it shall use its own.

    An empty variable counts as not set, as everywhere in the settings, and the SDKs would take it for the address.
    """
    if base_url:
        return base_url
    found = os.environ.get(variable)
    return None if found is None else found.strip() or default


def server_name(base_url: Any, *, default: str, variable: str) -> str:
    """The server's name and port, without the rest of its address: that may hold a password.

    Raises:
        ConfigError: The address does not begin with `http://` or `https://`, or is none.
    """
    if not base_url:
        return default
    address = str(base_url)
    shown = f"...@{address.rpartition('@')[2]}" if "@" in address else address
    try:
        parts = urlsplit(address)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname)
        parts.port  # noqa: B018  # raises when it is no number, or none that a port can be
    except ValueError:  # its words may hold a part of the password
        raise ConfigError(f"base_url (or {variable}) is no address: {shown!r}. Check its host and port.") from None
    if not whole:
        raise ConfigError(
            f"base_url (or {variable}) must be a whole address such as http://localhost:11434/v1, "
            f"not {shown!r}: put http:// or https:// in front."
        )
    return parts.netloc.rpartition("@")[2]
