"""`python -m agent_runtime_framework.cli` is the `agent-runtime` command."""

from agent_runtime_framework.cli.main import main

if __name__ == "__main__":
    main()
