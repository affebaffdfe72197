"""The list of leads: each filter, operator, order and refusal of the vendor's page."""

from __future__ import annotations

import pytest

from leadvibe.dialects.octanist.lead_fields import FIELDS, SORTABLE
from leadvibe.dialects.octanist.params import FILTERS
from leadvibe.leads.fields import CLICK_IDS
from tests.dialects.octanist.conftest import ago

EQUAL = ("status", "source", "labelId", "value", "website", "createdAt", "updatedAt", "qualifiedAt",
         "utm_source", "utm_medium", "utm_campaign", *CLICK_IDS)  # fmt: skip
DATES = ("createdAt", "updatedAt", "qualifiedAt")


@pytest.fixture
def three(add):
    """Ann was won for 250.5 in March, Bo is open and worth 100, Cy is lost and worth nothing."""
    add(
        "Ann", at=ago(30), status="won", value=250.5, email="ann@x.test", gclid="g1",
        website="https://x.test", utm_source="google", utm_medium="cpc", utm_campaign="spring",
        columns={"label_id": "label_a", "qualified_at": ago(5), "updated_at": ago(3)},
    )  # fmt: skip
    add(
        "Bo", at=ago(20), value=100, phone="+31 6 12345678", fbc="f1",
        columns={"intake": "wordpress", "updated_at": ago(2)},
    )  # fmt: skip
    add("Cy", at=ago(10), status="lost", columns={"intake": "inbound", "updated_at": ago(1)})


def test_every_documented_filter_exists_and_no_other():
    documented = {*EQUAL}
    documented |= {f"{it}[{op}]" for it in ("value", *DATES) for op in ("gte", "gt", "lte", "lt")}
    documented |= {f"{it}[exists]" for it in (*DATES, *CLICK_IDS)}

    assert set(FILTERS) == documented
    assert set(SORTABLE) == {*DATES, "value", "name", "email", "status"}


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "Cy Bo Ann"),
        ("status=won", "Ann"),
        ("status=open", "Bo"),
        ("status=win", "Ann"),
        ("status=won,lost", "Cy Ann"),
        ("status=won, lost", "Cy Ann"),
        ("status=qualified", ""),
        ("source=api", "Ann"),
        ("source=wordpress", "Bo"),
        ("source=inbound", "Cy"),
        ("source=gtm", ""),
        ("labelId=label_a", "Ann"),
        ("labelId=label_b", ""),
        ("website=https://x.test", "Ann"),
        ("value=100", "Bo"),
        ("value=250.50", "Ann"),
        ("value[gte]=100", "Bo Ann"),
        ("value[gt]=100", "Ann"),
        ("value[lte]=100", "Bo"),
        ("value[lt]=100", ""),
        ("value[gt]=100&value[lt]=1e3", "Ann"),
        ("createdAt=2026-03-10T11:30:00.000Z", "Ann"),
        ("createdAt[gte]=2026-03-10T11:40:00Z", "Cy Bo"),
        ("createdAt[gt]=2026-03-10T11:40:00Z", "Cy"),
        ("createdAt[lte]=2026-03-10T12:40:00%2B01:00", "Bo Ann"),
        ("createdAt[lte]=2026-03-10T12:40:00+01:00", "Bo Ann"),
        ("createdAt[lt]=2026-03-10T11:40:00Z", "Ann"),
        ("createdAt[gte]=2026-03-10", "Cy Bo Ann"),
        ("createdAt[gte]=2026-03-11", ""),
        ("createdAt[exists]=true", "Cy Bo Ann"),
        ("createdAt[exists]=false", ""),
        ("updatedAt[gte]=2026-03-10T11:58:00.000Z", "Cy Bo"),
        ("updated_after=2026-03-10T11:58:00.000Z", "Cy Bo"),
        ("updated_after=2026-03-01&updatedAt[gte]=2026-03-10T11:58:00Z", "Cy Bo"),
        ("qualifiedAt[exists]=true", "Ann"),
        ("qualifiedAt[exists]=false", "Cy Bo"),
        ("qualifiedAt[lt]=2026-03-10T11:55:00.001Z", "Ann"),
        ("gclid=g1", "Ann"),
        ("gclid=G1", ""),
        ("gclid[exists]=true", "Ann"),
        ("gclid[exists]=false", "Cy Bo"),
        ("fbc[exists]=true&status=open", "Bo"),
        ("utm_source=google&utm_medium=cpc&utm_campaign=spring", "Ann"),
        ("utm_source=google&status=open", ""),
        ("search=an", "Ann"),
        ("search=ANN@X", "Ann"),
        ("search=3161234", "Bo"),
        ("search=%25", ""),
        ("search=", "Cy Bo Ann"),
        ("search=cy&status=lost", "Cy"),
        ("sort=createdAt:asc", "Ann Bo Cy"),
        ("sort=updatedAt:desc", "Cy Bo Ann"),
        ("sort=updated_at:asc", "Ann Bo Cy"),
        ("sort=updated_at:asc,updatedAt:desc", "Cy Bo Ann"),
        ("sort=value:asc", "Bo Ann Cy"),
        ("sort=value:desc", "Ann Bo Cy"),
        ("sort=name:asc", "Ann Bo Cy"),
        ("sort=name:desc", "Cy Bo Ann"),
        ("sort=email:asc,name:desc", "Ann Cy Bo"),
        ("sort=email:desc,name:asc", "Ann Bo Cy"),
        ("sort=qualifiedAt:asc,createdAt:asc", "Ann Bo Cy"),
        ("sort=qualifiedAt:desc,createdAt:desc", "Ann Cy Bo"),
        ("sort=status:asc", "Cy Bo Ann"),
        ("limit=1", "Cy"),
        ("limit=1&page=3", "Ann"),
        ("limit=1&page=4", ""),
        ("limit=2&page=2&sort=value:asc", "Cy"),
        ("limit=100&page=1000000000", ""),
        ("limit=1&page=2&sort=qualifiedAt:desc,name:asc", "Bo"),
        ("limit=1&page=3&sort=qualifiedAt:desc,name:asc", "Cy"),
    ],
)
def test_leads_are_found(names, query, found):
    assert names(query) == found.split()


