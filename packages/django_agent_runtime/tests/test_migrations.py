"""The migrations say what the models say, and lead there and back on both databases."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connections
from django.test import TestCase

from tests.django_project.project import in_the_thread_of_the_orm


def test_models_and_migrations_agree():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def tables(alias: str) -> set[str]:
    return {name for name in connections[alias].introspection.table_names() if name.startswith("agent_")}


def test_the_tables_are_made_and_taken_away_again(alias):
    def there_and_back() -> list[set[str]]:
        found = [tables(alias)]
        for target in ("zero", "0001"):
            call_command("migrate", "django_agent_runtime", target, database=alias, verbosity=0)
            found.append(tables(alias))
        return found

    before, without, again = in_the_thread_of_the_orm(there_and_back)

    assert without == set()
    assert before == again
    assert {"agent_runtime_conversation", "agent_runtime_run", "agent_step_checkpoint"} < again


class TestQueries(TestCase):
    """Names are compared by code points, whatever the database's language is set to."""

    def test_names_differ_in_case(self):
        from django_agent_runtime.models import AgentConversation

        AgentConversation.objects.create(store_name="a")
        AgentConversation.objects.create(store_name="A")

        assert AgentConversation.objects.filter(store_name="a").count() == 1
