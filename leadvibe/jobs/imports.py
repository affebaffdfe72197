"""The job that reads an uploaded file into the inbox."""

from __future__ import annotations

import logging
from uuid import UUID

from flask import current_app

from leadvibe.identity import queries as identity_queries
from leadvibe.imports import service as imports
from leadvibe.jobs.stopping import StopRequest
from leadvibe.lib.bell import Bell
from leadvibe.lib.db import OUTAGES, reset

_log = logging.getLogger(__name__)


def run_import(unit_id: str, import_id: str) -> None:
    """Import a file from where it stands. Called twice, or by two workers, it does no harm."""
    try:
        _advance(UUID(unit_id), UUID(import_id))
    except OUTAGES as error:
        _log.warning("import %s waits for the database: %s", import_id, error)
        reset()


def _advance(unit_id: UUID, import_id: UUID) -> None:
    scope = identity_queries.find_scope(unit_id)
    if scope is None:
        _log.warning("import %s belongs to no unit any more", import_id)
        return
    stop: StopRequest | None = current_app.extensions.get("leadvibe.stop")
    bell: Bell = current_app.extensions["leadvibe.bell"]
    imports.advance_import(
        scope,
        import_id,
        ring=bell.ring,
        is_stopping=lambda: stop is not None and stop.is_made,
    )
