"""Pages and files come compressed to who asks for that, and mean the same."""

from __future__ import annotations

import gzip

import pytest

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture
def page(browse, people):
    return lambda **headers: browse(people.viewer).get("/app/leads", headers=headers)


def test_a_page_comes_compressed_to_who_asks_for_that(page):
    plain, packed = page(), page(**GZIP)

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content_length == len(packed.data) < len(plain.data) / 2
    assert gzip.decompress(packed.data).startswith(b"<!doctype html>")
    assert all("Accept-Encoding" in it.headers["Vary"] for it in (plain, packed))


def test_nobody_learns_from_the_length_of_a_page_what_is_in_it(page):
    lengths = {len(page(**GZIP).data) for _ in range(8)}

    assert len(lengths) > 2


def test_who_refuses_gzip_gets_none(page):
    assert "Content-Encoding" not in page(**{"Accept-Encoding": "gzip;q=0, br"}).headers


@pytest.mark.parametrize("name", ["css/tokens.css", "js/app.js", "icons.svg"])
def test_a_file_comes_compressed_and_is_known_again_in_either_form(client, name):
    plain = client.get(f"/static/{name}")
    packed = client.get(f"/static/{name}", headers=GZIP)
    known = {**GZIP, "If-None-Match": packed.headers["ETag"]}

    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] == f"W/{plain.headers['ETag']}"
    assert "Accept-Ranges" not in packed.headers
    assert client.get(f"/static/{name}", headers=known).status_code == 304
    assert (
        client.get(f"/static/{name}", headers={"If-None-Match": known["If-None-Match"]}).status_code
        == 304
    )


def test_a_font_is_compressed_already_and_parts_stay_parts(client):
    font = client.get("/static/vendor/inter-5.3.0-latin.woff2", headers=GZIP)
    part = client.get("/static/js/app.js", headers={**GZIP, "Range": "bytes=0-9"})
    head = client.head("/static/js/app.js", headers=GZIP)

    assert all("Content-Encoding" not in it.headers for it in (font, part, head))
    assert (part.status_code, len(part.data)) == (206, 10)


def test_answers_of_the_api_stay_as_they_are(client, people):
    answer = client.get("/openapi.json", headers=GZIP)

    assert "Content-Encoding" not in answer.headers
    assert "Content-Encoding" not in client.get("/static/nothing.css", headers=GZIP).headers
