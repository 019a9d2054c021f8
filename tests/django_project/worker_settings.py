"""The tests' project as a worker's process has it: on the database of the test, with an agent that can be held up."""

from __future__ import annotations

import json
import os

from tests.django_project.settings import *  # noqa: F403

DATABASES = {"default": json.loads(os.environ["AGENT_RUNTIME_TEST_DATABASE"])}
DJANGO_AGENT_RUNTIME = {
    "ENGINE": os.environ["AGENT_RUNTIME_TEST_ENGINE"],
    "RUNTIME_REGISTRY": ["tests.django_project.held:register"],
    "AUTO_GENERATE_CONVERSATION_TITLE": False,
    "RETRY_BACKOFF_BASE": 0.0,
}
LOGGING = {
    "version": 1,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
LOGGING_CONFIG = "logging.config.dictConfig"
