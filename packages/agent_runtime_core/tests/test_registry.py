"""The registry: what counts as an agent, when factories run, and what an unknown key says."""

import pytest

from agent_runtime_core import registry
from agent_runtime_core.interfaces import AgentRuntime, RunResult


class Echo(AgentRuntime):
    key = "echo"

    async def run(self, ctx):
        return RunResult(final_output={"response": "echo"})


class Shaped:
    """Not an `AgentRuntime`, but of its shape."""

    key = "shaped"

    async def run(self, ctx):
        return None


@pytest.fixture(autouse=True)
def an_empty_registry():
    registry.clear_registry()
    yield
    registry.clear_registry()


@pytest.mark.parametrize("agent", [Echo(), Shaped()])
def test_an_agent_is_found_under_its_own_key(agent):
    registry.register_runtime(agent)

    assert registry.get_runtime(agent.key) is agent


def test_a_key_that_is_given_wins_over_the_agents_own():
    registry.register_runtime(Echo(), "other")

    assert registry.list_runtimes() == ["other"]


def test_a_class_is_made_into_an_agent():
    registry.register_runtime(Echo)

    assert isinstance(registry.get_runtime("echo"), Echo)


def test_a_factory_runs_once_at_the_first_look_up():
    made = []

    def make():
        made.append(Echo())
        return made[-1]

    registry.register_runtime(make, "lazy")
    assert made == []

    assert registry.get_runtime("lazy") is registry.get_runtime("lazy")
    assert len(made) == 1


def test_a_factory_needs_a_key():
    with pytest.raises(ValueError, match=r"^key is required when registering a factory function$"):
        registry.register_runtime(lambda: Echo())


def test_a_factory_that_makes_no_agent_is_told_so():
    registry.register_runtime(lambda: "no agent", "broken")

    with pytest.raises(TypeError, match="the factory for 'broken' gave a str"):
        registry.get_runtime("broken")


def test_a_factory_may_look_up_another_agent():
    registry.register_runtime(Echo())
    registry.register_runtime(lambda: registry.get_runtime("echo"), "alias")

    assert registry.get_runtime("alias") is registry.get_runtime("echo")


def test_a_factory_may_replace_itself_with_another_agent():
    replacement = Shaped()

    def make():
        registry.register_runtime(replacement, "agent")
        return Echo()

    registry.register_runtime(make, "agent")
    registry.get_runtime("agent")

    assert registry.get_runtime("agent") is replacement


@pytest.mark.parametrize("thing", [42, "text", None, dict, object()])
def test_what_is_no_agent_is_refused(thing):
    with pytest.raises(TypeError, match="an agent has a `key` and a method `run`"):
        registry.register_runtime(thing, "key")


@pytest.mark.parametrize("key", ["", 7])
def test_a_key_is_a_text_that_is_not_empty(key):
    with pytest.raises(ValueError, match="must be a text that is not empty"):
        registry.register_runtime(Echo(), key)


def test_the_same_key_replaces():
    second = Shaped()
    registry.register_runtime(lambda: Echo(), "agent")
    registry.register_runtime(second, "agent")

    assert registry.get_runtime("agent") is second


def test_an_unknown_key_lists_the_known_ones():
    registry.register_runtime(Shaped())
    registry.register_runtime(lambda: Echo(), "echo")

    with pytest.raises(KeyError) as caught:
        registry.get_runtime("ecko")

    assert caught.value.args[0] == "Agent runtime not found: ecko. Available: echo, shaped"


def test_an_agent_can_be_forgotten():
    registry.register_runtime(Echo())

    assert registry.unregister_runtime("echo") is True
    assert registry.unregister_runtime("echo") is False
    assert registry.list_runtimes() == []
