"""A file of events at work: its rows go into the inbox, as fast as the pipeline empties it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic, sleep

from leadvibe.events import queries as event_queries
from leadvibe.events.types import Arrival
from leadvibe.identity.types import Scope
from leadvibe.imports import queries
from leadvibe.imports.batches import Batch, BatchReader
from leadvibe.imports.reading import Records
from leadvibe.imports.rows import RowReader
from leadvibe.imports.types import Import, Stored
from leadvibe.pipeline import intake

DEEPEST_INBOX = 100_000
"""Events that may wait in a unit before an import waits too: some ten seconds of scoring."""

LOOK_AGAIN_SECONDS = 0.25
LONGEST_STANDSTILL_SECONDS = 60.0
"""How long an import waits for a pipeline that does nothing before other jobs get its place."""


class EventFile:
    """What becomes of the rows of a file of events; rings the pipeline after each batch."""

    def __init__(self, scope: Scope, file: Import, *, ring: Callable[[], None]) -> None:
        self._scope = scope
        self._source = queries.source_of(file.import_id)
        self._rows = RowReader(file.layout)
        self._is_quiet = file.skip_triggers
        self._ring = ring

    def open(self, records: Records) -> BatchReader[Arrival]:
        return BatchReader(records, self._arrive)

    def has_room(self, *, beat: Callable[[], None], is_stopping: Callable[[], bool]) -> bool:
        """Wait while the inbox is full; False when it is time to leave."""
        last_seen, moved_at = 0, monotonic()
        while (waiting := event_queries.inbox_status(self._scope).waiting) >= DEEPEST_INBOX:
            if waiting != last_seen:
                last_seen, moved_at = waiting, monotonic()
            has_stalled = monotonic() - moved_at > LONGEST_STANDSTILL_SECONDS
            if has_stalled or is_stopping():
                return False
            beat()
            sleep(LOOK_AGAIN_SECONDS)
        return True

    def store(self, batch: Batch[Arrival], *, now: datetime) -> Stored:  # noqa: ARG002 - each row knows its time
        intake.post(self._scope, batch.items)
        return Stored(accepted=len(batch.items))

    def announce(self) -> None:
        self._ring()

    def _arrive(self, values: Sequence[str], now: datetime) -> Arrival:
        """Return the event of a row; one without a timestamp happened `now`."""
        event = self._rows.read(values)
        return intake.arrive(event, source=self._source, now=now, is_quiet=self._is_quiet)
