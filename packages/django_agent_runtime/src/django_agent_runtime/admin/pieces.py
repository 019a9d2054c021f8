"""What admin pages show as HTML: everything that was said or stored is escaped."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

__all__ = ["STYLE", "as_json", "as_text", "link_to", "table"]

STYLE = {"all": ["django_agent_runtime/admin.css"]}
"""What pages with these tables need; an admin's `Media.css`."""


def as_json(value: Any) -> SafeString:
    """JSON data, indented."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return format_html('<pre class="agent-json">{}</pre>', _shown(text))


def as_text(text: str) -> SafeString:
    """What was said, with its lines."""
    return format_html('<span class="agent-text">{}</span>', _shown(text))


def link_to(row: models.Model | None, text: str = "") -> SafeString | str:
    """A link to a row's page."""
    if row is None:
        return "-"
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', address, text or str(row))


def table(headings: Iterable[str], rows: Iterable[Iterable[Any]], *, name: str) -> SafeString:
    """A table of rows; `name` is its class."""
    head = format_html_join("", "<th>{}</th>", ((heading,) for heading in headings))
    cells = ((format_html_join("", "<td>{}</td>", ((_cell(value),) for value in row)),) for row in rows)
    body = format_html_join("", "<tr>{}</tr>", cells)
    return format_html(
        '<table class="agent-table {}"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', name, head, body
    )


def _cell(value: Any) -> Any:
    if isinstance(value, SafeString):
        return value
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "DATETIME_FORMAT")
    return _shown(value) if isinstance(value, str) else value


def _shown(text: str) -> str:
    """The text without halves of emoji, which no page can be sent with."""
    return text.encode("utf-8", "replace").decode()
