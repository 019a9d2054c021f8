"""What goes wrong in a request, as an answer in JSON and a record in the log."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import got_request_exception
from django.db import DataError, Error, IntegrityError
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from agent_runtime_core.errors import ConfigError, StoreUnavailable
from django_agent_runtime.conf import is_debug

__all__ = ["Refused", "TooLarge", "answer_to", "check_size", "described"]

_LOGGER = logging.getLogger("django_agent_runtime.api")

_NO_TABLES = ("no such table", "no such column", "has no column", "does not exist", "doesn't exist")


class Refused(APIException):
    """What cannot be done as things are.

    Args:
        words: Why.
        status_code: The status of the answer.
    """

    def __init__(self, words: str, status_code: int = status.HTTP_400_BAD_REQUEST) -> None:
        super().__init__(words)
        self.status_code = status_code


class TooLarge(Refused):
    """The body is larger than the project takes."""

    def __init__(self, limit: int) -> None:
        words = f"The body has more than {limit} bytes."
        super().__init__(words, status.HTTP_413_REQUEST_ENTITY_TOO_LARGE)


def check_size(request: Any) -> None:
    """Make sure that a body is no larger than `DATA_UPLOAD_MAX_MEMORY_SIZE`, before it is read.

    Raises:
        TooLarge: It is.
    """
    limit = django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    length = request.META.get("CONTENT_LENGTH") or "0"
    if limit is not None and length.isdigit() and int(length) > limit:
        raise TooLarge(limit)


def answer_to(error: Exception, context: dict[str, Any]) -> Response | None:
    """`{"error": ...}`, or the fields of what is invalid; None for what is let through, in debug mode."""
    if isinstance(error, RecursionError):
        error = ValidationError({"non_field_errors": ["The JSON is nested too deeply."]})
    if isinstance(error, DataError):
        error = ValidationError({"non_field_errors": ["The database takes no such value."]})
    response = exception_handler(error, context)
    if response is not None:
        if isinstance(response.data, dict) and "detail" in response.data and not isinstance(error, ValidationError):
            response.data = {"error": response.data["detail"]}
        return response
    if isinstance(error, APIException) or (is_debug() and not isinstance(error, (Error, StoreUnavailable))):
        return None
    set_rollback()
    code, words = described(error)
    request = context.get("request")
    if code == status.HTTP_500_INTERNAL_SERVER_ERROR:
        got_request_exception.send(sender=None, request=getattr(request, "_request", request))
    headers = {"Retry-After": "5"} if code == status.HTTP_503_SERVICE_UNAVAILABLE else None
    return Response({"error": words}, status=code, headers=headers)


def described(error: Exception) -> tuple[int, str]:
    """Status and words for an error that is no fault of the request; it is logged."""
    code, words = _status_and_words(error)
    text = str(error) if isinstance(error, (ConfigError, StoreUnavailable)) else type(error).__name__
    if isinstance(error, Error):
        text = f"{text}: {(str(error).splitlines() or [''])[0]}" if _lacks_tables(error) else text
    _LOGGER.error("A request failed with %s: %s", code, text)
    _LOGGER.debug("A request failed", exc_info=error)
    return code, words


def _status_and_words(error: Exception) -> tuple[int, str]:
    if isinstance(error, IntegrityError):
        return 409, "Somebody has changed or removed what this belongs to; nothing was written."
    if isinstance(error, (Error, StoreUnavailable)):
        if _lacks_tables(error):
            return 503, "The database has not the tables of this version: run manage.py migrate."
        return 503, "The database cannot be used at the moment; nothing was written. Try again."
    if isinstance(error, ConfigError):
        return 500, "The server is not configured as it should be; its log says what is wrong."
    return 500, "Something went wrong on the server; its log says what."


def _lacks_tables(error: Exception) -> bool:
    return any(words in str(error).lower() for words in _NO_TABLES)
