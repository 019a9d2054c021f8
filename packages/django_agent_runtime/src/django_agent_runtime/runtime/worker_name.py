"""The name of a process that executes runs, and whether the process of a name is still there."""

from __future__ import annotations

import os
import secrets
import socket

__all__ = ["is_gone", "new_worker_name"]


def new_worker_name(given: str = "") -> str:
    """A name that tells machine and process, and never comes back.

    Args:
        given: What stands for the machine.
    """
    return f"{(given or socket.gethostname())[:150]}:{os.getpid()}:{secrets.token_hex(6)}"


def is_gone(worker: str, own: str) -> bool:
    """Whether the process is known to have ended. Of another machine's processes that cannot be told."""
    host, _, rest = worker.rpartition(":")[0].rpartition(":")
    own_host, _, own_pid = own.rpartition(":")[0].rpartition(":")
    if host != own_host or not rest.isdecimal():
        return False
    if rest == own_pid:
        return worker != own  # the number has come back
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except OSError:  # there is one; it is somebody else's
        return False
    return False
