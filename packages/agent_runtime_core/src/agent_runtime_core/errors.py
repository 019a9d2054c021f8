"""Every error that the three packages raise, named by who must act.

```
AgentRuntimeError
├── ConfigError                  the programmer; also a ValueError
│   └── MissingDependency        also an ImportError; names the extra to install
├── LLMError                     the operator; .provider .model .status
│   ├── LLMTimeout
│   ├── LLMRateLimited           .retry_after_s
│   ├── LLMRejected              the vendor refused this request (4xx)
│   ├── LLMUnavailable           no connection, or the vendor failed (5xx)
│   └── LLMBadReply              an answer that cannot be used, or a stream that was cut
├── JourneyError                 the author of the journey
│   ├── StateDecodeError         a stored state that the state class does not read
│   └── StateEncodeError         a state that cannot be stored
├── EngineError                  the operator
│   ├── RunNotFound              .run_id; also a LookupError
│   └── EngineUnavailable        what executes runs cannot be reached
└── StoreError                   the operator; .key
    ├── StoreConflict            .expected_version .found_version
    │   └── LeaseLost            another run has taken the conversation over
    ├── ConversationBusy         a run is on, and the caller would not wait
    ├── VersionNotFound          .version; also a LookupError
    └── StoreUnavailable         the store cannot be opened, read or written
```

What a model does wrong (an unknown tool, bad arguments) and what a tool does wrong is no exception here: it
becomes a tool result that the model reads. See `events.ToolOutcome`.
"""

from __future__ import annotations

__all__ = [
    "AgentRuntimeError",
    "ConfigError",
    "ConversationBusy",
    "EngineError",
    "EngineUnavailable",
    "JourneyError",
    "LLMBadReply",
    "LLMError",
    "LLMRateLimited",
    "LLMRejected",
    "LLMTimeout",
    "LLMUnavailable",
    "LeaseLost",
    "MissingDependency",
    "RunNotFound",
    "StateDecodeError",
    "StateEncodeError",
    "StoreConflict",
    "StoreError",
    "StoreUnavailable",
    "VersionNotFound",
]


class AgentRuntimeError(Exception):
    """Base of all errors of ours: catch it to catch them all."""


class ConfigError(AgentRuntimeError, ValueError):
    """Something is not configured, or configured with a value that cannot work."""


class MissingDependency(ConfigError, ImportError):
    """A package that is only needed for this feature is not installed; the text names the extra."""


class LLMError(AgentRuntimeError):
    """A call to a language model failed.

    Args:
        message: What happened and what to do.
        provider: The vendor, as in `get_llm_client(provider=...)`, or the host of another server of its protocol.
        model: The model that was asked.
        status: The HTTP status, when there was an answer.
        request_id: The vendor's id of the request, for their support.
    """

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        model: str = "",
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.model = model
        self.status = status
        self.request_id = request_id


class LLMTimeout(LLMError):
    """The model did not answer in time."""


class LLMRateLimited(LLMError):
    """The vendor asks for patience; `retry_after_s` is what it said, in seconds, or None."""

    def __init__(self, message: str, *, retry_after_s: float | None = None, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]  # the keywords of LLMError
        self.retry_after_s = retry_after_s


class LLMRejected(LLMError):
    """The vendor refused the request: a wrong key, an unknown model, a request it does not accept."""


class LLMUnavailable(LLMError):
    """No connection to the vendor, or the vendor failed."""


class LLMBadReply(LLMError):
    """An answer that cannot be used, or a stream that ended before the answer did."""


class JourneyError(AgentRuntimeError):
    """Something about a journey that its author has to mend."""


class StateDecodeError(JourneyError):
    """A stored state that the journey's state class cannot read any more. Nothing was overwritten."""


class StateEncodeError(JourneyError):
    """A state that cannot be stored: `to_dict()` failed or gave something that is not JSON."""


class EngineError(AgentRuntimeError):
    """What executes runs could not do what was asked."""


class RunNotFound(EngineError, LookupError):
    """The engine has no run of this id, or not any more.

    Args:
        run_id: What was asked for.
    """

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"there is no run {run_id!r}: it was never submitted to this engine, or was pruned after its end."
        )
        self.run_id = run_id


class EngineUnavailable(EngineError):
    """The engine cannot be opened or reached; the text says which one and why."""


class StoreError(AgentRuntimeError):
    """A store could not do what was asked; `key` names the conversation or the file."""

    def __init__(self, message: str, *, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class StoreConflict(StoreError):
    """Somebody else committed to this conversation first. Nothing of this commit was written.

    Args:
        key: The conversation's id.
        expected_version: The version that the caller had read.
        found_version: The version in the store now (0: nothing is stored).
        is_copy: Whether the conversation was to be made as a copy of another one.
    """

    def __init__(self, key: str, expected_version: int, found_version: int, *, is_copy: bool = False) -> None:
        if is_copy:
            words = f"there is a conversation {key!r} already. Nothing was copied; give the copy another id."
        else:
            words = (
                f"conversation {key!r} is at version {found_version}, not at {expected_version} as it was read: "
                f"another run has committed in between. Nothing was written; load it and run again."
            )
        super().__init__(words, key=key)
        self.expected_version = expected_version
        self.found_version = found_version


class LeaseLost(StoreConflict):
    """The run's lease is over and somebody else has taken the conversation. Nothing of this commit was written.

    Args:
        key: The conversation's id.
        expected_version: The version that the run had read; None when it did not say.
        found_version: The version in the store now (0: nothing is stored).
    """

    def __init__(self, key: str, expected_version: int | None, found_version: int) -> None:
        StoreError.__init__(
            self,
            f"conversation {key!r} has been taken over by another run, or was deleted: this run was too long without "
            f"a sign of life. Nothing was written. The message it was to answer is stored and will be answered.",
            key=key,
        )
        self.expected_version = found_version if expected_version is None else expected_version
        self.found_version = found_version


class ConversationBusy(StoreError):
    """A run of this conversation is on, or messages wait for theirs, and the caller would not wait. Nothing was kept.

    Args:
        key: The conversation's id.
    """

    def __init__(self, key: str) -> None:
        super().__init__(
            f"conversation {key!r} is busy: a run is on, or messages wait for theirs. Nothing was kept of this "
            f"request; ask again later; a message may wait, too (on_busy='queue').",
            key=key,
        )


class VersionNotFound(StoreError, LookupError):
    """The conversation has no such version, or does not keep it any more; or there is no such conversation.

    Args:
        key: The conversation's id.
        version: What was asked for.
        has_conversation: Whether there is such a conversation.
    """

    def __init__(self, key: str, version: int, *, has_conversation: bool = True) -> None:
        if has_conversation:
            words = (
                f"conversation {key!r} has no version {version} that could be gone back to; "
                f"`agent-runtime store versions` lists those it has."
            )
        else:
            words = f"there is no conversation {key!r} of this owner in this store; give its owner with its id."
        super().__init__(words, key=key)
        self.version = version
        self.has_conversation = has_conversation


class StoreUnavailable(StoreError):
    """The store cannot be opened, read or written; the text says which one and why."""
