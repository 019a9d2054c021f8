"""What `make demo` shows: the onboarding journey from start to end, offline, saved in a SQLite file.

python examples/demo.py [STORE_URL]
"""

from __future__ import annotations

import io
import os
import secrets
import sys
from pathlib import Path

from agent_runtime_framework.cli.main import main as agent_runtime

LINES = ("Hello!", "I'm Eda.", "Sorry, my name is Ada.", "You can reach me at ada@example.org")


def main() -> None:
    """Run `agent-runtime chat` with a user who says what is written down."""
    journey = os.path.relpath(Path(__file__).with_name("onboarding.py"))
    store = sys.argv[1] if len(sys.argv) > 1 else "sqlite:///demo.db"
    conversation = f"demo-{secrets.token_hex(3)}"
    sys.stdin = io.StringIO("\n".join(LINES))
    sys.argv[1:] = ["chat", journey, "--store", store, "--conversation", conversation, "--provider", "offline"]
    agent_runtime()


if __name__ == "__main__":
    main()
