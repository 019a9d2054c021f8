"""The addresses of the tests' project."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("agent/", include("django_agent_runtime.urls", namespace="agent_runtime")),
]
