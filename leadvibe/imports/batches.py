"""The rest of a file in batches: what its rows say, and those that say nothing that can be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from leadvibe.imports.reading import Broken, Records
from leadvibe.imports.rows import BadRowError, is_blank
from leadvibe.imports.types import RowError
from leadvibe.lib.errors import LeadvibeError

BATCH_ROWS = 5_000
BATCH_BYTES = 8 * 1024**2
"""Rows may be as large as their metadata: a batch ends at whichever limit comes first."""

KEPT_OF_A_ROW = 2_000

Item = TypeVar("Item")


class Batch(NamedTuple, Generic[Item]):
    """Some rows, and where reading goes on behind them."""

    items: list[Item]
    errors: list[RowError]
    bytes_read: int
    last_row: int
    is_last: bool


class BatchReader(Generic[Item]):
    """Reads on from wherever the records begin.

    `read_row` is given the values of a row, and the time; it raises a BadRowError, or another of
    our own errors, for one that cannot be used.
    """

    def __init__(
        self,
        records: Records,
        read_row: Callable[[Sequence[str], datetime], Item],
        *,
        most_rows: int | None = None,
    ) -> None:
        self._records = records
        self._values = iter(records)
        self._read_row = read_row
        self._most_rows = most_rows or BATCH_ROWS

    def read(self, *, now: datetime) -> Batch[Item]:
        """Return the next rows, as of `now`."""
        items: list[Item] = []
        errors: list[RowError] = []
        is_last = True
        until = self._records.offset + BATCH_BYTES
        for values in self._values:
            try:
                if values and (values[0] or not is_blank(values)):
                    items.append(self._item(values, now))
            except BadRowError as error:
                errors.append(refusal(self._records.row, self._records.source, str(error)))
            if len(items) + len(errors) >= self._most_rows or self._records.offset >= until:
                is_last = False
                break
        return Batch(items, errors, self._records.offset, self._records.row, is_last)

    def _item(self, values: Sequence[str] | Broken, now: datetime) -> Item:
        if isinstance(values, Broken):
            raise BadRowError(values.reason)
        try:
            return self._read_row(values, now)
        except LeadvibeError as error:
            raise BadRowError(error.message) from error


def refusal(row_number: int, source: str, reason: str) -> RowError:
    """Return what is kept of a row that is not imported."""
    return RowError(row_number, _storable(reason), _storable(source.rstrip("\r\n")))


def _storable(text: str) -> str:
    """Cut the text short, and mark the bytes in it that the database cannot keep."""
    short = text[:KEPT_OF_A_ROW]
    return (
        short.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "\ufffd")
    )
