"""What the calls of a run cost, and whether the budget allows one more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from agent_runtime_core.errors import ConfigError
from agent_runtime_core.tokens import read_tokens
from agent_runtime_framework.executor.asked_model import AskedModel, asked_model, text_in
from agent_runtime_framework.executor.reply import Reply

__all__ = ["CostLedger", "Pricing"]

Pricing = Callable[[str, Mapping[str, Any], str | None], Decimal | None]
"""What a call costs, from the model, its token counts and the provider (None: not known); None when nobody knows.

`agent_runtime_core.prices.call_price` is one.
"""


class CostLedger:
    """What one run has cost.

    Args:
        pricing: What a call costs.
        max_cost: US dollars that the run may cost; None for no bound.

    Raises:
        ConfigError: `max_cost` is no amount.
    """

    __slots__ = ("_asked", "_max_cost", "_pricing", "_prompt_tokens", "cost")

    def __init__(self, pricing: Pricing, max_cost: Decimal | float | None) -> None:
        self._pricing = pricing
        self._max_cost = None if max_cost is None else _amount(max_cost)
        self._asked: AskedModel | None = None
        self._prompt_tokens = 0
        self.cost: Decimal | None = Decimal(0)
        """What the run has cost; None when one of its calls has no known price."""

    @property
    def model(self) -> str:
        """The model that the last call was priced for; empty when it is not known."""
        return "" if self._asked is None else self._asked.model

    def add(self, client: Any, reply: Reply) -> Decimal | None:
        """Count a call of this client, and return what it has cost; None when nobody knows.

        Priced is the model that the reply names, else the one that the client asks.
        """
        asked, usage = asked_model(client), reply.usage
        self._asked = asked = asked._replace(model=text_in(reply.response, "model") or asked.model)
        self._prompt_tokens = read_tokens(usage).input or 0
        cost = self._pricing(asked.model, usage if isinstance(usage, Mapping) else {}, asked.provider or None)
        self.cost = None if cost is None or self.cost is None else self.cost + cost
        return cost

    def is_used_up(self) -> bool:
        """Whether the next call would go beyond the budget by its prompt alone.

        What the prompt will be is not known; it is taken to be as long as the last one. Where the price of a call was
        not known the budget counts as used up: nobody can say that it is not.
        """
        if self._max_cost is None:
            return False
        if self.cost is None or self.cost >= self._max_cost:
            return True
        if self._asked is None:
            return False
        prompt = {"prompt_tokens": self._prompt_tokens, "completion_tokens": 0}
        ahead = self._pricing(self._asked.model, prompt, self._asked.provider or None)
        return ahead is None or self.cost + ahead > self._max_cost


def _amount(max_cost: Decimal | float) -> Decimal:
    try:
        amount = Decimal(str(max_cost))
        if amount >= 0:
            return amount
    except ArithmeticError:  # no number, or one that cannot be compared
        pass
    raise ConfigError(f"max_cost is {max_cost!r}; give US dollars, 0 or more, such as Decimal('0.50')")
