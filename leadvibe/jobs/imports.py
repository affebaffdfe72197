"""The jobs that bring data in: an uploaded file is read into the inbox, sample data is loaded."""

from __future__ import annotations

from uuid import UUID

from flask import current_app

from leadvibe.imports import sampling, undoing
from leadvibe.imports import service as imports
from leadvibe.jobs.units import in_unit, is_stopping
from leadvibe.lib.bell import Bell


def run_import(unit_id: str, import_id: str) -> None:
    """Import a file from where it stands. Called twice, or by two workers, it does no harm."""
    with in_unit(unit_id, f"import {import_id}") as scope:
        if scope is not None:
            imports.advance_import(
                scope, UUID(import_id), ring=_bell().ring, is_stopping=is_stopping
            )


def undo_import(unit_id: str, import_id: str) -> None:
    """Undo an import. Called twice, or by two workers, it does no harm."""
    with in_unit(unit_id, f"the undoing of import {import_id}") as scope:
        if scope is not None:
            undoing.advance_undo(scope, UUID(import_id), is_stopping=is_stopping)


def load_sample(unit_id: str) -> None:
    """Load the sample that the unit waits for. Called twice, or by two workers, it does no harm."""
    with in_unit(unit_id, f"the sample data of unit {unit_id}") as scope:
        if scope is not None:
            sampling.advance_sample(scope, ring=_bell().ring)


def _bell() -> Bell:
    bell: Bell = current_app.extensions["leadvibe.bell"]
    return bell
