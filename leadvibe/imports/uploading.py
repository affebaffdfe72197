"""An upload as a stream of pieces: unpacked, never whole in memory, never too large."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

from leadvibe.imports.errors import BadFileError, FileTooLargeError

PIECE_BYTES = 1024**2
"""Every piece but the last has exactly this size, so an offset tells the piece it lies in."""

READ_BYTES = 64 * 1024
GZIP_MAGIC = b"\x1f\x8b"
GZIP_WINDOW = 31  # zlib's way of saying: gzip, of any window size


class Readable(Protocol):
    """What an upload must be able to do; an empty answer is its end."""

    def read(self, size: int, /) -> bytes: ...


def read_pieces(stream: Readable, *, max_bytes: int) -> Iterator[bytes]:
    """Yield the file's bytes as text, unpacked when it is gzip, in pieces of PIECE_BYTES.

    The limit counts unpacked bytes, so a small archive cannot hide a huge file. Raises
    FileTooLargeError and BadFileError.
    """
    total, waiting = 0, bytearray()
    for part in _unpacked(stream):
        total += len(part)
        if total > max_bytes:
            raise FileTooLargeError(max_bytes)
        waiting += part
        while len(waiting) >= PIECE_BYTES:
            yield bytes(waiting[:PIECE_BYTES])
            del waiting[:PIECE_BYTES]
    if waiting:
        yield bytes(waiting)


def _unpacked(stream: Readable) -> Iterator[bytes]:
    head = stream.read(READ_BYTES)
    if head.startswith(GZIP_MAGIC):
        yield from _gunzip(head, stream)
        return
    while head:
        yield head
        head = stream.read(READ_BYTES)


def _gunzip(head: bytes, stream: Readable) -> Iterator[bytes]:
    """Unpack gzip data, of which there may be several behind one another."""
    data, unpacker, is_begun = head, zlib.decompressobj(wbits=GZIP_WINDOW), False
    while data:
        is_begun = True
        yield _unpack(unpacker, data)
        data = unpacker.unconsumed_tail
        if unpacker.eof:
            data = unpacker.unused_data.lstrip(b"\0")  # tapes and some tools pad with zeros
            unpacker, is_begun = zlib.decompressobj(wbits=GZIP_WINDOW), False
        data = data or stream.read(READ_BYTES)
    if is_begun:
        raise BadFileError(
            "The gzip file ends too early: upload it again.", problem="is not complete"
        )


def _unpack(unpacker: zlib._Decompress, data: bytes) -> bytes:
    try:
        return unpacker.decompress(data, PIECE_BYTES)
    except zlib.error as error:
        raise BadFileError(
            "The gzip file is damaged: pack it again, or upload it unpacked.", problem="is damaged"
        ) from error
