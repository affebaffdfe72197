"""A file of leads at work: its rows make leads, or say more about those that are known.

Done as if by hand, so scores by attributes follow at once. A row that is read twice changes
nothing the second time, because its primary identifier names the same lead again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from leadvibe.identity.types import Scope
from leadvibe.imports import queries
from leadvibe.imports.batches import Batch, BatchReader, refusal
from leadvibe.imports.lead_rows import LeadRowReader
from leadvibe.imports.reading import Records
from leadvibe.imports.types import Import, Stored
from leadvibe.pipeline import editing
from leadvibe.pipeline.editing import GivenLead

ROWS_AT_ONCE = 500
"""In one transaction, for which the pipeline waits some tenths of a second."""


class ReadRow(NamedTuple):
    """A row that can be used, with what to say of it when it turns out that it cannot."""

    given: GivenLead
    number: int
    source: str


class LeadFile:
    """What becomes of the rows of a file of leads."""

    def __init__(self, scope: Scope, file: Import) -> None:
        assert file.plan is not None
        self._scope = scope
        self._source = queries.source_of(file.import_id)
        self._rows = LeadRowReader(file.layout, file.plan)

    def open(self, records: Records) -> BatchReader[ReadRow]:
        def read_row(values: Sequence[str], _now: datetime) -> ReadRow:
            return ReadRow(self._rows.read(values), records.row, records.source)

        return BatchReader(records, read_row, most_rows=ROWS_AT_ONCE)

    def has_room(self, *, beat: Callable[[], None], is_stopping: Callable[[], bool]) -> bool:  # noqa: ARG002 - nothing to wait for
        return True

    def store(self, batch: Batch[ReadRow], *, now: datetime) -> Stored:
        """Write the rows under the unit's lock."""
        rows = batch.items
        done = editing.describe_many(
            self._scope, [row.given for row in rows], source=self._source, now=now
        )
        return Stored(
            accepted=len(done.lead_ids),
            created=len(done.created),
            errors=tuple(
                refusal(rows[place].number, rows[place].source, reason)
                for place, reason in sorted(done.refused.items())
            ),
        )

    def announce(self) -> None:
        """Nobody waits for leads."""
