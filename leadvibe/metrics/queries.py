"""Reads of figures across all units, and of whether this code can work with the database."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from leadvibe.events import queries as events
from leadvibe.lib.db import rollback, session
from leadvibe.metrics.types import Figures


def get_figures() -> Figures:
    """Return what has come in so far and what of it still waits."""
    return Figures(events.count_accepted(), events.inbox_status().waiting)


def find_revision() -> str | None:
    """Return which migration the database is at, None before the first."""
    try:
        revision: str | None = session().scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:  # there is no such table yet
        rollback()
        return None
    return revision
