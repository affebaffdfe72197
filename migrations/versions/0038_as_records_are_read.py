"""Values, times and consents of leads that 0031 recorded otherwise than they are read since.

Why: it recorded whatever the database reads as one. A single value "NaN" made the total of its day,
and so of all leads, no number for good; a time such as "infinity" cannot be read here; and consents
that are "granted" or "denied" were not known.

Revision ID: 0038
"""

from __future__ import annotations

from alembic import op

revision = "0038"
down_revision = "0037"

TIMES = ("next_call_at", "expires_at")
VALID = {
    "value": "abs(value) < 1e15",
    **{name: f"{name} >= '0001-01-02' AND {name} < '9999-12-31'" for name in TIMES},
}
CONSENTS = ("ad_storage", "ad_user_data", "analytics_storage", "ad_personalization")


def upgrade() -> None:
    _take_out()
    _sum_again()
    _read_consents()


def _take_out() -> None:
    wanted = ", ".join(
        f"{name} = CASE WHEN {valid} THEN {name} END" for name, valid in VALID.items()
    )
    wrong = " OR ".join(f"NOT ({valid})" for valid in VALID.values())
    op.execute(f"UPDATE lead_records SET {wanted} WHERE {wrong}")


def _sum_again() -> None:
    """Make numbers of totals that are none: taking out what made them so does not."""
    op.execute(
        """
        UPDATE lead_record_counts c SET value = (
            SELECT coalesce(sum(r.value::numeric), 0) FROM lead_records r
            WHERE r.unit_id = c.unit_id AND r.is_listed AND r.outcome = c.outcome
              AND r.intake = c.intake AND r.created_at >= c.day::timestamp AT TIME ZONE 'UTC'
              AND r.created_at < (c.day + 1)::timestamp AT TIME ZONE 'UTC'
              AND CASE c.facet
                  WHEN '' THEN true
                  WHEN 'is_contacted' THEN r.status = 'contacted'
                  WHEN 'is_owned' THEN r.owner_id IS NOT NULL
                  WHEN 'is_owned_contacted' THEN r.status = 'contacted' AND r.owner_id IS NOT NULL
                  ELSE to_jsonb(r)->>c.facet IS NOT NULL
              END
        )
        WHERE c.value IN ('NaN', 'Infinity', '-Infinity')
        """
    )


def _read_consents() -> None:
    recorded = ", ".join(f"r.{name}" for name in CONSENTS)
    said = ", ".join(
        f"CASE WHEN lower(btrim(l.metadata->>'{name}')) IN ('granted', 'true', '1') THEN true"
        f" WHEN lower(btrim(l.metadata->>'{name}')) IN ('denied', 'false', '0') THEN false END"
        for name in CONSENTS
    )
    names = ", ".join(f"'{name}'" for name in CONSENTS)
    op.execute(
        f"""
        UPDATE lead_records r SET ({", ".join(CONSENTS)}) = ROW({said})
        FROM leads l
        WHERE l.unit_id = r.unit_id AND l.lead_id = r.lead_id AND l.metadata ?| ARRAY[{names}]
          AND ({recorded}) IS DISTINCT FROM ({said})
        """
    )
