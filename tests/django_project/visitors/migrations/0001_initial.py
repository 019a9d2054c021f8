"""Visitors."""

import secrets
import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Visitor",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("token", models.CharField(default=secrets.token_urlsafe, max_length=64, unique=True)),
                ("is_expired", models.BooleanField(default=False)),
            ],
        ),
    ]
