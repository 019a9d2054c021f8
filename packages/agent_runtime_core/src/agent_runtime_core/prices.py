"""What a call to a model costs, by the price lists of `genai-prices` (extra `prices`)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from agent_runtime_core.errors import MissingDependency
from agent_runtime_core.tokens import read_tokens

try:
    import genai_prices
except ImportError as error:
    raise MissingDependency(
        "genai-prices is required to know what a call costs. Install it: pip install 'agent_runtime_core[prices]', "
        "or give prices of your own: a function of (model, usage, provider)."
    ) from error

__all__ = ["call_price"]


def call_price(model: str, usage: Mapping[str, Any], provider: str | None = None) -> Decimal | None:
    """What one call costs in US dollars, or None when the model, its provider or the token counts are unknown.

    The list price of today, tokens from and to a cache at their own price. Discounts, taxes and what a vendor charges
    beside tokens (searches, storage) are not in it.

    Args:
        model: The model that answered, as the vendor names it.
        usage: The token counts, in OpenAI's names or in Anthropic's.
        provider: Who served it, as `genai-prices` calls them (`openai`, `anthropic`, `azure`, ...), or the host of
            the server; when None, the one whose models have such names.
    """
    counts = read_tokens(usage)
    if counts.input is None and counts.output is None:
        return None
    sent = counts.input or 0
    read = min(counts.cache_read, sent)
    tokens = genai_prices.Usage(
        input_tokens=sent,
        output_tokens=counts.output or 0,
        cache_read_tokens=read or None,
        cache_write_tokens=min(counts.cache_write, sent - read) or None,
    )
    try:
        return genai_prices.calc_price(tokens, model, provider_id=provider or None).total_price
    except (LookupError, ValueError):  # not in the lists, or not priced by such tokens
        if not provider or "." not in provider:
            return None
    try:
        return genai_prices.calc_price(tokens, model, provider_api_url=f"https://{provider}/").total_price
    except (LookupError, ValueError):  # as above
        return None
