"""The one way in which a journey reads and writes its conversation."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from agent_runtime_core.errors import StateEncodeError
from agent_runtime_core.history import is_sendable, sendable
from agent_runtime_core.interfaces import Checkpoint, CheckpointStore
from agent_runtime_core.messages import MessageDict
from agent_runtime_core.stores import check_json_data
from agent_runtime_framework.agents.context import AgentContext
from agent_runtime_framework.agents.routing_trace import without_routing
from agent_runtime_framework.tools.notes import JourneyNotes

__all__ = ["ConversationLog", "check_round_trip", "check_state", "own_copy", "shown", "state_data", "without_metadata"]

_LOGGER = logging.getLogger("agent_runtime_framework.agents.conversation")

_ATOMS = frozenset((str, int, float, bool, type(None)))


class ConversationLog:
    """Reads conversations of one agent and commits to them, always under the version that was read.

    Args:
        store: Where the conversations are.
        agent_key: Whose states they hold.
    """

    __slots__ = ("agent_key", "store")

    def __init__(self, store: CheckpointStore, agent_key: str) -> None:
        self.store = store
        self.agent_key = agent_key

    async def open(self, ctx: AgentContext, *, max_messages: int | None) -> Checkpoint:
        """Read the conversation, unless it has been read for this context; the version is kept in the context.

        Raises:
            ValueError: The conversation id is empty: everybody who has none would share it.
        """
        checkpoint = ctx.checkpoint
        if checkpoint is None:
            conversation_id = str(ctx.conversation_id)
            if not conversation_id:
                raise ValueError("the conversation id is empty; give the conversation a name, such as str(uuid4())")
            checkpoint = await ctx._kept_in(self.store).load(
                conversation_id, self.agent_key, max_messages=max_messages, owner=ctx.owner
            )
            self.opened(ctx, checkpoint)
        return checkpoint

    def opened(self, ctx: AgentContext, checkpoint: Checkpoint) -> None:
        """Let the context's commits build on what was read."""
        ctx.checkpoint = checkpoint
        ctx.notes = JourneyNotes.taken_from(dict(checkpoint.state or {}))

    async def commit(
        self,
        ctx: AgentContext,
        state: dict[str, Any],
        messages: Sequence[MessageDict] = (),
        *,
        state_version: int,
        lease: int | None = None,
        finish: dict[str, Any] | None = None,
    ) -> None:
        """Write the state and the new messages together; nothing is written when there is nothing new.

        Args:
            ctx: The request.
            state: The state as it is now; one that has not changed is not written again.
            state_version: The journey's version that gave it.
            messages: The new messages, calls and results paired.
            lease: The run's lease, for a run that holds one.
            finish: What is to be known of the run later, when it ends with this commit.

        Raises:
            StoreConflict: Another run has committed since the context was opened.
            StateEncodeError: The state is not JSON data.
            ValueError: A call has no result, or a result no call. Nothing was written.
        """
        checkpoint = await self.open(ctx, max_messages=0)
        state = ctx.notes.put_into(state)
        is_changed = checkpoint.state != state or max(checkpoint.state_version, 1) != state_version
        if not messages and not is_changed and finish is None:
            return
        if messages and not is_sendable(messages):
            raise ValueError(
                f"the new messages of conversation {str(ctx.conversation_id)!r} part a tool call from its result; "
                f"no model would take them. Nothing was written."
            )
        try:
            version = await ctx._kept_in(self.store).commit(
                str(ctx.conversation_id),
                self.agent_key,
                expected_version=checkpoint.version,
                state=state if is_changed else None,
                state_version=state_version,
                messages=messages,
                lease=lease,
                finish=finish,
                owner=ctx.owner,
            )
        except TypeError as error:
            raise StateEncodeError(
                f"the state or a message of conversation {str(ctx.conversation_id)!r} is not JSON data: {error}. "
                f"Nothing was written; let {self.agent_key!r} convert such values in its state's to_dict()."
            ) from error
        if is_changed:
            ctx.checkpoint = Checkpoint(version=version, state=own_copy(state), state_version=state_version)
        else:
            ctx.checkpoint = _at(checkpoint, version)

    async def note(self, ctx: AgentContext, key: str, note: dict[str, Any], *, lease: int) -> None:
        """Write something beside the state, as the state of another key.

        Raises:
            StoreConflict: Another run has committed since the context was opened.
        """
        checkpoint = await self.open(ctx, max_messages=0)
        version = await self.store.commit(
            str(ctx.conversation_id),
            key,
            expected_version=checkpoint.version,
            state=note,
            lease=lease,
            owner=ctx.owner,
        )
        ctx.checkpoint = _at(checkpoint, version)

    async def commit_state(self, ctx: AgentContext, state: Any, *, state_version: int, lenient: bool) -> None:
        """Write the state alone.

        Args:
            ctx: The request.
            state: The state object.
            state_version: The journey's version that gave it.
            lenient: Whether a state that is no JSON data is left out with a warning instead of raising.

        Raises:
            StoreConflict: Another run has committed since the context was opened.
            StateEncodeError: The state is not JSON data, and `lenient` is False.
        """
        try:
            await self.commit(ctx, state_data(state), state_version=state_version)
        except StateEncodeError as error:
            if not lenient:
                raise
            _LOGGER.warning(
                "The state of %s is no JSON data and is not kept for its next run; convert in %s.to_dict()",
                self.agent_key,
                type(state).__name__,
            )
            _LOGGER.debug("State not kept", exc_info=error)


