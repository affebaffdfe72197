"""The typed copy of what is recorded of leads: one row for each, which lists filter and sort by.

Written whenever a lead is named anew (service.refresh_names), so it says what metadata and aliases
say. Only the status has a truth of its own, see statuses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pydantic_core import to_json

from leadvibe.identity.types import Scope
from leadvibe.leads.fields import FIELDS, as_recorded, read_fields
from leadvibe.leads.naming import person_of
from leadvibe.leads.types import AliasKind
from leadvibe.lib.db import driver

RECORD_PROPERTIES = frozenset({field.name for field in FIELDS})

_COPIED = (
    "display_name", "name", "email", "phone", "emails", "phones",
    *(field.name for field in FIELDS),
)  # fmt: skip
_KEYS = ("unit_id", "lead_id", "intake", "created_at", "updated_at")


class Told(NamedTuple):
    """What there is to record of a lead; `aliases` are (kind, value), the oldest first.

    `display_name` is what lists call it (naming.name_lead).
    """

    lead_id: str
    display_name: str
    source: str
    created_at: datetime
    metadata: Mapping[str, Any]
    aliases: Sequence[tuple[str, str]]


def write_records(scope: Scope, told: Iterable[Told], *, now: datetime) -> None:
    """Record leads; one that is recorded so already is left as it is, its last change too."""
    rows = [_row(scope, each, now) for each in told]
    if not rows:
        return
    columns, copied = ", ".join((*_KEYS, *_COPIED)), ", ".join(_COPIED)
    fresh = ", ".join(f"excluded.{name}" for name in _COPIED)
    stored = ", ".join(f"lead_records.{name}" for name in _COPIED)
    driver().execute(
        f"""
        INSERT INTO lead_records ({columns})
        SELECT {columns} FROM json_populate_recordset(NULL::lead_records, %s::json)
        ON CONFLICT (unit_id, lead_id)
        DO UPDATE SET ({copied}, updated_at)
            = ROW({fresh}, greatest(lead_records.created_at, excluded.updated_at))
        WHERE ({stored}) IS DISTINCT FROM ({fresh})
        """,  # noqa: S608 - names of ours
        (to_json(rows).decode(),),
    )


def set_listed(scope: Scope, lead_ids: Collection[str], *, is_listed: bool) -> None:
    """Take leads that are merged out of all lists, or let them in again."""
    driver().execute(
        "UPDATE lead_records SET is_listed = %s WHERE unit_id = %s AND lead_id = ANY(%s)",
        (is_listed, scope.unit_id, list(lead_ids)),
    )


def copy_owners(
    scope: Scope, lead_ids: Collection[str], *, claimed_until: datetime | None = None, now: datetime
) -> None:
    """Let the records say who looks after leads, for good unless it is said until when."""
    driver().execute(
        """
        UPDATE lead_records r
        SET owner_id = l.owner_id, claimed_until = %(until)s,
            updated_at = greatest(r.created_at, %(now)s)
        FROM leads l
        WHERE r.unit_id = %(unit)s AND r.lead_id = ANY(%(ids)s)
          AND r.is_listed
          AND l.unit_id = r.unit_id AND l.lead_id = r.lead_id
          AND (r.owner_id, r.claimed_until) IS DISTINCT FROM (l.owner_id, %(until)s::timestamptz)
        """,
        {"unit": scope.unit_id, "ids": list(lead_ids), "until": claimed_until, "now": now},
    )


def intake_of(source: str) -> str:
    """Return the kind of source that a lead came from: api, import, wordpress, gtm, manual."""
    kind = source.partition(":")[0]
    return _INTAKES.get(kind, "inbound")


_INTAKES = {
    "api": "api",
    "octanist": "api",
    "nexus": "api",
    "import": "import",
    "sample": "import",
    "wordpress": "wordpress",
    "gtm": "gtm",
    "manual": "manual",
}


def _row(scope: Scope, told: Told, now: datetime) -> dict[str, Any]:
    emails = [value for kind, value in told.aliases if kind == AliasKind.EMAIL]
    phones = [value for kind, value in told.aliases if kind == AliasKind.PHONE]
    return {
        "unit_id": scope.unit_id,
        "lead_id": told.lead_id,
        "intake": intake_of(told.source),
        "created_at": told.created_at,
        "updated_at": max(now, told.created_at),
        "display_name": told.display_name,
        "name": person_of(told.metadata) or None,
        "email": as_recorded(emails[0]) if emails else None,
        "phone": as_recorded(phones[0]) if phones else None,
        "emails": emails,
        "phones": phones,
        **read_fields(told.metadata),
    }
