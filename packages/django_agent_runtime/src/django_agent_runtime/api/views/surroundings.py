"""What all parts of the API have in common: who is recognised and let in, and how errors are answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.functional import cached_property
from rest_framework.renderers import JSONRenderer
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from django_agent_runtime.api.errors import answer_to, check_size
from django_agent_runtime.api.owner import Owner
from django_agent_runtime.api.permissions import AnonymousSessionAuthentication, KnownOrListing

__all__ = ["AnyTextRenderer", "Surroundings"]


class AnyTextRenderer(JSONRenderer):
    """JSON that can hold any text, half an emoji, too."""

    ensure_ascii = True


class Surroundings(APIView):
    """A view of the API. A project's subclass sets what is to be different."""

    authentication_classes: Any = (*api_settings.DEFAULT_AUTHENTICATION_CLASSES, AnonymousSessionAuthentication)
    permission_classes: Any = (KnownOrListing,)
    renderer_classes: Any = (AnyTextRenderer,)

    @cached_property
    def owner(self) -> Owner:
        """Whose request it is."""
        return Owner.of(self.request)

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        """Look at the request before anything is read of it."""
        check_size(request)
        super().initial(request, *args, **kwargs)

    def get_exception_handler(self) -> Callable[..., Any]:
        """Errors are answered in JSON, whatever the project does elsewhere."""
        return answer_to

    def get_authenticate_header(self, request: Any) -> Any:
        """What a response with 401 asks for: the first way to be recognised that has a name."""
        headers = (each.authenticate_header(request) for each in self.get_authenticators())
        return next((header for header in headers if header), None)
