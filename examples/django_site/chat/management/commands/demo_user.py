"""`manage.py demo_user`: somebody to sign in as."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Makes the user `demo`, who may see the admin, with a new password."""

    help = "Make the user 'demo' with a new password, and print it."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the user, and print the password."""
        password = secrets.token_urlsafe(6)
        user, _ = get_user_model().objects.get_or_create(
            username="demo", defaults={"is_staff": True, "is_superuser": True}
        )
        user.set_password(password)
        user.save()
        self.stdout.write(f"Sign in as demo, password {password}, or talk without.")
