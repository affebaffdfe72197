from __future__ import annotations

import io
import json
import zipfile

import pytest

from leadvibe.imports.errors import BadFileError, NotCsvError
from leadvibe.imports.recognising import check_declared_type, recognise

HEADER = b"event_type,email,metadata\n"


def a_workbook() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


NOT_CSV = {
    "an Excel workbook": a_workbook(),
    "a PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "an image": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "text in UTF-16": (HEADER + b"a,b,c\n").decode().encode("utf-16"),
    "HTML": b"<!doctype html>\n<p>event_type,email</p>",
    "JSON": json.dumps([{"event_type": "a", "email": "b@c.d"}]).encode(),
    "not text": HEADER.decode().encode("utf-16-le"),
}


def test_the_header_tells_separator_columns_and_where_the_rows_begin():
    found = recognise(HEADER + b"a,b,c\n")

    assert found.delimiter == ","
    assert found.header == ("event_type", "email", "metadata")
    assert (found.offset, found.row) == (len(HEADER), 1)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_separator_is_the_one_that_makes_sense_of_the_header(delimiter):
    header = delimiter.join(["event_type", '"Name, first; last"', "lead_id"])

    found = recognise(f"{header}\n".encode())

    assert found.delimiter == delimiter
    assert found.header == ("event_type", "Name, first; last", "lead_id")


def test_a_byte_order_mark_belongs_to_no_column():
    found = recognise(b"\xef\xbb\xbf" + HEADER)

    assert found.header[0] == "event_type"
    assert found.has_bom
    assert found.offset == 3 + len(HEADER)


def test_blank_lines_above_the_header_count_as_rows():
    found = recognise(b"\n  ,,\n" + HEADER)

    assert found.header == ("event_type", "email", "metadata")
    assert found.row == 3


@pytest.mark.parametrize("name", ["Event Type", " EVENT_TYPE ", "event-type", '"event_type"'])
def test_the_spelling_of_a_column_is_no_matter(name):
    assert recognise(f"{name},Email\n".encode()).header


def test_a_header_without_rows_will_do():
    assert recognise(HEADER.rstrip()).offset == len(HEADER) - 1


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b" \r\n\t"])
def test_an_empty_file_is_refused(data):
    with pytest.raises(BadFileError, match="is empty"):
        recognise(data)


@pytest.mark.parametrize("kind", NOT_CSV)
def test_what_is_no_csv_is_refused_by_name(kind):
    with pytest.raises(NotCsvError, match=kind) as error:
        recognise(NOT_CSV[kind])

    assert error.value.status == 415


def test_random_bytes_are_no_csv():
    with pytest.raises(NotCsvError):
        recognise(bytes(range(256)) * 64)


def test_a_missing_event_type_is_named_beside_the_columns_that_are_there():
    with pytest.raises(BadFileError) as error:
        recognise(b"type,email,when\n")

    assert "event_type" in error.value.message
    assert "type, email, when" in error.value.message
    assert error.value.status == 400
    assert error.value.fields["file"] == "the header names no column event_type"


def test_a_missing_identity_names_the_columns_that_would_do():
    with pytest.raises(BadFileError, match="lead_id, external_id, email, phone, social, cookie"):
        recognise(b"event_type,timestamp\n")


def test_a_column_that_comes_twice_is_refused():
    with pytest.raises(BadFileError, match="email more than once"):
        recognise(b"event_type,email,E-Mail,Email\n")


def test_a_file_without_a_header_is_told_that_its_first_row_is_data():
    with pytest.raises(BadFileError, match=r"It has: page_view, 2025-11-21, ana@example\.com"):
        recognise(b"page_view,2025-11-21,ana@example.com\n")


def test_a_header_that_cannot_be_read_is_refused():
    with pytest.raises(BadFileError, match="cannot be read"):
        recognise(b'"event_type,email\n')


def test_names_in_the_message_are_printable_and_not_endless():
    header = ",".join(["a\x1b[31m" + "b" * 500] * 50)

    with pytest.raises(BadFileError) as error:
        recognise(header.encode())

    assert error.value.message.isprintable()
    assert len(error.value.message) < 1_500
    assert "and 30 more" in error.value.message


@pytest.mark.parametrize(
    "name", ["events.csv", "EVENTS.CSV", "events.csv.gz", "events.tsv", "events.txt", "events", ""]
)
def test_names_that_csv_files_have_are_fine(name):
    check_declared_type(name, "")


@pytest.mark.parametrize(
    "name", ["events.json", "events.pdf", "photo.png", "events.xls", "page.html", "events.json.gz"]
)
def test_names_of_other_files_are_refused(name):
    with pytest.raises(NotCsvError, match=name.rpartition(".")[0]):
        check_declared_type(name, "")


@pytest.mark.parametrize("declared", ["text/csv; charset=utf-8", "application/vnd.ms-excel"])
def test_types_that_browsers_give_csv_files_are_fine(declared):
    check_declared_type("events.csv", declared)


@pytest.mark.parametrize("declared", ["application/json", "image/png", "application/pdf"])
def test_other_declared_types_are_refused(declared):
    with pytest.raises(NotCsvError, match=declared):
        check_declared_type("events.csv", declared)
