"""The app: at start-up the core is configured from Django's settings and the project's agents are found."""

from __future__ import annotations

import logging
import os
import sys

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
        if _serves_in_development():
            from django_agent_runtime.runtime.desk import present_desk
            from django_agent_runtime.runtime.engine import is_in_process

            if is_in_process():
                present_desk()  # it takes up what the process before has left


def _serves_in_development() -> bool:
    """Whether this is the process of `runserver` that serves, and not the one that watches it."""
    is_server = sys.argv[1:2] == ["runserver"]
    return is_server and (os.environ.get("RUN_MAIN") == "true" or "--noreload" in sys.argv)
