"""The app: at start-up the core is configured from Django's settings and the project's agents are found."""

from __future__ import annotations

import logging

from django.apps import AppConfig
from django.core.signals import setting_changed

from agent_runtime_core.errors import ConfigError

__all__ = ["DjangoAgentRuntimeConfig"]

_LOGGER = logging.getLogger(__name__)


class DjangoAgentRuntimeConfig(AppConfig):
    """What `INSTALLED_APPS` names."""

    name = "django_agent_runtime"
    label = "django_agent_runtime"
    verbose_name = "Agent runtime"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Configure the core, find the agents, and register the checks."""
        from django_agent_runtime import checks, conf  # noqa: F401 - importing the checks registers them
        from django_agent_runtime.runtime.registry import autodiscover_runtimes

        setting_changed.connect(conf.on_setting_changed, dispatch_uid="django_agent_runtime.conf")
        try:
            conf.configure_core()
        except ConfigError as error:
            # `manage.py check` tells it in its own way; whoever needs the settings gets the error.
            _LOGGER.error("DJANGO_AGENT_RUNTIME cannot be used: %s", error)
            return
        autodiscover_runtimes()
