"""Statistics: the vendor's sample and its formulas, and the periods."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.dialects.octanist import stats
from leadvibe.lib.db import commit, driver

MARCH = datetime(2026, 3, 10, 12, tzinfo=UTC)
CUSTOM = {"period": "custom", "startDate": "2026-03-01", "endDate": "2026-03-31"}


@pytest.fixture
def fill(world):
    """Return what puts many leads of one kind into the unit."""

    def make(count, outcome, *, at=MARCH, intake="api", value=None):
        status = {"open": "not_contacted", "won": "converted"}.get(outcome, outcome)
        driver().execute(
            """
            INSERT INTO lead_records (unit_id, lead_id, intake, created_at, updated_at, status,
                outcome, value)
            SELECT %(unit)s, gen_random_uuid(), %(intake)s, %(at)s, %(at)s, %(status)s,
                %(outcome)s, %(value)s FROM generate_series(1, %(count)s)
            """,
            {"unit": world.scope.unit_id, "intake": intake, "at": at, "status": status,
             "outcome": outcome, "value": value, "count": count},
        )  # fmt: skip
        commit()

    return make


def test_the_sample_comes_out_as_documented(octanist, fill):
    fill(45, "open", value=99)
    fill(30, "qualified", value=99)
    fill(50, "won", value=2500, intake="wordpress")
    fill(25, "lost", value=99)

    assert octanist.post("/api/stats", CUSTOM).json["data"] == {
        "usage": {
            "leadsUsed": 150, "leadsLimit": None, "lockedLeads": 0,
            "periodStart": "2026-03-01T00:00:00.000Z", "periodEnd": "2026-03-31T23:59:59.999Z",
        },
        "leads": {
            "total": 150,
            "byStatus": {"open": 45, "qualified": 30, "won": 50, "lost": 25},
            "bySource": {
                "inbound": 0, "gtm": 0, "api": 100, "manual": 0, "wordpress": 50, "import": 0,
            },
        },
        "conversion": {
            "qualified": 80, "qualificationRate": 0.7, "winRate": 0.625, "averageValue": 2500,
            "totalValue": 125000,
        },
    }  # fmt: skip


def test_rates_of_nothing_are_zero(octanist):
    conversion = octanist.post("/api/stats", {}).json["data"]["conversion"]

    assert set(conversion.values()) == {0}


def test_months_are_calendar_months_in_utc(octanist, fill, monkeypatch):
    now = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    monkeypatch.setattr(stats, "utc_now", lambda: now)
    last_month = datetime(2026, 3, 1, tzinfo=UTC) - timedelta(microseconds=1)
    fill(1, "open", at=now)
    fill(2, "open", at=last_month)
    fill(4, "open", at=datetime(2026, 1, 31, tzinfo=UTC))

    def used(**body):
        return octanist.post("/api/stats", body).json["data"]["usage"]

    assert used()["leadsUsed"] == used(period="current")["leadsUsed"] == 1
    assert used(period="previous") == {
        "leadsUsed": 2, "leadsLimit": None, "lockedLeads": 0,
        "periodStart": "2026-02-01T00:00:00.000Z", "periodEnd": "2026-02-28T23:59:59.999Z",
    }  # fmt: skip
    days = {"startDate": "2026-01-31", "endDate": "2026-02-28"}
    assert used(period="custom", **days)["leadsUsed"] == 6
    assert used(**days) == used(period="custom", **days)
    assert used(period="current", **days) == used()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (None, "VALIDATION_ERROR"),
        ({"period": "year"}, "VALIDATION_ERROR"),
        ({"period": "custom"}, "VALIDATION_ERROR"),
        ({"startDate": "2026-03-01"}, "VALIDATION_ERROR"),
        ({"period": "custom", "startDate": "2026-03-01"}, "VALIDATION_ERROR"),
        ({**CUSTOM, "endDate": "2026-02-28"}, "VALIDATION_ERROR"),
        ({**CUSTOM, "endDate": "31.3.2026"}, "INVALID_DATE"),
        ({**CUSTOM, "startDate": "2026-02-30"}, "INVALID_DATE"),
    ],
)
def test_what_is_wrong_is_refused(octanist, body, code):
    options = {} if body is None else {"json": body}

    refused = octanist.send("POST", "/api/stats", **options)

    assert (refused.status_code, refused.json["error"]["code"]) == (400, code)
