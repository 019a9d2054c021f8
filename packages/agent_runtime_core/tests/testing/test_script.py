"""What a script may hold is looked at when it is written, not at the call that meets it."""

from __future__ import annotations

from typing import Any

import pytest

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.testing import ScriptedLLM


@pytest.mark.parametrize("script", ["Hello", {"role": "assistant", "content": "Hello"}])
def test_a_script_is_a_list(script: Any):
    with pytest.raises(ConfigError, match="a script is a list of replies"):
        ScriptedLLM(script)


@pytest.mark.parametrize(("wrong", "kind"), [(42, "int"), (["a", "b"], "list"), (None, "NoneType")])
def test_what_is_no_reply_is_named_with_its_place(wrong: Any, kind: str):
    with pytest.raises(ConfigError, match=f"reply 2 of the script is a {kind}"):
        ScriptedLLM(["Hello", wrong])
