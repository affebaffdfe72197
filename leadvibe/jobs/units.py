"""What jobs have in common: the unit they are about, the outages they outlast, and their end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from flask import current_app

from leadvibe.identity import queries as identity_queries
from leadvibe.identity.types import Scope
from leadvibe.jobs.stopping import StopRequest
from leadvibe.lib.db import OUTAGES, reset

_log = logging.getLogger(__name__)


@contextmanager
def in_unit(unit_id: str, what: str, *, even_archived: bool = False) -> Iterator[Scope | None]:
    """Give the unit's scope, or None when it is gone or archived; outages are outlasted."""
    with outlasting_outages(what):
        find = identity_queries.find_scope_of_any if even_archived else identity_queries.find_scope
        scope = find(UUID(unit_id))
        if scope is None:
            _log.info("%s belongs to no unit that is worked in", what)
        yield scope


@contextmanager
def outlasting_outages(what: str) -> Iterator[None]:
    """End quietly when the database is away: the sweep brings back what an outage ends."""
    try:
        yield
    except OUTAGES as error:
        _log.warning("%s waits for the database: %s", what, error)
        reset()


def is_stopping() -> bool:
    """Say whether the worker is asked to stop, for a long job to leave at its next step."""
    stop: StopRequest | None = current_app.extensions.get("leadvibe.stop")
    return stop is not None and stop.is_made
