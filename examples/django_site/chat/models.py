"""People who talk without a user."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

from django.db import models
from django.utils import timezone

LIFETIME = timedelta(days=30)


class Visitor(models.Model):
    """Known by a token, for thirty days."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token = models.CharField(max_length=64, unique=True, default=secrets.token_urlsafe, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_expired(self) -> bool:
        return timezone.now() - self.created_at > LIFETIME
