"""The role that scores: every unit's inbox in turn, a batch at a time, so that none starves.

Wakes when the bell rings and looks once a second anyway. Waits out a database that is away.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from uuid import UUID

from flask import Flask

from leadvibe.events import queries as event_queries
from leadvibe.identity import queries as identity_queries
from leadvibe.identity.types import Scope
from leadvibe.jobs.stopping import StopRequest
from leadvibe.lib.bell import Bell
from leadvibe.lib.db import OUTAGES, is_outage, reset, rollback
from leadvibe.lib.queue import JobQueue
from leadvibe.lib.radio import Transmitter
from leadvibe.pipeline import process, rescore
from leadvibe.pipeline.claims import ReadAhead
from leadvibe.pipeline.process import NOBODY, Listeners
from leadvibe.scoring import queries as score_queries

LOOK_SECONDS = 1.0
SMALL_ROUND = 500
LULL_SECONDS = 0.05
"""After a small round: events that come in meanwhile make one batch instead of many small ones."""

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
SET_ASIDE_SECONDS = 30.0
"""How long a unit waits whose batch failed as a whole, which a bug alone brings about."""

FIRST_BURST = 500
"""Events after which the statistics are looked at for the first time; then whenever they double."""

_log = logging.getLogger(__name__)


def run(app: Flask, stop: StopRequest) -> None:
    """Score until asked to stop."""
    broker = app.extensions["leadvibe.redis"]
    listener, audience = Bell(broker).listen(), Transmitter(broker)
    audience.start()
    listeners = Listeners(audience, JobQueue(broker))
    rounds = Rounds(stop, batch_size=app.config["PIPELINE_BATCH_SIZE"], listeners=listeners)
    pause_seconds = FIRST_PAUSE_SECONDS
    while not stop.is_made:
        with app.app_context():
            try:
                claimed = rounds.go()
            except OUTAGES as error:
                _log.warning("the database is away, trying again soon: %s", _first_line(error))
                reset()
                stop.wait(pause_seconds)
                pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)
                continue
        pause_seconds = FIRST_PAUSE_SECONDS
        if claimed == 0:
            listener.wait(timeout_seconds=LOOK_SECONDS)
        elif claimed < SMALL_ROUND:
            stop.wait(LULL_SECONDS)
    listener.close()


class Rounds:
    """Goes through the units that have something to do, over and over."""

    def __init__(
        self, stop: StopRequest, *, batch_size: int, listeners: Listeners = NOBODY
    ) -> None:
        self._stop = stop
        self._batch_size = batch_size
        self._listeners = listeners
        self._ahead = ReadAhead()
        self._scopes: dict[UUID, Scope] = {}
        self._aside_until: dict[UUID, float] = {}
        self._claimed = 0
        self._burst = FIRST_BURST

    def go(self) -> int:
        """Process one batch of each waiting unit; returns how many events that were.

        Without any, shows the right score on leads whose ruleset has changed.
        """
        claimed = sum(
            self._give_turn(unit_id, self._process_batch)
            for unit_id in event_queries.units_waiting()
        )
        self._claimed += claimed
        if self._claimed >= self._burst:
            self._burst = self._claimed * 2
            process.refresh_statistics()
        if claimed == 0:
            for unit_id in score_queries.units_with_stale_headlines():
                self._give_turn(unit_id, _refresh_headlines)
        rollback()
        return claimed

    def _give_turn(self, unit_id: UUID, step: Callable[[Scope], int]) -> int:
        scope = self._scope(unit_id)
        if scope is None:
            return 0
        try:
            return step(scope)
        except Exception as error:  # the edge of a unit's work: the other units must go on
            if is_outage(error):
                raise
            self._set_aside(unit_id)
            return 0

    def _process_batch(self, scope: Scope) -> int:
        batch = process.process_batch(
            scope, limit=self._batch_size, listeners=self._listeners, ahead=self._ahead
        )
        return batch.claimed

    def _set_aside(self, unit_id: UUID) -> None:
        """Log what went wrong and leave the unit alone for a while."""
        _log.exception("unit %s is set aside for %d s", unit_id, SET_ASIDE_SECONDS)
        self._aside_until[unit_id] = time.monotonic() + SET_ASIDE_SECONDS
        reset()

    def _scope(self, unit_id: UUID) -> Scope | None:
        """Return the unit's scope if its turn is now."""
        is_aside = self._aside_until.get(unit_id, 0.0) > time.monotonic()
        if self._stop.is_made or is_aside:
            return None
        if unit_id not in self._scopes and (found := identity_queries.find_scope(unit_id)):
            self._scopes[unit_id] = found
        return self._scopes.get(unit_id)


def _refresh_headlines(scope: Scope) -> int:
    rescore.refresh_headlines(scope)
    return 0


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
