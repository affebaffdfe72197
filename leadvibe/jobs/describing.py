"""The jobs about who leads are: backfills, and scores made anew after a change of rules."""

from __future__ import annotations

from uuid import UUID

from leadvibe.imports import backfills
from leadvibe.jobs.units import in_unit, is_stopping
from leadvibe.pipeline import attributes


def run_backfill(unit_id: str, backfill_id: str) -> None:
    """Go on with a backfill. Called twice, or by two workers, it does no harm."""
    with in_unit(unit_id, f"backfill {backfill_id}") as scope:
        if scope is not None:
            backfills.advance_backfill(scope, UUID(backfill_id), is_stopping=is_stopping)


def rescore_attributes(unit_id: str) -> None:
    """Make stale scores of a unit anew. Called twice, or by two workers, it does no harm."""
    with in_unit(unit_id, f"rescoring unit {unit_id} by attributes") as scope:
        if scope is not None:
            attributes.advance_rescores(scope, is_stopping=is_stopping)
