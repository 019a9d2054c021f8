"""The front door: the names that it promises, and that it stays light."""

import subprocess
import sys

import agent_runtime_core


def test_every_promised_name_is_there_and_sorted():
    promised = agent_runtime_core.__all__

    assert promised == sorted(promised)
    assert all(hasattr(agent_runtime_core, name) for name in promised)
    assert agent_runtime_core.__version__.startswith("0.3")


def test_importing_it_loads_no_vendor_and_no_database():
    heavy = ("openai", "httpx2", "pydantic", "sqlite3", "jsonschema_rs", "agent_runtime_core.llm.openai")
    code = (
        "import sys; before = set(sys.modules)\n"  # a coverage tool may have brought some of them
        "import agent_runtime_core, agent_runtime_core.llm\n"
        "agent_runtime_core.llm.get_llm_client\n"
        f"print([name for name in {heavy} if name in sys.modules and name not in before])"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == "[]"
