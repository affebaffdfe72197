"""Which encoding a file is in, told from all of its bytes: UTF-8, or Latin-1 as on Windows."""

from __future__ import annotations

import codecs
import re

from leadvibe.imports.errors import NotCsvError

UTF_8 = "utf-8"
LATIN_1 = "cp1252"
"""Latin-1 with typographic quotes and the euro sign in the places that Latin-1 leaves to control
characters; what claims to be Latin-1 is nearly always this."""

BOM = codecs.BOM_UTF8

_BROKEN = re.compile("[\udc80-\udcff]")
_NOT_ASCII = re.compile("[^\x00-\x7f]")
_NOT_IN_LATIN_1 = b"\x81\x8d\x8f\x90\x9d"


class EncodingJudge:
    """Looks at the pieces of a file as they pass by.

    Bytes that are not UTF-8 in a file that otherwise is make only their rows fail: reading the
    whole file as Latin-1 for their sake would garble every other row.
    """

    def __init__(self, *, has_bom: bool) -> None:
        self._has_bom = has_bom
        self._decoder = codecs.getincrementaldecoder(UTF_8)("surrogateescape")
        self._well_formed = 0
        self._broken = 0
        self._can_be_latin_1 = True

    def feed(self, piece: bytes) -> None:
        is_between_characters = not self._decoder.getstate()[0]
        if is_between_characters and piece.isascii():
            return
        self._count(self._decoder.decode(piece))
        if any(byte in piece for byte in _NOT_IN_LATIN_1):
            self._can_be_latin_1 = False

    def decide(self) -> str:
        """Return the encoding to read the file in. Raises NotCsvError when none fits."""
        self._count(self._decoder.decode(b"", final=True))
        if self._has_bom or self._broken == 0 or self._well_formed > self._broken:
            return UTF_8
        if not self._can_be_latin_1:
            raise NotCsvError(
                "The file is neither UTF-8 nor Latin-1: save it as CSV in UTF-8 and upload that."
            )
        return LATIN_1

    def _count(self, text: str) -> None:
        broken = len(_BROKEN.findall(text))
        self._broken += broken
        self._well_formed += len(_NOT_ASCII.findall(text)) - broken
