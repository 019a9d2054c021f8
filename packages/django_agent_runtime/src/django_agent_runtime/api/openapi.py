"""The API's description for drf-spectacular, where a project has it; without it the functions change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from drf_spectacular.extensions import OpenApiAuthenticationExtension
    from drf_spectacular.types import OpenApiTypes
    from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
except ModuleNotFoundError as missing:
    if missing.name is None or not missing.name.startswith("drf_spectacular"):
        raise
    IS_THERE = False
else:
    IS_THERE = True

    # The library knows it by its being there.
    class _AnonymousToken(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
        target_class = "django_agent_runtime.api.permissions.AnonymousSessionAuthentication"
        name = "anonymousToken"

        def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
            return {"type": "apiKey", "in": "header", "name": "X-Anonymous-Token"}


__all__ = ["IS_THERE", "header", "query", "streamed", "views", "words"]


def words(**options: Any) -> Callable[[Any], Any]:
    """Describe one operation, in the words of `extend_schema`."""
    return extend_schema(**options) if IS_THERE else _unchanged


def views(**operations: Any) -> Callable[[Any], Any]:
    """Describe the operations that a class inherits; each is what `words` gives."""
    return extend_schema_view(**operations) if IS_THERE else _unchanged


def query(name: str, description: str, kind: type = str) -> Any:
    """A parameter of the query."""
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=description) if IS_THERE else name


def header(name: str, description: str) -> Any:
    """A header of the request."""
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description) if IS_THERE else name


def streamed(description: str) -> Any:
    """A response that is a stream of events."""
    return {(200, "text/event-stream"): OpenApiResponse(OpenApiTypes.STR, description)} if IS_THERE else {}


def _unchanged(described: Any) -> Any:
    return described
