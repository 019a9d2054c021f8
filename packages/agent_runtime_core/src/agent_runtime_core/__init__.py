"""LLM clients, configuration, stores and the contracts that journeys and their hosts share."""

__all__ = ["__version__"]

__version__ = "0.3.0"
