"""The Django project of the tests: databases of their own, a SQLite file and one on the PostgreSQL server."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

_SERVER = urlsplit(os.environ.get("AGENT_RUNTIME_TEST_POSTGRESQL", "postgresql://postgres@localhost:5432/postgres"))
# A process that a test has started finds the test's databases.
NAME_VARIABLE = "AGENT_RUNTIME_TEST_DJANGO_DATABASE"
_NAME = os.environ.get(NAME_VARIABLE) or f"agent_runtime_django_{uuid4().hex}"

SECRET_KEY = "of the tests"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
USE_TZ = True
LOGGING_CONFIG: str | None = None  # the other packages' tests look at the log, too
ROOT_URLCONF = "tests.django_project.urls"
STATIC_URL = "static/"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(tempfile.gettempdir()) / f"{_NAME}.db",
        "OPTIONS": {"timeout": 30, "init_command": "PRAGMA synchronous=OFF;"},  # no test cuts the power
    },
    "postgresql": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": _SERVER.hostname,
        "PORT": _SERVER.port or 5432,
        "USER": _SERVER.username or "",
        "PASSWORD": _SERVER.password or "",
        "NAME": _NAME,
    },
}

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "django_agent_runtime",
    "tests.django_project.visitors",
]

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick; the tests' passwords guard nothing

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework.authentication.TokenAuthentication",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
