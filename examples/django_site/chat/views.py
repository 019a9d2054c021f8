"""The page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie

from chat.models import Visitor


@ensure_csrf_cookie
def page(request: HttpRequest) -> HttpResponse:
    """The chat; who is not signed in gets a token, which their session keeps."""
    token = ""
    if not request.user.is_authenticated:
        token = request.session.get("visitor", "")
        visitor = Visitor.objects.filter(token=token).first() if token else None
        if visitor is None or visitor.is_expired:
            token = request.session["visitor"] = Visitor.objects.create().token
    return render(request, "chat/page.html", {"token": token})
