"""Leads imported in five steps, each of them an address; and imports undone from their page."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest

from leadvibe.imports import service, undoing
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.lib.ids import parse_id

LEADS = "/app/imports/leads"
FILE = (
    "E-mail;First name;Owner;Plan\r\n"
    "ana@x.test;Ana;operator@acme.test;pro\r\n"
    "bo@y.test;Zoë;;\r\n"
    "nobody;Cy;;\r\n"
    "cy@z.test;Cy;stranger@other.test;\r\n"
).encode("cp1252")


@pytest.fixture
def browser(browse, people):
    return browse(people.operator)


def upload(browser, content=FILE):
    return browser.post(LEADS, {"file": (io.BytesIO(content), "leads.csv")})


def map_columns(browser, path):
    browser.post(f"{path}/identifier", {"column": "E-mail", "kind": "email"})
    fields = {"target-1": "property", "name-1": "first_name", "target-2": "owner"}
    return browser.post(f"{path}/columns", {**fields, "target-3": "property", "name-3": "plan"})


def work(world, path):
    import_id = parse_id(path.rpartition("/")[2])
    service.advance_import(world.scope, import_id, ring=lambda: None, is_stopping=lambda: False)
    return import_id


def figures(page):
    return dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", page))


def test_leads_are_imported_step_by_step_and_taken_back(browser, browse, people, world):
    path = upload(browser).location
    preview = browser.get(path).text
    identifier = browser.get(f"{path}/identifier").text
    columns = map_columns(browser, path)
    shown = browser.get(f"{path}/columns").text
    confirm = browser.get(f"{path}/confirm").text
    started = browser.post(f"{path}/confirm")
    import_id = work(world, path)
    result = browser.get(started.location).text

    assert figures(preview)["Encoding"] == "Latin-1 (Windows-1252)"
    assert figures(preview)["Separator"] == "semicolon"
    assert 'value="E-mail" checked' in identifier
    assert columns.location == f"{path}/confirm"
    assert '<option value="owner" selected>' in shown
    assert figures(confirm) == {
        "New leads": "2", "Updates of known leads": "0", "Rows refused": "2",
    }  # fmt: skip
    assert "is no member of this unit" in confirm
    assert figures(result)["New leads"] == "2"
    assert "2 rows that were not imported" in result
    owners = driver().execute("SELECT owner_id FROM leads ORDER BY name").fetchall()
    assert [it is not None for (it,) in owners] == [True, False]

    dry_run = browser.get(f"{started.location}/undo").text
    undone = browser.post(f"{started.location}/undo")
    undoing.advance_undo(world.scope, import_id, is_stopping=lambda: False)

    assert "Removes 2 leads that nothing else knows." in dry_run
    assert "Undone by operator@acme.test" in browser.get(undone.location).text
    assert driver().execute("SELECT count(*) FROM leads").fetchall() == [(0,)]
    assert browser.get(f"{started.location}/undo").status_code == 303
    audit = browse(people.owner).get("/app/settings/audit").text
    assert "undid an import: leads.csv" in audit
    assert "imported a file of leads: leads.csv" in audit


def test_going_back_keeps_what_was_said(browser):
    path = upload(browser).location
    map_columns(browser, path)

    browser.post(f"{path}/identifier", {"column": "E-mail", "kind": "email"})

    assert 'value="plan"' in browser.get(f"{path}/columns").text
    assert '<option value="owner" selected>' in browser.get(f"{path}/columns").text


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"target-1": "property", "name-1": ""}, "Give the property"),
        ({"target-1": "owner", "target-2": "owner"}, "one column for the owner"),
        (
            {"target-1": "property", "name-1": "a", "target-3": "property", "name-3": "a"},
            "several columns to &#39;a&#39;",
        ),
    ],
)
def test_columns_that_make_no_sense_are_refused_where_they_are(browser, fields, complaint):
    path = upload(browser).location
    browser.post(f"{path}/identifier", {"column": "E-mail", "kind": "email"})

    answer = browser.post(f"{path}/columns", fields)

    assert answer.status_code == 422
    assert complaint in answer.text


def test_a_file_that_will_not_do_is_explained(browser):
    assert upload(browser, b"PK\x03\x04").status_code == 415
    assert "The file is empty" in upload(browser, b"").text
    assert browser.post(LEADS, {}).status_code == 422


def test_who_comes_too_late_is_led_to_the_upload_and_who_presses_twice_to_the_result(
    browser, world
):
    path = upload(browser).location
    map_columns(browser, path)
    browser.post(f"{path}/confirm")
    assert browser.post(f"{path}/confirm").location.endswith(path.rpartition("/")[2])

    late = upload(browser).location
    driver().execute("UPDATE imports SET created_at = %s", (utc_now() - timedelta(hours=2),))
    commit()
    assert browser.get(late).status_code == 404  # by its id it is of today


def test_strangers_and_viewers_see_and_do_nothing(browse, people, browser):
    path = upload(browser).location

    for end in ("", "/identifier", "/columns", "/confirm"):
        assert browse(people.stranger).get(f"{path}{end}").status_code == 404
        assert browse(people.viewer).get(f"{path}{end}").status_code == 403
    assert browse(people.viewer).post(f"{path}/confirm").status_code == 403
    assert upload(browse(people.viewer)).status_code == 403
    assert "Import leads" not in browse(people.viewer).get("/app/imports").text
