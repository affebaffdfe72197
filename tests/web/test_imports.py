"""Imports on their page: uploaded with or without scripts, watched, and told what is wrong."""

from __future__ import annotations

import gzip
import io

import pytest

from leadvibe.imports import queries, service
from leadvibe.lib.clock import utc_now
from leadvibe.pipeline import process
from tests.web.pages import htmx, links_in

IMPORTS = "/app/imports"
GOOD = b"event_type,lead_id,timestamp\npage_view,ann,2026-01-02T03:04:05Z\nlogin,ann,\n"
MIXED = b"event_type,lead_id,timestamp\npage_view,ann,\npage_view,,\npage_view,bob,someday\n"


def upload(browser, content, filename="events.csv", **kwargs):
    return browser.post(IMPORTS, {"file": (io.BytesIO(content), filename)}, **kwargs)


def work(world):
    """Do what the workers do: read the files, and score what they hold."""
    for progress in imports_of(world):
        service.advance_import(
            world.scope, progress.file.import_id, ring=lambda: None, is_stopping=lambda: False
        )
    process.drain(world.scope)


def imports_of(world):
    return queries.list_progress(world.scope, limit=10, now=utc_now())


@pytest.fixture
def mixed(browse, people, world):
    """Return the path of a finished import of one good row and two bad ones."""
    path = upload(browse(people.operator), MIXED, "Mixed events.csv").location
    work(world)
    return path


@pytest.mark.parametrize("name", ["admin", "owner", "operator"])
def test_who_may_change_data_uploads_a_file(browse, people, world, name):
    browser = browse(people[name])

    answer = upload(browser, GOOD)
    queued = browser.get(answer.location).text
    work(world)
    finished = browser.get(answer.location).text

    assert answer.status_code == 303
    assert "Queued" in queued
    assert f"{name}@acme.test" in queued
    assert "Finished" in finished
    assert "2 rows in" in finished
    assert "/app/leads" in links_in(finished, "")
    assert browser.get("/app/leads/ann").status_code == 200


def test_a_packed_file_is_unpacked(browse, people, world):
    upload(browse(people.operator), gzip.compress(GOOD), "events.csv.gz")
    work(world)

    assert imports_of(world)[0].accepted == 2


def test_a_viewer_sees_imports_and_no_form(browse, people, world, mixed):
    browser = browse(people.viewer)
    page = browser.get(IMPORTS).text

    assert "Mixed events.csv" in page
    assert 'type="file"' not in page
    assert browser.get(mixed).status_code == 200
    assert upload(browser, GOOD).status_code == 403
    assert len(imports_of(world)) == 1


def test_a_stranger_finds_no_import(browse, people, mixed):
    browser = browse(people.stranger)

    assert "Nothing imported yet" in browser.get(IMPORTS).text
    assert browser.get(mixed).status_code == 404
    assert browser.get(f"{mixed}/errors.csv").status_code == 404


@pytest.mark.parametrize("end", ["", "/errors.csv"])
def test_nobody_is_led_to_the_sign_in(browse, mixed, end):
    assert "/app/login" in browse(None).get(IMPORTS).location
    assert "/app/login" in browse(None).get(f"{mixed}{end}").location


def test_a_form_without_its_token_is_refused(browse, people, world):
    client = browse(people.owner).client

    answer = client.post(IMPORTS, data={"file": (io.BytesIO(GOOD), "events.csv")})

    assert answer.status_code == 403
    assert imports_of(world) == []


@pytest.mark.parametrize(
    ("content", "status", "complaint"),
    [
        (b"PK\x03\x04 and so on", 415, "This is an Excel workbook"),
        (b"", 400, "The file is empty"),
        (b"name,city\nann,Oslo\n", 400, "event_type"),
        (b"\x1f\x8b damaged", 400, "The gzip file is damaged"),
    ],
)
def test_a_file_that_will_not_do_is_explained_in_the_form(
    browse, people, content, status, complaint
):
    answer = upload(browse(people.operator), content)

    assert answer.status_code == status
    assert complaint in answer.text
    assert 'class="field-error"' in answer.text
    assert "Nothing imported yet" in answer.text


@pytest.mark.parametrize("data", [{}, {"file": (io.BytesIO(), "")}])
def test_a_form_without_a_file_asks_for_one(browse, people, world, data):
    answer = browse(people.operator).post(IMPORTS, dict(data), content_type="multipart/form-data")

    assert answer.status_code == 422
    assert "Choose a CSV file first" in answer.text


def test_a_file_that_is_too_large_is_explained_in_the_form(app, browse, people, world, monkeypatch):
    browser = browse(people.operator)
    monkeypatch.setitem(app.config, "MAX_UPLOAD_MB", 1)

    unpacked = upload(browser, gzip.compress(GOOD + b"login,ann,\n" * 100_000))
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 1_000)
    unread = upload(browser, GOOD * 20)

    for answer in (unpacked, unread):
        assert answer.status_code == 413
        assert "The file has more than 1 MB of text: split it" in answer.text
        assert 'class="dropzone"' in answer.text
    assert imports_of(world) == []


