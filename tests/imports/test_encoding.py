from __future__ import annotations

import pytest

from leadvibe.imports.encoding import LATIN_1, UTF_8, EncodingJudge
from leadvibe.imports.errors import NotCsvError


def judge(*pieces: bytes, has_bom: bool = False) -> str:
    judge = EncodingJudge(has_bom=has_bom)
    for piece in pieces:
        judge.feed(piece)
    return judge.decide()


def test_plain_text_is_utf_8():
    assert judge(b"event_type,email\n") == UTF_8


def test_a_character_may_lie_across_two_pieces():
    text = "Zoë €".encode()

    for cut in range(len(text)):
        assert judge(text[:cut], text[cut:]) == UTF_8


def test_latin_1_shows_wherever_it_stands():
    assert judge(b"a" * 1000, "Zoë".encode("latin-1"), b"b" * 1000) == LATIN_1


def test_typographic_quotes_of_windows_are_read():
    text = "“Zoë” … 5 €".encode(LATIN_1)

    assert text.decode(judge(text)) == "“Zoë” … 5 €"


def test_one_bad_byte_does_not_turn_a_utf_8_file_into_latin_1():
    assert judge("Zoë, Anaïs, ".encode(), b"M\xfcller") == UTF_8


def test_a_byte_order_mark_is_believed():
    assert judge(b"\xef\xbb\xbfM\xfcller, M\xfcller, M\xfcller", has_bom=True) == UTF_8


def test_text_in_neither_encoding_is_refused():
    with pytest.raises(NotCsvError, match="neither UTF-8 nor Latin-1"):
        judge("заявка".encode("cp866"), b"\x81\x8d")


def test_a_character_cut_off_at_the_end_counts_as_broken():
    assert judge(b"caf\xc3") == LATIN_1