@pytest.mark.parametrize("name", CLICK_IDS)
def test_each_click_id_is_filtered_by(add, names, name):
    add("With", **{name: "abc"})
    add("Without")

    assert names(f"{name}=abc") == names(f"{name}[exists]=true") == ["With"]
    assert names(f"{name}[exists]=false") == ["Without"]


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("foo=1", "INVALID_FILTER", "foo"),
        ("Status=won", "INVALID_FILTER", "Status"),
        ("name=Ann", "INVALID_FILTER", "name"),
        ("email=ann@x.test", "INVALID_FILTER", "email"),
        ("expiresAt[gte]=2026-03-10", "INVALID_FILTER", "expiresAt[gte]"),
        ("status=closed", "INVALID_FILTER", "status"),
        ("status=won,", "INVALID_FILTER", "status"),
        ("status[gte]=won", "INVALID_FILTER", "status[gte]"),
        ("status=won&status=lost", "INVALID_FILTER", "status"),
        ("source=radio", "INVALID_FILTER", "source"),
        ("source[exists]=true", "INVALID_FILTER", "source[exists]"),
        ("labelId=", "INVALID_FILTER", "labelId"),
        ("labelId=%00", "INVALID_FILTER", "labelId"),
        ("website[exists]=true", "INVALID_FILTER", "website[exists]"),
        ("utm_source[exists]=true", "INVALID_FILTER", "utm_source[exists]"),
        ("gclid[gte]=1", "INVALID_FILTER", "gclid[gte]"),
        ("gclid[exists]=yes", "INVALID_FILTER", "gclid[exists]"),
        ("value=abc", "INVALID_FILTER", "value"),
        ("value[gte]=nan", "INVALID_FILTER", "value[gte]"),
        ("value[gte]=1_0", "INVALID_FILTER", "value[gte]"),
        ("value[gte]=1e999", "INVALID_FILTER", "value[gte]"),
        ("value[exists]=true", "INVALID_FILTER", "value[exists]"),
        ("value[ne]=1", "INVALID_FILTER", "value[ne]"),
        ("createdAt=yesterday", "INVALID_DATE", "createdAt"),
        ("createdAt[gte]=2026-02-30", "INVALID_DATE", "createdAt[gte]"),
        ("createdAt[gte]=0001-01-01", "INVALID_DATE", "createdAt[gte]"),
        ("createdAt[lt]=9999-12-31T23:59:59Z", "INVALID_DATE", "createdAt[lt]"),
        ("createdAt[gte]=20260310", "INVALID_DATE", "createdAt[gte]"),
        ("updatedAt[lt]=", "INVALID_DATE", "updatedAt[lt]"),
        ("qualifiedAt[exists]=1", "INVALID_FILTER", "qualifiedAt[exists]"),
        ("updated_after=soon", "INVALID_DATE", "updatedAt[gte]"),
        ("limit=0", "VALIDATION_ERROR", "limit"),
        ("limit=101", "VALIDATION_ERROR", "limit"),
        ("limit=ten", "VALIDATION_ERROR", "limit"),
        ("limit=", "VALIDATION_ERROR", "limit"),
        ("limit=1&limit=2", "VALIDATION_ERROR", "limit"),
        ("page=0", "VALIDATION_ERROR", "page"),
        ("page=-1", "VALIDATION_ERROR", "page"),
        ("page=99999999999999999999", "VALIDATION_ERROR", "page"),
        ("sort=phone:asc", "VALIDATION_ERROR", "sort"),
        ("sort=createdAt", "VALIDATION_ERROR", "sort"),
        ("sort=createdAt:up", "VALIDATION_ERROR", "sort"),
        ("sort=name:asc,name:desc", "VALIDATION_ERROR", "sort"),
        ("fields=id,nome", "VALIDATION_ERROR", "fields"),
        ("search=%00", "VALIDATION_ERROR", "search"),
    ],
)
def test_what_is_wrong_is_named(octanist, query, code, field):
    refused = octanist.get("/api/leads", query)

    assert refused.status_code == 400
    assert refused.json["success"] is False
    assert refused.json["error"]["code"] == code
    assert list(refused.json["error"]["details"]) == [field]


