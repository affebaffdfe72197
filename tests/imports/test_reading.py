from __future__ import annotations

import io

import pytest

from leadvibe.imports.reading import MAX_RECORD_LENGTH, Broken, Records

# The traps of the csv-spectrum collection: what each file holds, and what must come out.
SPECTRUM = {
    "comma_in_quotes": (
        'first,last,address,city,zip\nJohn,Doe,120 any st.,"Anytown, WW",08123',
        [
            ["first", "last", "address", "city", "zip"],
            ["John", "Doe", "120 any st.", "Anytown, WW", "08123"],
        ],
    ),
    "empty": ('a,b,c\n1,"",""\n2,3,4', [["a", "b", "c"], ["1", "", ""], ["2", "3", "4"]]),
    "escaped_quotes": (
        'a,b\n1,"ha ""ha"" ha"\n3,4\n',
        [["a", "b"], ["1", 'ha "ha" ha'], ["3", "4"]],
    ),
    "json": (
        'key,val\n1,"{""type"": ""Point"", ""coordinates"": [102.0, 0.5]}"\n',
        [["key", "val"], ["1", '{"type": "Point", "coordinates": [102.0, 0.5]}']],
    ),
    "location_coordinates": (
        "phone,at,city\n2095257564,37°36'37.8\"N 121°2'17.9\"W,Modesto",
        [["phone", "at", "city"], ["2095257564", "37°36'37.8\"N 121°2'17.9\"W", "Modesto"]],
    ),
    "newlines": (
        'a,b,c\n1,2,3\n"Once upon \na time",5,6\n7,8,9\n',
        [["a", "b", "c"], ["1", "2", "3"], ["Once upon \na time", "5", "6"], ["7", "8", "9"]],
    ),
    "quotes_and_newlines": (
        'a,b\n1,"ha \n""ha"" \nha"\n3,4\n',
        [["a", "b"], ["1", 'ha \n"ha" \nha'], ["3", "4"]],
    ),
    "simple": ("a,b,c\n1,2,3\n", [["a", "b", "c"], ["1", "2", "3"]]),
    "utf8": ("a,b,c\n1,2,3\n4,5,ʤ\n", [["a", "b", "c"], ["1", "2", "3"], ["4", "5", "ʤ"]]),
}


def read(text: str, *, offset: int = 0, row: int = 0, encoding: str = "utf-8") -> Records:
    stream = io.TextIOWrapper(
        io.BytesIO(text.encode(encoding, "surrogateescape")[offset:]),
        encoding=encoding,
        errors="surrogateescape",
        newline="",
    )
    return Records(stream, delimiter=",", encoding=encoding, offset=offset, row=row)


@pytest.mark.parametrize("name", SPECTRUM)
def test_the_traps_of_csv_spectrum_are_read_right(name):
    text, expected = SPECTRUM[name]

    assert list(read(text)) == expected


@pytest.mark.parametrize("name", SPECTRUM)
def test_windows_line_ends_make_no_difference_outside_quotes(name):
    text, expected = SPECTRUM[name]

    found = list(read(text.replace("\n", "\r\n")))

    assert found == [[value.replace("\n", "\r\n") for value in row] for row in expected]


def test_old_macintosh_line_ends_are_read():
    assert list(read("a,b\r1,2\r")) == [["a", "b"], ["1", "2"]]


def test_spaces_after_a_separator_do_not_hide_a_quote():
    assert list(read('a, "b, c"\n')) == [["a", "b, c"]]


def test_a_record_of_several_lines_is_one_row_and_a_blank_line_is_another():
    records = read('a\n"1\n2"\n\n3\n')

    numbered = [(records.row, values) for values in records]

    assert numbered == [(1, ["a"]), (2, ["1\n2"]), (3, []), (4, ["3"])]


def test_reading_goes_on_from_any_offset_it_has_told():
    text = 'a,b\n"é\n""ü""",1\r\nbad "quote,"x"y\n\n"unclosed,2\n€,3\n'
    records = read(text)
    told = [(records.offset, records.row, values) for values in records]

    for index, (offset, row, _) in enumerate(told):
        rest = read(text, offset=offset, row=row)
        assert [(rest.offset, rest.row, values) for values in rest] == told[index + 1 :]


def test_offsets_count_the_bytes_of_the_file_whatever_its_encoding():
    records = read("é,ü\n", encoding="cp1252")

    list(records)

    assert records.offset == 4


def test_a_quote_that_is_never_closed_costs_its_own_row_only():
    found = list(read('1,a\n2,"b\n3,c\n4,d\n'))

    assert found[0] == ["1", "a"]
    assert isinstance(found[1], Broken)
    assert "not closed" in found[1].reason
    assert found[2:] == [["3", "c"], ["4", "d"]]


def test_text_behind_a_closing_quote_costs_its_own_row_only():
    found = list(read('1,"{"a":1}"\n2,b\n'))

    assert isinstance(found[0], Broken)
    assert "twice" in found[0].reason
    assert found[1] == ["2", "b"]


def test_the_source_of_a_broken_record_is_its_first_line():
    records = read('1,"a\n2,b\n')

    next(iter(records))

    assert records.source == '1,"a\n'


def test_a_quote_that_stays_open_for_too_long_is_given_up_before_the_end_of_the_file():
    good = "2," + "b" * 997 + "\n"
    count = 2 * MAX_RECORD_LENGTH // len(good)

    found = list(read('1,"a\n' + good * count))

    assert isinstance(found[0], Broken)
    assert found[1:] == [["2", "b" * 997]] * count


def test_a_line_that_is_too_long_is_passed_over_without_being_kept():
    records = read("a,b\n" + "é" * (3 * MAX_RECORD_LENGTH) + "\n1,2\n")

    found = [(records.row, values) for values in records]

    assert isinstance(found[1][1], Broken)
    assert "longer than" in found[1][1].reason
    assert found[2] == (3, ["1", "2"])
    assert records.offset == 4 + 6 * MAX_RECORD_LENGTH + 1 + 4
    assert len(records.source) < MAX_RECORD_LENGTH


def test_bytes_that_are_no_text_reach_the_reader_as_marks():
    assert list(read("a\udcff,b\n")) == [["a\udcff", "b"]]
