"""The rest of a file in batches: events that are good to accept, and the rows that are not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from leadvibe.events.types import Arrival
from leadvibe.imports.reading import Broken, Records
from leadvibe.imports.rows import BadRowError, RowReader, is_blank
from leadvibe.imports.types import Layout, RowError
from leadvibe.lib.errors import LeadvibeError
from leadvibe.pipeline import intake

BATCH_ROWS = 5_000
BATCH_BYTES = 8 * 1024**2
"""Rows may be as large as their metadata: a batch ends at whichever limit comes first."""

KEPT_OF_A_ROW = 2_000


class Batch(NamedTuple):
    """Some rows, and where reading goes on behind them."""

    arrivals: list[Arrival]
    errors: list[RowError]
    bytes_read: int
    last_row: int
    is_last: bool


class BatchReader:
    """Reads on from wherever the records begin."""

    def __init__(self, records: Records, layout: Layout, *, source: str) -> None:
        self._records = records
        self._values = iter(records)
        self._rows = RowReader(layout)
        self._source = source

    def read(self, *, now: datetime) -> Batch:
        """Return the next rows. Those without a timestamp happened `now`."""
        arrivals: list[Arrival] = []
        errors: list[RowError] = []
        is_last = True
        until = self._records.offset + BATCH_BYTES
        for values in self._values:
            try:
                if values and (values[0] or not is_blank(values)):
                    arrivals.append(self._arrival(values, now))
            except BadRowError as error:
                errors.append(self._failed_row(str(error)))
            if len(arrivals) + len(errors) >= BATCH_ROWS or self._records.offset >= until:
                is_last = False
                break
        return Batch(arrivals, errors, self._records.offset, self._records.row, is_last)

    def _arrival(self, values: Sequence[str] | Broken, now: datetime) -> Arrival:
        if isinstance(values, Broken):
            raise BadRowError(values.reason)
        try:
            return intake.arrive(self._rows.read(values), source=self._source, now=now)
        except LeadvibeError as error:
            raise BadRowError(error.message) from error

    def _failed_row(self, reason: str) -> RowError:
        return RowError(
            self._records.row, _storable(reason), _storable(self._records.source.rstrip("\r\n"))
        )


def _storable(text: str) -> str:
    """Cut the text short, and mark the bytes in it that the database cannot keep."""
    short = text[:KEPT_OF_A_ROW]
    return (
        short.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "\ufffd")
    )
