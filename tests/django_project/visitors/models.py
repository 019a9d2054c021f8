"""Sessions of people without a user."""

from __future__ import annotations

import secrets
import uuid

from django.db import models

__all__ = ["Visitor"]


class Visitor(models.Model):
    """Somebody who is known by a token."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    token = models.CharField(max_length=64, unique=True, default=secrets.token_urlsafe)
    is_expired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return str(self.id)
