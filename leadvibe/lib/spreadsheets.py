"""CSV text that people open in spreadsheets, where a cell must stay a value."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

ROWS_AT_ONCE = 1_000
"""Rows written in one go: enough to be quick, little enough to hold in memory."""

# A spreadsheet would take a cell that begins with one of these for a formula and run it.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield CSV text piece by piece; a cell that looks like a formula gets an apostrophe."""
    lines = chain([header], map(_disarmed, rows))
    while chunk := list(islice(lines, ROWS_AT_ONCE)):
        text = io.StringIO()
        csv.writer(text).writerows(chunk)
        yield text.getvalue()


def _disarmed(row: Sequence[object]) -> list[object]:
    return [
        f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell
        for cell in row
    ]