@pytest.mark.parametrize("name", ["search", "gclid"])
def test_a_nul_character_is_called_one(octanist, name):
    assert "NUL" in octanist.get("/api/leads", f"{name}=a%00").json["error"]["message"]


def test_only_chosen_fields_come_back_and_the_id_always(octanist, add):
    lead_id = add("Ann", email="ann@x.test", value=5)

    found = octanist.get("/api/leads", "fields=value,%20name").json["data"]

    assert found == [{"id": lead_id, "name": "Ann", "value": 5}]
    assert list(found[0]) == ["id", "name", "value"]


def test_every_field_can_be_chosen(octanist, add):
    add("Ann")

    for field in FIELDS:
        [lead] = octanist.get("/api/leads", f"fields={field.key}").json["data"]
        assert list(lead) == (["id"] if field.key == "id" else ["id", field.key])


def test_a_time_that_was_shown_finds_its_lead_and_does_not_come_after_itself(octanist, add, names):
    add("Ann", at=ago(1), columns={"updated_at": ago(0).replace(microsecond=123_456)})
    shown = octanist.get("/api/leads").json["data"][0]["updatedAt"]

    assert shown == "2026-03-10T12:00:00.123Z"
    assert names(f"updatedAt={shown}") == names(f"updatedAt[gte]={shown}") == ["Ann"]
    assert names(f"updatedAt[lte]={shown}") == ["Ann"]
    assert names(f"updatedAt[gt]={shown}") == names(f"updatedAt[lt]={shown}") == []


@pytest.mark.parametrize("sort", [f"{it}:{way}" for it in SORTABLE for way in ("asc", "desc")])
def test_pages_hold_everybody_once_in_any_order(octanist, add, sort):
    for number in range(7):
        at, value = ago(number % 3), number % 2 or None
        add(f"P{number % 2}", at=at, value=value, columns={"updated_at": at})

    pages = [
        octanist.get("/api/leads", f"limit=2&page={page}&sort={sort}").json for page in range(1, 6)
    ]

    ids = [lead["id"] for page in pages for lead in page["data"]]
    assert len(ids) == len(set(ids)) == 7
    more = [page["meta"]["pagination"]["hasMore"] for page in pages]
    assert more == [True, True, True, False, False]


def test_later_pages_stay_when_an_older_lead_is_brought_in(octanist, add, names):
    for number in range(4):
        add(f"P{number}", at=ago(number))
    first = names("limit=2")

    add("Old", at=ago(60))

    assert first == ["P0", "P1"]
    assert names("limit=2&page=2") == ["P2", "P3"]
    assert names("limit=2&page=3") == ["Old"]


def test_the_list_takes_few_statements(octanist, add, statements):
    for number in range(5):
        add(f"P{number}", gclid=f"g{number}")
    statements.clear()

    octanist.get("/api/leads", "gclid[exists]=true&sort=name:asc")

    assert len(statements) <= 4
