"""What `manage.py check` says of a project that cannot work as it is configured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections, models, router

from agent_runtime_core.errors import ConfigError
from django_agent_runtime.conf import AgentRuntimeSettings, get_hook, get_settings
from django_agent_runtime.runtime.engine import open_run_engine
from django_agent_runtime.runtime.registry import registering_function

__all__ = ["check_database", "check_engine", "check_keys", "check_settings"]

Apps = Sequence[AppConfig] | None


@register()
def check_settings(app_configs: Apps = None, **kwargs: Any) -> list[CheckMessage]:
    """Keys, values, and what the values name."""
    found: list[CheckMessage] = []
    if not django_settings.USE_TZ:
        found.append(_error("E005", "USE_TZ is False; times of runs and commits have a time zone.", "Set it to True."))
    if not apps.is_installed("rest_framework"):
        found.append(_error("E006", "'rest_framework' is not in INSTALLED_APPS.", "Add it; the API needs it."))
    try:
        settings = get_settings()
    except ConfigError as error:
        return [*found, _error("E001", str(error), "Correct DJANGO_AGENT_RUNTIME in the settings.")]
    return [*found, *_named(settings)]


def _named(settings: AgentRuntimeSettings) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for key in ("AUTHZ_HOOK", "QUOTA_HOOK", "RUN_COMPLETED_HOOK"):
        try:
            get_hook(getattr(settings, key))
        except ConfigError as error:
            found.append(_error("E002", f"{key}: {error}", "Give the dotted path of a function."))
    for path in settings.RUNTIME_REGISTRY:
        try:
            registering_function(path)
        except Exception as error:  # a project's module may raise anything when it is imported
            words = f"RUNTIME_REGISTRY: {path!r} cannot be imported: {type(error).__name__}: {error}"
            found.append(_error("E003", words, "Give 'package.module:function'."))
    if settings.ENGINE != "in-process":
        found += _engine()
    if settings.ANONYMOUS_SESSION_MODEL is not None:
        found += _session_model(settings.ANONYMOUS_SESSION_MODEL)
    return found


def _engine() -> list[CheckMessage]:
    try:
        open_run_engine()
    except ConfigError as error:
        return [_error("E007", f"ENGINE: {error}", "Correct ENGINE, or install what is missing.")]
    return []


def _session_model(name: str) -> list[CheckMessage]:
    try:
        model = apps.get_model(name)
    except (LookupError, ValueError) as error:
        return [_error("E004", f"ANONYMOUS_SESSION_MODEL: {error}", "Give 'app_label.Model'.")]
    if not hasattr(model, "token"):
        return [_error("E004", f"ANONYMOUS_SESSION_MODEL: {name} has no field 'token'.", "Add it.")]
    if not isinstance(model._meta.pk, models.UUIDField):
        words = f"ANONYMOUS_SESSION_MODEL: {name} has no UUID as primary key, by which conversations name sessions."
        return [_error("E004", words, "Make it a models.UUIDField(primary_key=True, default=uuid.uuid4).")]
    return []


@register(Tags.database)
def check_database(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """The database that conversations are in is one on which the store is tested."""
    from django_agent_runtime.models import AgentConversation

    alias = router.db_for_write(AgentConversation)
    if alias not in (databases or ()) or connections[alias].vendor in ("postgresql", "sqlite"):
        return []
    return [
        Warning(
            f"conversations are in a database of the kind {connections[alias].vendor!r}, on which their store is not "
            f"tested.",
            hint="Use PostgreSQL, or SQLite for one machine.",
            id="django_agent_runtime.W001",
        )
    ]


@register(deploy=True)
def check_keys(app_configs: Apps = None, **kwargs: Any) -> list[CheckMessage]:
    """The model's vendor can be asked."""
    try:
        settings = get_settings()
    except ConfigError:  # told by check_settings
        return []
    keys = {"openai": settings.get_openai_api_key, "anthropic": settings.get_anthropic_api_key}
    provider = settings.MODEL_PROVIDER.strip().lower()
    if provider not in keys or keys[provider]():
        return []
    variable = f"{provider.upper()}_API_KEY"
    return [
        Warning(
            f"MODEL_PROVIDER is {provider!r} and there is no key for it.",
            hint=f"Set {variable} in the environment, or in DJANGO_AGENT_RUNTIME.",
            id="django_agent_runtime.W002",
        )
    ]


@register(deploy=True)
def check_engine(app_configs: Apps = None, **kwargs: Any) -> list[CheckMessage]:
    """Runs outlive the process that takes them."""
    try:
        settings = get_settings()
    except ConfigError:  # told by check_settings
        return []
    if settings.ENGINE != "in-process":
        return []
    return [
        Warning(
            "ENGINE is 'in-process': a process that ends takes its runs with it; another one begins them anew.",
            hint="Set ENGINE to 'durable' and start workers with `manage.py runagent`.",
            id="django_agent_runtime.W003",
        )
    ]


def _error(number: str, words: str, hint: str) -> Error:
    return Error(words, hint=hint, id=f"django_agent_runtime.{number}")
