"""Telling from the beginning of a file whether it is CSV, and how it is written.

Every refusal says what the file seems to be, or which column is missing, and what to do.
"""

from __future__ import annotations

import codecs
import io
import mimetypes
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from leadvibe.imports.encoding import BOM, UTF_8
from leadvibe.imports.errors import BadFileError, NotCsvError
from leadvibe.imports.reading import Broken, Records
from leadvibe.imports.types import IDENTITY_COLUMNS, column_of

DELIMITERS = (",", ";", "\t")
HEADER_WITHIN_BYTES = 128 * 1024

_SAVE_AS = "Save it as CSV in UTF-8 and upload that, plain or packed with gzip."
_SIGNATURES = (
    (codecs.BOM_UTF16_LE, "text in UTF-16"),
    (codecs.BOM_UTF16_BE, "text in UTF-16"),
    (b"PK\x03\x04", "an Excel workbook or a ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF-", "a PDF"),
    (b"\x89PNG", "an image"),
    (b"GIF8", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "a database"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
)
_MARKUP = ((b"{", "JSON"), (b"[", "JSON"), (b"<", "HTML or XML"))
_TEXT_CONTROLS = b"\t\n\v\f\r\x1a\x1b"
_CONTROLS = bytes(set(range(32)) - set(_TEXT_CONTROLS))
_MOST_CONTROLS = 0.02
"""Share of control characters above which a file is no text; one bad row may hold a few."""

# What other people's systems call a CSV file.
_CSV_TYPES = frozenset(
    {
        "text/csv", "text/plain", "text/tab-separated-values", "text/comma-separated-values",
        "application/csv", "application/x-csv", "text/x-csv", "application/vnd.ms-excel",
        "application/gzip", "application/x-gzip", "application/octet-stream",
        "binary/octet-stream", "application/x-www-form-urlencoded",
    }
)  # fmt: skip
_TYPES_BY_NAME = mimetypes.MimeTypes()  # Python's own table: the system's differs by machine
_SHOWN_COLUMNS = 20
_SHOWN_LENGTH = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What the beginning of a file says; `offset` is where the row after the header begins."""

    delimiter: str
    header: tuple[str, ...]
    has_bom: bool
    offset: int
    row: int


def check_declared_type(filename: str, content_type: str) -> None:
    """Raise NotCsvError when the file's name or its declared type says that it is not CSV."""
    declared = content_type.partition(";")[0].strip().lower()
    if declared and declared not in _CSV_TYPES:
        raise NotCsvError(f"The upload is declared as {declared}, not as CSV. {_SAVE_AS}")
    guessed, _packing = _TYPES_BY_NAME.guess_type(filename.lower())
    is_old_workbook = filename.lower().endswith(".xls")
    if is_old_workbook or (guessed is not None and guessed not in _CSV_TYPES):
        kind = "a workbook" if is_old_workbook else guessed
        raise NotCsvError(f"By its name, '{filename}' is {kind}, not CSV. {_SAVE_AS}")


def recognise(sample: bytes) -> Beginning:
    """Find delimiter and header in the first piece of a file of events.

    Raises NotCsvError for what is no CSV and BadFileError for a header that will not do.
    """
    return _recognise(sample, fitness=lambda header: len(_known(header)), check=_check_header)


def recognise_leads(sample: bytes) -> Beginning:
    """Find delimiter and header in the first piece of a file of leads, whose columns are free.

    Raises as `recognise`.
    """
    return _recognise(sample, fitness=len, check=_check_names)


def _recognise(
    sample: bytes,
    *,
    fitness: Callable[[tuple[str, ...]], int],
    check: Callable[[tuple[str, ...]], None],
) -> Beginning:
    """Take the delimiter under which the header is fittest; of equals, the more usual one."""
    if not sample.strip(BOM + b" \t\r\n"):
        raise BadFileError("The file is empty.", problem="is empty")
    _check_content(sample)
    has_bom = sample.startswith(BOM)
    start = len(BOM) if has_bom else 0
    text = sample[start:HEADER_WITHIN_BYTES].decode(UTF_8, "surrogateescape")
    candidates = (_read_header(text, delimiter) for delimiter in DELIMITERS)
    found = max(candidates, key=lambda candidate: fitness(candidate.header))
    check(found.header)
    return Beginning(
        delimiter=found.delimiter,
        header=found.header,
        has_bom=has_bom,
        offset=start + found.offset,
        row=found.row,
    )


def _check_content(sample: bytes) -> None:
    for signature, kind in _SIGNATURES:
        if sample.startswith(signature):
            raise NotCsvError(f"This is {kind}, not CSV. {_SAVE_AS}")
    beginning = sample[:HEADER_WITHIN_BYTES]
    text = beginning.lstrip(BOM + b" \t\r\n")
    for signature, kind in _MARKUP:
        if text.startswith(signature):
            raise NotCsvError(f"This is {kind}, not CSV. {_SAVE_AS}")
    controls = len(beginning) - len(beginning.translate(None, _CONTROLS))
    if controls > _MOST_CONTROLS * len(beginning):
        raise NotCsvError(f"This is not text, or text in UTF-16. {_SAVE_AS}")


def _read_header(text: str, delimiter: str) -> Beginning:
    """Return the first record that is not blank."""
    records = Records(io.StringIO(text, newline=""), delimiter=delimiter, encoding=UTF_8)
    header: tuple[str, ...] = ()
    for values in records:
        if isinstance(values, Broken):
            break
        if any(value.strip() for value in values):
            header = tuple(values)
            break
    return Beginning(
        delimiter=delimiter, header=header, has_bom=False, offset=records.offset, row=records.row
    )


def _known(header: tuple[str, ...]) -> list[str]:
    return [column for name in header if (column := column_of(name)) is not None]


def _check_header(header: tuple[str, ...]) -> None:
    known = _known(header)
    if "event_type" not in known:
        raise _header_error(header, "names no column event_type")
    if not set(known) & set(IDENTITY_COLUMNS):
        columns = ", ".join(IDENTITY_COLUMNS)
        raise _header_error(header, f"names no column that says whose events they are ({columns})")
    repeated = [column for column, count in Counter(known).items() if count > 1]
    if repeated:
        raise _header_error(header, f"names the column {repeated[0]} more than once")


def _check_names(header: tuple[str, ...]) -> None:
    names = [name.strip() for name in header if name.strip()]
    if not any(char.isalnum() for name in names for char in name):
        raise _header_error(header, "names no column")
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise _header_error(header, f"names the column {_shown(repeated[0])} more than once")


def _header_error(header: tuple[str, ...], problem: str) -> BadFileError:
    names = [_shown(name) for name in header[:_SHOWN_COLUMNS]]
    more = f" and {len(header) - len(names)} more" if len(header) > len(names) else ""
    found = f"It has: {', '.join(names)}{more}." if names else "It cannot be read as CSV."
    return BadFileError(
        f"The header of the file {problem}. {found} Name the columns in the first row.",
        problem=f"the header {problem}",
    )


def _shown(name: str) -> str:
    printable = "".join(char if char.isprintable() else "\ufffd" for char in name.strip())
    return printable[:_SHOWN_LENGTH] or "(no name)"
