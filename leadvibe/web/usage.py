"""What an organisation uses: events by month against its plan, and a unit's last days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import cast

from flask import Blueprint, current_app
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require_member
from leadvibe.identity.permissions import Permission
from leadvibe.identity.queries import get_organization, get_unit
from leadvibe.lib.clock import utc_now
from leadvibe.metrics.usage import Usage, get_usage, list_days
from leadvibe.web.pages.display import MONTHS, Fact, share, thousands
from leadvibe.web.pages.settings import Bar, Chart, UsagePage
from leadvibe.web.rendering import render

USAGE = "/app/settings/usage"
DAYS = 30
WIDTH, HEIGHT = 600.0, 120.0
FILLED = 0.72
"""Of a bar's place, the rest being the gap."""

pages = Blueprint("usage", __name__)


@pages.get("/settings/usage")
def show_usage() -> AnyResponse:
    principal, now = require_member(Permission.READ), utc_now()
    limit = cast("int | None", current_app.config["MONTHLY_EVENT_LIMIT"])
    usage = get_usage(principal.scope, limit=limit, now=now)
    days = list_days(principal.scope, days=DAYS, now=now)
    names = [_day(it.day) for it in days]
    page = UsagePage(
        org_name=get_organization(principal.org_id).name,
        unit_name=get_unit(principal.scope).name,
        figures=tuple(_figures(usage)),
        percent=share(usage.current.events, limit) if limit else None,
        is_over=usage.current.overage > 0,
        months=_months(usage),
        days=(
            _chart("events", "Counted events", names, [it.events for it in days]),
            _chart("leads", "New leads", names, [it.leads for it in days]),
            _chart("requests", "Changes over the API", names, [it.requests for it in days]),
        ),
    )
    return render("settings/usage.html", page=page, section=USAGE)


def _figures(usage: Usage) -> list[Fact]:
    facts = [
        Fact("Events this month", thousands(usage.current.events)),
        Fact("Plan", thousands(usage.limit) if usage.limit is not None else "No limit"),
        Fact("Of this unit", thousands(usage.unit_events)),
    ]
    if usage.current.overage:
        facts.append(Fact("Beyond the plan", thousands(usage.current.overage)))
    return facts


def _months(usage: Usage) -> Chart:
    names = [f"{MONTHS[it.month.month - 1]} {it.month.year}" for it in usage.months]
    return _chart("months", "Events", names, [it.events for it in usage.months], limit=usage.limit)


def _chart(
    key: str, title: str, names: Sequence[str], values: Sequence[int], *, limit: int | None = None
) -> Chart:
    top = max([*values, limit or 0, 1])
    place = WIDTH / len(values)
    bars = tuple(
        Bar(
            round(place * (number + (1 - FILLED) / 2), 2),
            round(HEIGHT * (1 - value / top), 2),
            round(place * FILLED, 2),
            round(HEIGHT * value / top, 2),
            f"{name}: {thousands(value)}",
            is_over=limit is not None and value > limit,
        )
        for number, (name, value) in enumerate(zip(names, values, strict=True))
    )
    return Chart(
        id=key,
        title=title,
        total=thousands(sum(values)),
        bars=bars,
        limit_y=round(HEIGHT * (1 - limit / top), 2) if limit else None,
        first=names[0],
        last=names[-1],
        top=thousands(top),
        header=("Month" if key == "months" else "Day", title),
        rows=tuple((name, thousands(value)) for name, value in zip(names, values, strict=True))[
            ::-1
        ],
    )


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"
