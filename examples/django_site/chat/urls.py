"""The addresses of the project."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from chat.views import page

urlpatterns = [
    path("", page),
    path("agent/schema/", SpectacularAPIView.as_view()),
    path("agent/", include("django_agent_runtime.urls", namespace="agent_runtime")),
    path("admin/", admin.site.urls),
]