def _at(checkpoint: Checkpoint, version: int) -> Checkpoint:
    """The same at another version (`dataclasses.replace` would take twice as long, at each commit)."""
    return Checkpoint(
        version=version,
        state=checkpoint.state,
        state_version=checkpoint.state_version,
        messages=checkpoint.messages,
        message_count=checkpoint.message_count,
    )


def shown(messages: list[MessageDict], conversation_id: object) -> list[MessageDict]:
    """Stored messages, fit to be sent: without notes and traces of routing, calls and results paired.

    What somebody else has left there that no vendor takes is left out, with a warning; the store keeps it.
    """
    for message in messages:
        if message.__class__ is not dict or "metadata" in message:
            clean = [without_metadata(message) for message in without_routing(messages)]
            break
    else:
        clean = list(messages)  # as nearly always: there is nothing to be taken out
    if is_sendable(clean):
        return clean
    mended = sendable(clean)
    if mended != clean:
        _LOGGER.warning(
            "The stored messages of conversation %r cannot be sent as they are: a tool call without its result, a "
            "result without its call, or no message at all among the last %d. The run goes on with %d of them, "
            "mended; the store keeps what it has.",
            str(conversation_id),
            len(clean),
            len(mended),
        )
    return mended


def without_metadata(message: MessageDict) -> MessageDict:
    """The message without the application's notes: those are never sent to a model."""
    if not isinstance(message, dict) or "metadata" not in message:
        return message
    return {name: value for name, value in message.items() if name != "metadata"}


def own_copy(data: dict[str, Any]) -> dict[str, Any]:
    """Stored data that a live state may change: a state often shares its lists with the dict it was read from.

    Without the copy the stored state would change along with the live one, and no change would ever be seen.
    """
    return {name: _own(value) if isinstance(value, (dict, list)) else value for name, value in data.items()}


def _own(value: Any) -> Any:
    """A copy that shares nothing; nearly always of JSON data, for which `deepcopy` would take ten times as long."""
    if value.__class__ is dict:
        return {name: item if item.__class__ in _ATOMS else _own(item) for name, item in value.items()}
    if value.__class__ is list:
        return [item if item.__class__ in _ATOMS else _own(item) for item in value]
    return deepcopy(value)


def state_data(state: Any) -> dict[str, Any]:
    """The state as a dict.

    Raises:
        StateEncodeError: `to_dict()` failed.
    """
    try:
        data: dict[str, Any] = state.to_dict()
    except Exception as error:  # the user's to_dict() may raise anything
        raise StateEncodeError(f"{type(state).__name__}.to_dict() raised {type(error).__name__}: {error}") from error
    return data


def check_state(state: Any, *, decodes: bool = False) -> None:
    """Make sure that a state can be stored.

    Args:
        state: The state object.
        decodes: Whether it must be one that `from_dict()` reads again, too.

    Raises:
        StateEncodeError: `to_dict()` failed, gave something that is not JSON data, or what `from_dict()` refuses.
    """
    data = state_data(state)
    try:
        check_json_data(data, "state")  # as strictly as the store will be
    except TypeError as error:
        raise StateEncodeError(
            f"the tool left a state that cannot be stored: {type(state).__name__}.to_dict() is not JSON data ({error})"
        ) from error
    if decodes:
        check_round_trip(state, data)


def check_round_trip(state: Any, data: dict[str, Any]) -> None:
    """Make sure that the state's class reads what it writes.

    Args:
        state: The state object.
        data: What its `to_dict()` gave.

    Raises:
        StateEncodeError: `from_dict()` does not read it.
    """
    state_class = type(state)
    try:
        state_class.from_dict(own_copy(data))
    except Exception as error:  # the user's from_dict() may raise anything
        raise StateEncodeError(
            f"{state_class.__name__}.from_dict() does not read what to_dict() gives: {type(error).__name__}: {error}. "
            f"Nothing was stored; to_dict() must give every field that from_dict() needs."
        ) from error
