"""Lists in pages: the body is the list, the header `Link` says where it goes on."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as InvalidValue
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response

__all__ = ["LatestUpdateFirst", "NewestFirst", "whole_number"]


def whole_number(given: Any, name: str, *, default: int, least: int = 0, most: int | None = None) -> int:
    """A number of the query.

    Raises:
        ValidationError: It is none, or too small. What is too large is as much as there may be.
    """
    if given is None:
        return default
    text = str(given)
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) >= least):
        raise ValidationError({name: [f"Give a whole number, {least} or more."]})
    return int(text) if most is None else min(int(text), most)


class _Pages(CursorPagination):
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200

    def get_page_size(self, request: Any) -> int:
        """What `limit` asks for.

        Raises:
            ValidationError: It is no number.
        """
        limit = request.query_params.get(self.page_size_query_param)
        return whole_number(limit, "limit", default=self.page_size, least=1, most=self.max_page_size)

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any] | None:
        """One page.

        Raises:
            NotFound: The cursor is none of ours.
        """
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, InvalidValue):  # it names no time
            raise NotFound("Invalid cursor") from None

    def get_paginated_response(self, data: Any) -> Response:
        """The list."""
        links = {"next": self.get_next_link(), "prev": self.get_previous_link()}
        link = ", ".join(f'<{url}>; rel="{name}"' for name, url in links.items() if url is not None)
        return Response(data, headers={"Link": link} if link else None)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The list."""
        return schema


class NewestFirst(_Pages):
    """Pages by time of creation."""

    ordering = ("-created_at", "-id")


class LatestUpdateFirst(_Pages):
    """Pages by time of the last change."""

    ordering = ("-updated_at", "-id")
