"""Leads as Octanist's clients read them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from leadvibe.dialects.octanist.lead_fields import FIELDS
from leadvibe.leadlist.record_types import Record


def write_lead(record: Record, *, chosen: Collection[str] | None = None) -> dict[str, Any]:
    """Write a lead in full, or its id and what was chosen; what is not known is null."""
    return {
        field.key: field.read(record)
        for field in FIELDS
        if chosen is None or field.key == "id" or field.key in chosen
    }
