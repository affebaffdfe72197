"""The reference of the API, which anybody may read."""

from __future__ import annotations

import html
import re

import pytest

from leadvibe.web.reference import read_reference, slug_of


@pytest.fixture
def document(client):
    return client.get("/openapi.json").json


def read(client, path):
    response = client.get(path)
    assert response.status_code == 200
    return html.unescape(response.text)


def test_every_operation_is_on_the_page_of_its_section_and_in_the_overview(client, document):
    overview = read(client, "/docs")
    pages = {tag["name"]: read(client, f"/docs/{slug_of(tag['name'])}") for tag in document["tags"]}

    for path, methods in document["paths"].items():
        for written in methods.values():
            name, [tag] = written["operationId"], written["tags"]
            assert f'href="/docs/{slug_of(tag)}#{name}"' in overview
            assert f'id="{name}"' in pages[tag]
            assert f"<code>{path}</code>" in pages[tag]


def test_an_operation_shows_how_to_call_it_and_what_comes_back(client):
    page = read(client, "/docs/events")
    ingest = page[page.index('id="post_ingest"') : page.index('id="post_ingest_batch"')]

    assert "curl -X POST" in ingest
    assert '"event_type": "page_view"' in ingest
    assert "<code>aliases[].alias_kind</code>" in ingest
    assert "one of external_id, email, phone, social, cookie" in ingest
    assert "Idempotency-Key" in ingest
    assert '"message": "event ingested"' in ingest
    assert all(f">{status}<" in ingest for status in (202, 400, 401, 403, 413, 415))


def test_nothing_on_it_is_about_who_looks(client, browse, people):
    seen = client.get("/docs/leads")

    assert "Set-Cookie" not in seen.headers
    assert "csrf" not in seen.text
    assert browse(people.owner).get("/docs/leads").text == seen.text


def test_a_page_that_has_not_changed_is_not_sent_again(client):
    etag = client.get("/docs").headers["ETag"]

    again = client.get("/docs", headers={"If-None-Match": etag})

    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("path", ["/docs/nothing", "/docs/", "/docs/leads/more"])
def test_a_section_that_there_is_not_is_a_page_that_says_so(client, path):
    response = client.get(path)

    assert response.status_code == 404
    assert response.mimetype == "text/html"


def test_every_copy_button_has_something_to_copy(client):
    page = read(client, "/docs/leads")
    targets = re.findall(r'data-copy="#([^"]+)"', page)

    assert targets
    assert all(f'<code id="{target}">' in page for target in targets)


def test_an_id_stands_once_on_its_page(client):
    for path in ("/docs", "/docs/leads", "/docs/account"):
        ids = re.findall(r'\sid="([^"]+)"', client.get(path).text)
        assert len(ids) == len(set(ids))


def test_the_document_is_read_to_the_end(document):
    reference = read_reference(document)

    operations = [it for section in reference.sections for it in section.operations]
    assert len(operations) == sum(len(methods) for methods in document["paths"].values())
    assert {it.status for it in reference.refusals} >= {"400", "401", "403", "404", "409", "5XX"}
    assert all(it.answers for it in operations)
