from __future__ import annotations

import gzip
import io
import random

import pytest

from leadvibe.imports.errors import BadFileError, FileTooLargeError
from leadvibe.imports.uploading import PIECE_BYTES, read_pieces

LIMIT = 10 * PIECE_BYTES
TEXT = random.Random(1).randbytes(2 * PIECE_BYTES + 500)


def pieces(data: bytes, *, max_bytes: int = LIMIT) -> list[bytes]:
    return list(read_pieces(io.BytesIO(data), max_bytes=max_bytes))


class Endless:
    """A stream that nobody could keep in memory; it counts what was taken from it."""

    def __init__(self, beginning: bytes = b"") -> None:
        self._beginning = beginning
        self.taken = 0

    def read(self, size: int, /) -> bytes:
        data = (self._beginning + b"a" * size)[:size]
        self._beginning = self._beginning[size:]
        self.taken += len(data)
        return data


def test_all_pieces_but_the_last_have_one_size():
    found = pieces(TEXT)

    assert [len(piece) for piece in found] == [PIECE_BYTES, PIECE_BYTES, 500]
    assert b"".join(found) == TEXT


def test_gzip_is_unpacked_whatever_the_file_is_called():
    assert b"".join(pieces(gzip.compress(TEXT))) == TEXT


def test_several_gzip_files_behind_one_another_are_one():
    packed = gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:]) + b"\0" * 512

    assert b"".join(pieces(packed)) == TEXT


def test_an_empty_file_has_no_pieces():
    assert pieces(b"") == []
    assert pieces(gzip.compress(b"")) == []


def test_a_file_of_the_largest_size_is_accepted():
    assert b"".join(pieces(TEXT, max_bytes=len(TEXT))) == TEXT


def test_one_byte_more_is_refused():
    with pytest.raises(FileTooLargeError) as error:
        pieces(TEXT, max_bytes=len(TEXT) - 1)

    assert error.value.status == 413


def test_an_endless_upload_is_given_up_at_the_limit():
    stream = Endless()

    with pytest.raises(FileTooLargeError):
        for _ in read_pieces(stream, max_bytes=LIMIT):
            pass

    assert stream.taken < 2 * LIMIT


def test_an_archive_that_unpacks_to_far_too_much_is_given_up_at_the_limit():
    bomb = gzip.compress(bytes(200 * PIECE_BYTES))
    assert len(bomb) < PIECE_BYTES

    with pytest.raises(FileTooLargeError):
        pieces(bomb)


@pytest.mark.parametrize("length", [10, 100, -1])
def test_a_gzip_file_that_ends_too_early_is_refused(length):
    with pytest.raises(BadFileError, match="ends too early"):
        pieces(gzip.compress(TEXT)[:length])


def test_a_damaged_gzip_file_is_refused():
    packed = bytearray(gzip.compress(TEXT))
    packed[len(packed) // 2] ^= 0xFF

    with pytest.raises(BadFileError, match="damaged"):
        pieces(bytes(packed))
