"""`manage.py runagent`, as far as it refuses; what it does is in `runtime/test_workers.py`."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from tests.django_project.project import in_the_thread_of_the_orm


def refusal(*arguments: str) -> str:
    def call() -> None:
        call_command("runagent", *arguments)

    with pytest.raises(CommandError) as caught:
        in_the_thread_of_the_orm(call)
    return str(caught.value)


def test_it_has_nothing_to_do_where_requests_do_the_runs(default_alias):
    assert "ENGINE" in refusal("--noreload")


@pytest.mark.parametrize("option", ["--queue=postgres", "--agent-keys=a,b", "--lease-ttl-seconds=60"])
def test_options_that_mean_nothing_are_refused(default_alias, option):
    assert f"{option.partition('=')[0]} means nothing" in refusal("--noreload", option)


@pytest.mark.parametrize("option", ["--processes=0", "--concurrency=-1", "--max-attempts=x"])
def test_numbers_are_checked(default_alias, option):
    assert option.partition("=")[0] in refusal("--noreload", option)


def test_a_database_without_our_tables_is_told(default_alias, runtime_setting):
    runtime_setting(ENGINE="durable")

    def migrate(*target: str) -> None:
        call_command("migrate", "django_agent_runtime", *target, verbosity=0)

    in_the_thread_of_the_orm(lambda: migrate("zero"))
    try:
        assert "run `manage.py migrate` first" in refusal("--noreload")
    finally:
        in_the_thread_of_the_orm(migrate)
