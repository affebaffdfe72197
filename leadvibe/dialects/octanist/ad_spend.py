"""What advertising has cost: reported by whoever knows, and added up."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import timedelta
from io import StringIO
from typing import Any

from flask import Response, request

from leadvibe.adspend.queries import list_spend
from leadvibe.adspend.service import report_spend
from leadvibe.adspend.types import Grouping, Spend, SpendLine, SpendQuery
from leadvibe.dialects.octanist.bodies import (
    MAX_BODY_BYTES,
    SpendQueryBody,
    SpendReport,
    SpendReports,
    checked,
    read_body,
    refusal,
)
from leadvibe.dialects.octanist.dates import read_day
from leadvibe.dialects.octanist.envelope import answer_success, write_number
from leadvibe.dialects.octanist.stats import custom_period
from leadvibe.http.bodies import BODY, read_bytes
from leadvibe.identity.types import Principal
from leadvibe.lib.paging import Page, PageRequest

CSV = "text/csv"
COLUMNS = tuple(SpendReport.model_fields)
_GROUPED = {
    None: ("date", "platform", "campaignId", "campaignName"),
    Grouping.DAY: ("date",),
    Grouping.PLATFORM: ("platform",),
    Grouping.CAMPAIGN: ("platform", "campaignId", "campaignName"),
}


def show_spend(principal: Principal, *, body: SpendQueryBody) -> Response:
    """Ad spend of a time, as it was reported or added up. Currencies stand apart."""
    first, end = custom_period(body.startDate, body.endDate)
    grouping = Grouping(body.groupBy) if body.groupBy else None
    query = SpendQuery(first, end - timedelta(days=1), body.platform, grouping)
    found = list_spend(principal.scope, query, PageRequest(body.page, body.limit))
    lines = [_write_line(it, _GROUPED[grouping]) for it in found.items]
    return answer_success(lines, page=Page(lines, found.total, found.request))


def take_spend(principal: Principal) -> Response:
    """Report ad spend as JSON or CSV. What was reported for the same campaign and day goes."""
    reports = _read_csv() if request.mimetype == CSV else read_body(SpendReports).rows
    spends = [_spend(it, f"rows.{place}.date") for place, it in enumerate(reports)]
    return answer_success({"rowsStored": report_spend(principal.scope, spends)})


def _write_line(line: SpendLine, names: Sequence[str]) -> dict[str, Any]:
    written = {
        "date": line.day.isoformat() if line.day else None,
        "platform": line.platform,
        "campaignId": line.campaign_id or None,
        "campaignName": line.campaign_name,
    }
    return {
        **{name: written[name] for name in names},
        "currency": line.currency,
        "spend": write_number(float(line.spend)),
        "clicks": line.clicks,
        "impressions": line.impressions,
    }


def _spend(report: SpendReport, field: str) -> Spend:
    return Spend(
        day=read_day(field, report.date),
        platform=report.platform,
        campaign_id=report.campaignId or "",
        campaign_name=report.campaignName,
        currency=report.currency,
        spend=report.spend,
        clicks=report.clicks,
        impressions=report.impressions,
    )


def _read_csv() -> list[SpendReport]:
    """Return the rows of a file whose first line names its columns, as in JSON."""
    try:
        text = read_bytes(max_bytes=MAX_BODY_BYTES).decode("utf-8-sig")
        lines = list(csv.DictReader(StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise refusal({BODY: f"The body is no CSV in UTF-8: {error}."}) from None
    # A cell that is empty is not there, nor is what stands beyond the last column.
    rows = [{name: cell for name, cell in line.items() if name and cell} for line in lines]
    return checked(SpendReports, {"rows": rows}).rows