def test_a_viewer_may_not_upload_whatever_the_size(app, browse, people, world, monkeypatch):
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 1_000)

    assert upload(browse(people.viewer), GOOD * 20).status_code == 403


def test_bad_rows_are_listed_with_their_reasons(browse, people, mixed):
    page = browse(people.viewer).get(mixed).text

    assert "Finished with errors" in page
    assert "2 rows that were not imported" in page
    assert '<td class="num faint">3</td>' in page
    assert "timestamp &#39;someday&#39; is not a time" in page
    assert "<code>page_view,bob,someday</code>" in page


def test_bad_rows_can_be_downloaded(browse, people, mixed):
    browser = browse(people.viewer)
    [link] = links_in(browser.get(mixed).text, "errors.csv")

    answer = browser.get(link)

    assert 'filename="Mixed events-errors.csv"' in answer.headers["Content-Disposition"]
    assert answer.mimetype == "text/csv"
    lines = answer.text.splitlines()
    assert lines[0] == "row,reason,content"
    assert [line.split(",")[0] for line in lines[1:]] == ["3", "4"]


def test_only_the_first_bad_rows_are_shown(browse, people, world):
    rows = b"event_type,lead_id\n" + b"page_view,\n" * 60
    path = upload(browse(people.operator), rows).location
    work(world)

    page = browse(people.viewer).get(path).text

    assert "First 50 of 60 rows that were not imported" in page
    assert page.count('<td class="num faint">') == 50


def test_the_card_asks_for_itself_until_the_import_is_complete(browse, people, world):
    browser = browse(people.operator)
    path = upload(browser, GOOD).location
    target = htmx(f"article#import-{path.rpartition('/')[2]}")

    running = browser.get(path, headers=target)
    work(world)
    complete = browser.get(path, headers=target)

    assert f'hx-get="{path}"' in running.text
    assert "<html" not in running.text
    assert "hx-get" not in complete.text
    assert "HX-Refresh" not in complete.headers


def test_the_imports_own_page_is_loaded_again_once_it_is_complete(browse, people, world):
    browser = browse(people.operator)
    path = upload(browser, MIXED).location
    own = {"HX-Current-URL": f"http://localhost{path}"}
    target = htmx(f"article#import-{path.rpartition('/')[2]}", **own)

    running = browser.get(path, headers=target)
    work(world)
    complete = browser.get(path, headers=target)

    assert "HX-Refresh" not in running.headers
    assert complete.headers["HX-Refresh"] == "true"


def test_a_file_name_cannot_break_out(browse, people, world):
    browser = browse(people.operator)
    path = upload(browser, MIXED, "../a/<img src=x>; 日本.csv").location
    work(world)

    page, download = browser.get(path).text, browser.get(f"{path}/errors.csv")

    assert '<h1 class="breaks">&lt;img src=x&gt;; 日本.csv</h1>' in page
    assert download.status_code == 200
    assert "UTF-8''%3Cimg%20src%3Dx%3E%3B%20%E6%97%A5" in download.headers["Content-Disposition"]


def test_many_imports_stand_on_several_pages(browse, people, world):
    browser = browse(people.operator)
    for number in range(23):
        upload(browser, GOOD, f"file-{number:02}.csv")

    first, second = (browser.get(f"{IMPORTS}?page={n}").text for n in (1, 2))

    assert first.count("<article") == 20
    assert second.count("<article") == 3
    assert links_in(first, "page=") == [f"{IMPORTS}?page=2"]
    assert links_in(second, "page=") == []
    assert "file-22.csv" in first


def test_a_list_costs_the_same_number_of_statements_at_any_length(
    browse, people, world, statements
):
    browser, counts = browse(people.operator), []
    for _ in range(2):
        for _ in range(3):
            upload(browser, GOOD)
        statements.clear()
        browser.get(IMPORTS)
        counts.append(len(statements))

    assert counts[0] == counts[1]
    assert counts[0] <= 6


def test_the_example_can_be_imported(browse, people, world):
    browser = browse(people.operator)
    example = browser.get(f"{IMPORTS}/example.csv")

    upload(browser, example.data, "example.csv")
    work(world)

    assert "leadvibe-example.csv" in example.headers["Content-Disposition"]
    assert (imports_of(world)[0].accepted, imports_of(world)[0].failed) == (3, 0)


@pytest.mark.parametrize("path", ["x", "00000000-0000-0000-0000-000000000000"])
def test_an_import_that_is_none_is_not_found(browse, people, world, path):
    assert browse(people.owner).get(f"{IMPORTS}/{path}").status_code == 404
