"""What is kept of records beside them, compared with what they say, and made anew.

Triggers keep counts (record_counts) and texts that are searched (lead_record_texts); somebody who
writes to the tables by hand, with triggers off, leaves them wrong.
"""

from __future__ import annotations

from typing import NamedTuple

from leadvibe.identity.types import Scope
from leadvibe.leads.fields import KEPT_SHORT
from leadvibe.leads.record_counts import BY_DAY_OF, CONTACTED, FACETS, OWNED, OWNED_CONTACTED
from leadvibe.lib.db import driver

_KINDS = {
    CONTACTED: "r.status = 'contacted'",
    OWNED: "r.owner_id IS NOT NULL",
    OWNED_CONTACTED: "r.status = 'contacted' AND r.owner_id IS NOT NULL",
    **{column: f"r.{column} IS NOT NULL" for column in sorted(FACETS)},
}
_OTHER_DAYS = {facet: column for column, facet in BY_DAY_OF.items() if facet}
_FACETS = ", ".join(
    f"CASE WHEN {condition} THEN '{it}' END"
    for it, condition in (
        *_KINDS.items(),
        *((facet, f"r.{column} IS NOT NULL") for facet, column in _OTHER_DAYS.items()),
    )
)
_WHENS = " ".join(f"WHEN '{facet}' THEN r.{column}" for facet, column in _OTHER_DAYS.items())
_AT = f"CASE f.facet {_WHENS} ELSE r.created_at END"
_KEY = "facet, outcome, intake, day"
_COUNTED = f"""
    SELECT {_KEY}, count(*) AS leads, sum(coalesce(value, 0)::numeric) AS value FROM (
        SELECT f.facet, r.outcome, r.intake, ({_AT} AT TIME ZONE 'UTC')::date AS day, r.value
        FROM lead_records r, unnest(ARRAY['', {_FACETS}]) AS f (facet)
        WHERE r.unit_id = %(unit)s AND r.is_listed AND f.facet IS NOT NULL
    ) each GROUP BY {_KEY}
"""  # noqa: S608 - names of ours
_HELD = (
    "owner_id", "claimed_until", "next_call_at", "created_at", "updated_at", "qualified_at",
    "value", "clicks",
    *(f"{name}_key" for name in KEPT_SHORT), "status", "outcome", "intake", "name", "email",
)  # fmt: skip
_COPIED = (*_HELD, "contact", "more")
_TEXTS = f"""
    SELECT unit_id, lead_id, {", ".join(_HELD)},
        lower(concat_ws(E'\\n', name, nullif(array_to_string(emails, E'\\n'), ''),
            nullif(array_to_string(phones, E'\\n'), ''))) AS contact,
        lower(concat_ws(E'\\n', company, nullif(display_name, name))) AS more
    FROM lead_records WHERE unit_id = %(unit)s AND is_listed
"""  # noqa: S608 - names of ours
_MOST_NAMED = 1_000


class Wrong(NamedTuple):
    """What is kept, of a lead or of all, and what records say."""

    lead_id: str
    what: str
    kept: object
    recorded: object


def find_wrong(scope: Scope) -> list[Wrong]:
    """Return what is kept otherwise than records say, and no more than some of it."""
    bound = {"unit": scope.unit_id, "most": _MOST_NAMED}
    counts = driver().execute(
        f"""
        SELECT {_KEY}, (kept.leads, kept.value)::text, (counted.leads, counted.value)::text
        FROM (
            SELECT * FROM lead_record_counts
            WHERE unit_id = %(unit)s AND (leads <> 0 OR value <> 0)
        ) kept FULL JOIN ({_COUNTED}) counted USING ({_KEY})
        WHERE (kept.leads, kept.value) IS DISTINCT FROM (counted.leads, counted.value)
        ORDER BY {_KEY} LIMIT %(most)s
        """,  # noqa: S608 - names of ours
        bound,
    )
    found = [
        Wrong("", f"leads and value of {facet or 'all'}, {outcome}, {intake}, {day}", kept, said)
        for facet, outcome, intake, day, kept, said in counts
    ]
    texts = driver().execute(
        f"""
        SELECT lead_id, kept.contact, said.contact FROM (
            SELECT * FROM lead_record_texts WHERE unit_id = %(unit)s
        ) kept FULL JOIN ({_TEXTS}) said USING (unit_id, lead_id)
        WHERE ({", ".join(f"kept.{it}" for it in _COPIED)})
            IS DISTINCT FROM ({", ".join(f"said.{it}" for it in _COPIED)})
        ORDER BY lead_id LIMIT %(most)s
        """,  # noqa: S608 - names of ours
        bound,
    )
    return found + [Wrong(lead_id, "searched text", *differing) for lead_id, *differing in texts]


def make_anew(scope: Scope) -> None:
    """Count records again, and copy the texts that are searched."""
    bound = {"unit": scope.unit_id}
    # Nobody may change a record between its being counted and the count's being kept.
    driver().execute("LOCK TABLE lead_records IN SHARE ROW EXCLUSIVE MODE")
    driver().execute("DELETE FROM lead_record_counts WHERE unit_id = %(unit)s", bound)
    driver().execute(
        f"""
        INSERT INTO lead_record_counts (unit_id, {_KEY}, leads, value)
        SELECT %(unit)s, counted.* FROM ({_COUNTED}) counted
        """,  # noqa: S608 - names of ours
        bound,
    )
    driver().execute(
        """
        DELETE FROM lead_record_texts t
        WHERE t.unit_id = %(unit)s AND NOT EXISTS (
            SELECT FROM lead_records r
            WHERE r.unit_id = t.unit_id AND r.lead_id = t.lead_id AND r.is_listed
        )
        """,
        bound,
    )
    fresh = ", ".join(f"excluded.{it}" for it in _COPIED)
    stored = ", ".join(f"lead_record_texts.{it}" for it in _COPIED)
    # Only what is wrong is written: the index of texts would take minutes of a million leads.
    driver().execute(
        f"""
        INSERT INTO lead_record_texts (unit_id, lead_id, {", ".join(_COPIED)}) {_TEXTS}
        ON CONFLICT (unit_id, lead_id) DO UPDATE SET ({", ".join(_COPIED)}) = ROW({fresh})
        WHERE ({stored}) IS DISTINCT FROM ({fresh})
        """,
        bound,
    )
