"""Opening a stream: who asks, for which run, from where on, and what is there already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import APIException, Throttled, ValidationError
from rest_framework.request import Request
from rest_framework.settings import api_settings

from agent_runtime_core.errors import AgentRuntimeError
from django_agent_runtime.api.errors import Refused, described
from django_agent_runtime.api.owner import Owner
from django_agent_runtime.api.pagination import whole_number
from django_agent_runtime.api.permissions import AnonymousSessionAuthentication
from django_agent_runtime.api.throttling import StreamThrottle
from django_agent_runtime.conf import runtime_settings
from django_agent_runtime.models import AgentRun
from django_agent_runtime.runtime.events import Event, read_events

__all__ = ["Opening", "opened"]

_ON = frozenset({"1", "true", "yes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A stream that may begin."""

    run_id: UUID
    events: Sequence[Event]
    """What has happened."""
    is_over: bool
    """Whether nothing more will."""
    next_seq: int
    """The number of the first event that is yet to come."""
    shows: Callable[[Event], bool]
    """Whether an event is for the eyes of whoever asks."""


def opened(request: HttpRequest, run_id: Any) -> Opening | HttpResponse:
    """The stream, or the answer that says why there is none."""
    try:
        return _opened(request, run_id)
    except Throttled as error:
        wait: float | None = getattr(error, "wait", None)
        headers = {} if wait is None else {"Retry-After": str(int(wait) + 1)}
        return JsonResponse({"error": str(error.detail)}, status=429, headers=headers)
    except ValidationError as error:
        (words,) = next(iter(error.detail.values()))  # type: ignore[union-attr]  # of `whole_number`
        name = next(iter(error.detail))
        return JsonResponse({"error": f"{name}: {words}"}, status=400)
    except APIException as error:
        return JsonResponse({"error": str(error.detail)}, status=error.status_code)
    except (Error, AgentRuntimeError) as error:
        code, words = described(error)
        return JsonResponse({"error": words}, status=code, headers={"Retry-After": "5"} if code == 503 else None)


def _opened(request: HttpRequest, run_id: Any) -> Opening | HttpResponse:
    if request.method != "GET":
        return JsonResponse({"error": "Streams are read with GET."}, status=405, headers={"Allow": "GET"})
    if not runtime_settings().ENABLE_SSE:
        raise Refused("Streams are off: ENABLE_SSE is False.", 503)
    try:
        run_id = run_id if isinstance(run_id, UUID) else UUID(run_id)
    except ValueError:
        raise Refused("This is no id of a run.") from None
    # Browsers send the number of the last event that they have seen when they come back, to the same address.
    last_seen = request.headers.get("Last-Event-ID") or None
    from_seq = whole_number(request.GET.get("from_seq"), "from_seq", default=0)
    if last_seen is not None:
        from_seq = whole_number(last_seen, "Last-Event-ID", default=0) + 1
    _authorise(request, run_id)
    is_over, events = read_events(run_id, from_seq)
    shows = _filter(request)
    if last_seen is not None and is_over and not any(map(shows, events)):
        return HttpResponse(status=204)  # tells a browser not to come back again
    next_seq = events[-1].seq + 1 if events else from_seq
    return Opening(run_id=run_id, events=events, is_over=is_over, next_seq=next_seq, shows=shows)


def _authorise(request: HttpRequest, run_id: UUID) -> None:
    who = _recognised(request)
    throttle = StreamThrottle()
    if not throttle.allow_request(who, None):  # type: ignore[arg-type]  # it asks nothing of a view
        raise Throttled(throttle.wait())
    owner = Owner.of(who)
    if owner.runs().filter(pk=run_id).exists():
        return
    if AgentRun.objects.filter(pk=run_id).exists():
        raise Refused("This run is not yours.", 403)
    raise Refused("There is no such run.", 404)


def _recognised(request: HttpRequest) -> Request:
    """The request with its user or session: by the project's ways, or a token in the query, which browsers can send."""
    ways: list[Any] = [*api_settings.DEFAULT_AUTHENTICATION_CLASSES, AnonymousSessionAuthentication]
    token = request.GET.get("token")
    if token and apps.is_installed("rest_framework.authtoken"):
        ways.insert(len(ways) - 1, _of_token(token))
    return Request(request, authenticators=[way() for way in ways])


def _of_token(token: str) -> type[TokenAuthentication]:
    class QueryToken(TokenAuthentication):
        def authenticate(self, request: Any) -> Any:
            return self.authenticate_credentials(token)

    return QueryToken


def _filter(request: HttpRequest) -> Callable[[Event], bool]:
    def is_on(name: str) -> bool:
        return request.GET.get(name, "").strip().lower() in _ON

    everything, debug = is_on("include_all"), is_on("include_debug")
    return lambda event: everything or event.ui_visible or (debug and event.visibility_level == "debug")
