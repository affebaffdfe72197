"""The job that ends claims of leads."""

from __future__ import annotations

from leadvibe.jobs.units import in_unit
from leadvibe.leads.ownership import release_claims as release
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit

RELEASE_CLAIMS = "leadvibe.jobs.claims.release_claims"
"""What the schedule sends for a unit."""


def release_claims(unit_id: str) -> None:
    """Put leads back into the pool whose claim has ended. Called twice, it does no harm."""
    with in_unit(unit_id, f"claims in unit {unit_id}") as scope:
        if scope is not None:
            release(scope, now=utc_now())
            commit()
