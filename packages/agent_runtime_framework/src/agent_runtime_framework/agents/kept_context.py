"""The request to a conversation that the agent keeps."""

from __future__ import annotations

from collections.abc import Sequence

from agent_runtime_core.messages import AgentMessage, MessageDict
from agent_runtime_framework.agents.context import AgentContext

__all__ = ["KeptContext"]


class KeptContext(AgentContext):
    """A context whose messages come from the store; they become objects when somebody looks at them.

    Most tools never do, and a long history takes longer to turn into objects than to load.
    """

    _wire: Sequence[MessageDict] | None = None
    _objects: list[AgentMessage]

    def show(self, messages: Sequence[MessageDict]) -> None:
        """Let these be the messages, as they are now."""
        self._wire = tuple(messages)

    @property
    def input_messages(self) -> list[AgentMessage]:
        """The conversation, the user's new message last."""
        if self._wire is not None:
            self._objects = list(map(AgentMessage.from_dict, self._wire))
            self._wire = None
        return self._objects

    @input_messages.setter
    def input_messages(self, messages: list[AgentMessage]) -> None:
        self._objects, self._wire = messages, None
