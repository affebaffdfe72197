"""CSV records out of a text, with where each begins and what is wrong with those that are broken.

A broken record costs its first line only: reading goes on with the next, so that a quote nobody
closed does not swallow the rest of the file. Does not know what the columns mean.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, TextIO

MAX_RECORD_LENGTH = 1024**2
"""Characters of one record. Metadata of 100 KB is at most 600 KB as the file spells it."""

# The module keeps one limit for the whole process; the record's own comes first.
csv.field_size_limit(MAX_RECORD_LENGTH + 1)


class Broken(NamedTuple):
    """In the place of a record's values: why it could not be read."""

    reason: str


class _RecordTooLongError(Exception):
    pass


class _Line(NamedTuple):
    text: str
    size_bytes: int


class Records:
    """Iterates over the values of each record, blank ones included.

    After each, `row` is the number that a spreadsheet shows for it (a record of several lines is
    one row), `offset` the byte behind it, where reading can go on later, and `source` its text.
    """

    def __init__(
        self, text: TextIO, *, delimiter: str, encoding: str, offset: int = 0, row: int = 0
    ) -> None:
        """Begin at the text's position, which is the `offset` behind record number `row`."""
        self._lines = _Lines(text, encoding)
        self._reader = csv.reader(
            self._lines, delimiter=delimiter, strict=True, skipinitialspace=True
        )
        self.offset = offset
        self.row = row

    @property
    def source(self) -> str:
        return "".join(line.text for line in self._lines.taken)

    def __iter__(self) -> Iterator[list[str] | Broken]:
        while True:
            self._lines.begin_record()
            try:
                values: list[str] | Broken = next(self._reader)
            except StopIteration:
                return
            except (csv.Error, _RecordTooLongError) as error:
                values = Broken(_reason(error, self._lines.taken))
                self._lines.put_back_all_but_first()
            self.offset += sum(line.size_bytes for line in self._lines.taken)
            self.row += 1
            yield values


class _Lines:
    """The text's lines, remembering those `taken` for the record that is being read."""

    def __init__(self, text: TextIO, encoding: str) -> None:
        self._text = text
        self._encoding = encoding
        self._again: deque[_Line] = deque()
        self._length = 0
        self.taken: list[_Line] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        self.taken.append(line)
        self._length += len(line.text)
        if self._length > MAX_RECORD_LENGTH:
            raise _RecordTooLongError
        return line.text

    def begin_record(self) -> None:
        self.taken.clear()
        self._length = 0

    def put_back_all_but_first(self) -> None:
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]

    def _read(self) -> _Line:
        text = self._text.readline(MAX_RECORD_LENGTH + 1)
        if not text:
            raise StopIteration
        size_bytes = self._size(text)
        if len(text) > MAX_RECORD_LENGTH and not text.endswith(("\n", "\r")):
            size_bytes += self._skip_line()
        return _Line(text, size_bytes)

    def _skip_line(self) -> int:
        """Pass over the rest of a line that is too long to keep; returns its bytes."""
        skipped = 0
        while part := self._text.readline(io.DEFAULT_BUFFER_SIZE):
            skipped += self._size(part)
            if part.endswith(("\n", "\r")):
                break
        return skipped

    def _size(self, text: str) -> int:
        if text.isascii():
            return len(text)
        return len(text.encode(self._encoding, "surrogateescape"))


def _reason(error: Exception, taken: list[_Line]) -> str:
    if isinstance(error, _RecordTooLongError):
        if len(taken) == 1:
            return f"the row is longer than {MAX_RECORD_LENGTH:,} characters"
        return "a quote opens in this row and is not closed again"
    if "unexpected end of data" in str(error):
        return "a quote opens in this row and is not closed before the end of the file"
    return (
        "text follows a closing quote: write a quote inside a quoted value twice,"
        ' as in "say ""yes"""'
    )
