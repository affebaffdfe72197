"""Ad spend: reported as JSON or CSV, replaced when it is reported again, and added up."""

from __future__ import annotations

import pytest

MARCH = {"startDate": "2026-03-01", "endDate": "2026-03-31"}
ROWS = [
    {"date": "2026-03-01", "platform": "google", "campaignId": "1", "campaignName": "Spring",
     "currency": "EUR", "spend": 12.5, "clicks": 30, "impressions": 900},
    {"date": "2026-03-02", "platform": "google", "campaignId": "1", "campaignName": "Spring!",
     "currency": "EUR", "spend": "0.1", "clicks": 1, "impressions": 100},
    {"date": "2026-03-02", "platform": "meta", "currency": "EUR", "spend": 4},
    {"date": "2026-04-01", "platform": "meta", "currency": "EUR", "spend": 99},
]  # fmt: skip
CSV = """\ufeffdate,platform,campaignId,campaignName,currency,spend,clicks,impressions
2026-03-01,google,1,"Spring, again",EUR,7.25,3,
2026-03-03,bing,,,,1,,
"""


@pytest.fixture
def report(octanist):
    def send(rows=ROWS, status=200):
        answer = octanist.send("PUT", "/api/ad-spend/rows", json={"rows": rows})
        assert answer.status_code == status, answer.text
        return answer

    return send


@pytest.fixture
def spent(octanist):
    def find(**body):
        answer = octanist.post("/api/ad-spend", {**MARCH, **body})
        assert answer.status_code == 200, answer.text
        return answer.json["data"]

    return find


def test_rows_come_back_as_they_were_reported(report, spent):
    assert report().json["data"] == {"rowsStored": 4}

    assert spent() == [
        {**ROWS[0]},
        {**ROWS[1], "spend": 0.1},
        {**ROWS[2], "campaignId": None, "campaignName": None, "clicks": 0, "impressions": 0},
    ]
    assert [it["platform"] for it in spent(platform="meta")] == ["meta"]
    assert spent(startDate="2026-03-03") == []


def test_rows_that_are_reported_again_are_replaced(octanist, report, spent):
    report()
    sent = octanist.send(
        "PUT", "/api/ad-spend/rows", data=CSV.encode(), content_type="text/csv; charset=utf-8"
    )

    assert sent.json["data"] == {"rowsStored": 2}
    assert [(it["date"], it["spend"], it["campaignName"]) for it in spent()] == [
        ("2026-03-01", 7.25, "Spring, again"), ("2026-03-02", 0.1, "Spring!"),
        ("2026-03-02", 4, None), ("2026-03-03", 1, None),
    ]  # fmt: skip


def test_the_later_of_two_rows_for_one_day_counts(report, spent):
    report([ROWS[0], {**ROWS[0], "spend": 1}])

    assert [it["spend"] for it in spent()] == [1]


def test_spend_is_added_up_but_never_across_currencies(report, spent):
    report([*ROWS, {**ROWS[0], "campaignId": "2", "currency": "USD"}])

    by_platform = spent(groupBy="platform")
    assert by_platform[0] == {
        "platform": "google", "currency": "EUR", "spend": 12.6, "clicks": 31, "impressions": 1000,
    }  # fmt: skip
    assert [(it["platform"], it["currency"]) for it in by_platform] == [
        ("google", "EUR"), ("google", "USD"), ("meta", "EUR"),
    ]  # fmt: skip
    assert [(it["date"], it["spend"]) for it in spent(groupBy="day")] == [
        ("2026-03-01", 12.5), ("2026-03-01", 12.5), ("2026-03-02", 4.1),
    ]  # fmt: skip
    assert [(it["campaignId"], it["campaignName"]) for it in spent(groupBy="campaign")] == [
        ("1", "Spring!"), ("2", "Spring"), (None, None),
    ]  # fmt: skip


def test_pages_are_in_the_body(octanist, report):
    report()

    answer = octanist.post("/api/ad-spend", {**MARCH, "limit": 2, "page": 2}).json

    assert [it["platform"] for it in answer["data"]] == ["meta"]
    assert answer["meta"]["pagination"] == {
        "limit": 2, "page": 2, "totalPages": 2, "total": 3, "hasMore": False,
    }  # fmt: skip


def test_other_units_see_nothing_of_it(report, foreign_octanist):
    report()

    assert foreign_octanist.post("/api/ad-spend", MARCH).json["data"] == []


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "VALIDATION_ERROR", "startDate"),
        ({"startDate": "2026-03-01"}, "VALIDATION_ERROR", "endDate"),
        ({**MARCH, "limit": 501}, "VALIDATION_ERROR", "limit"),
        ({**MARCH, "limit": 0}, "VALIDATION_ERROR", "limit"),
        ({**MARCH, "page": 0}, "VALIDATION_ERROR", "page"),
        ({**MARCH, "groupBy": "week"}, "VALIDATION_ERROR", "groupBy"),
        ({**MARCH, "startDate": "March"}, "INVALID_DATE", "startDate"),
        ({**MARCH, "endDate": "2026-01-01"}, "VALIDATION_ERROR", "endDate"),
    ],
)
def test_a_wrong_question_is_refused(octanist, body, code, field):
    refused = octanist.post("/api/ad-spend", body)

    assert (refused.status_code, refused.json["error"]["code"]) == (400, code)
    assert field in refused.json["error"]["details"]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"date": "1.3.2026"}, "INVALID_DATE", "rows.0.date"),
        ({"date": None}, "VALIDATION_ERROR", "rows.0.date"),
        ({"platform": ""}, "VALIDATION_ERROR", "rows.0.platform"),
        ({"spend": -1}, "VALIDATION_ERROR", "rows.0.spend"),
        ({"spend": "much"}, "VALIDATION_ERROR", "rows.0.spend"),
        ({"clicks": 1.5}, "VALIDATION_ERROR", "rows.0.clicks"),
        ({"currency": "euro"}, "VALIDATION_ERROR", "rows.0.currency"),
    ],
)
def test_wrong_rows_are_refused_all_together(report, spent, change, code, field):
    refused = report([{**ROWS[0], **change}, ROWS[1]], status=400)

    assert refused.json["error"]["code"] == code
    assert list(refused.json["error"]["details"]) == [field]
    assert spent() == []


@pytest.mark.parametrize("text", [b"", b"date,platform\n", b"\xff", b"date,spend\n2026-03-01,1\n"])
def test_files_that_hold_no_rows_are_refused(octanist, text):
    refused = octanist.send("PUT", "/api/ad-spend/rows", data=text, content_type="text/csv")

    assert (refused.status_code, refused.json["error"]["code"]) == (400, "VALIDATION_ERROR")
