"""The uploaded file as the database keeps it, read as one text from any byte on."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, TextIO
from uuid import UUID

from leadvibe.identity.types import Scope
from leadvibe.imports import queries
from leadvibe.imports.reading import Records
from leadvibe.imports.types import Import
from leadvibe.imports.uploading import PIECE_BYTES

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER_BYTES = 64 * 1024


def open_records(scope: Scope, file: Import) -> Records:
    """Open what of a file is not read yet, row by row."""
    layout = file.layout
    text = open_text(scope, file.import_id, encoding=layout.encoding, offset=file.bytes_read)
    return Records(
        text,
        delimiter=layout.delimiter,
        encoding=layout.encoding,
        offset=file.bytes_read,
        row=file.last_row,
    )


def open_text(scope: Scope, import_id: UUID, *, encoding: str, offset: int) -> TextIO:
    """Open the file behind a byte at which a character begins.

    Line ends are kept as they are, and bytes that the encoding lacks become surrogates. Reading
    asks the database, piece by piece, in whatever transaction is open then.
    """
    pieces = io.BufferedReader(_Pieces(scope, import_id, offset), _BUFFER_BYTES)
    return io.TextIOWrapper(pieces, encoding=encoding, errors="surrogateescape", newline="")


class _Pieces(io.RawIOBase):
    def __init__(self, scope: Scope, import_id: UUID, offset: int) -> None:
        super().__init__()
        self._scope = scope
        self._import_id = import_id
        self._number, self._skip = divmod(offset, PIECE_BYTES)
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        target = memoryview(buffer)
        if not self._piece:
            self._piece = memoryview(self._next_piece())
        size = min(len(target), len(self._piece))
        target[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size

    def _next_piece(self) -> bytes:
        piece = queries.read_chunk(self._scope, self._import_id, self._number)
        skip, self._skip = self._skip, 0
        self._number += 1
        return piece[skip:]
