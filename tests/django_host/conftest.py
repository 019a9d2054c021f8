"""A Django project that is set up, for journeys in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.django_project.project import emptied, set_up

set_up()


@pytest.fixture(params=["default", "postgresql"])
def alias(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each of the project's databases, empty before and after."""
    request.getfixturevalue("django_sqlite" if request.param == "default" else "django_postgresql")
    yield emptied(request.param)
    emptied(request.param)
