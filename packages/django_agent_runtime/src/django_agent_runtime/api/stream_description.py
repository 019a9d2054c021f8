"""What a description of the API says of the stream, which is a plain view."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.response import Response
from rest_framework.views import APIView

from django_agent_runtime.api.openapi import header, query, streamed, words
from django_agent_runtime.api.serializers import ErrorSerializer

__all__ = ["StreamDescription"]

_ERRORS = dict.fromkeys((400, 403, 404, 503), ErrorSerializer)


class StreamDescription(APIView):
    """Read by tools, never called."""

    @words(
        operation_id="runs_events",
        parameters=[
            query("from_seq", "The number of the first event.", int),
            query("include_debug", "Also events of the level `debug`.", bool),
            query("include_all", "All events.", bool),
            query("token", "A token of the REST framework's, for clients that cannot send headers."),
            query("anonymous_token", "The token of a session without a user."),
            header("Last-Event-ID", "The number of the last event that was seen; goes before `from_seq`."),
        ],
        responses={
            **streamed("Events as they come, until the run is over: `event`, `data` (JSON) and `id` (the number)."),
            **_ERRORS,
        },
    )
    def get(self, request: Any, run_id: str) -> Response:
        """Follow a run."""
        raise MethodNotAllowed("GET")  # the stream itself is served by a plain view
