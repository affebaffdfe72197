"""Where leads come from, and what has come of them: by how they came in, and by their source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, timedelta
from typing import NamedTuple

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission
from leadvibe.leadlist.sources import tally_sources
from leadvibe.leads.record_counts import Counted, tally
from leadvibe.leads.statuses import Outcome
from leadvibe.lib.clock import utc_now
from leadvibe.web.call_rows import CALLS
from leadvibe.web.home_range import midnight
from leadvibe.web.home_range import spell as spell_day
from leadvibe.web.pages.calls import SourceRow, SourcesPage, SourceTable
from leadvibe.web.pages.display import Choice, query_url, spell_share, thousands
from leadvibe.web.recorded_filter import spell
from leadvibe.web.rendering import render

SOURCES = f"{CALLS}/sources"
LAST_MONTH = "last"
INTAKES = {
    "api": "API",
    "import": "Import",
    "wordpress": "WordPress",
    "gtm": "Tag Manager",
    "manual": "By hand",
    "inbound": "Inbound",
}
OTHERS = "No or another source"
BAD_RANGE = "Choose two days, the first not after the last."

pages = Blueprint("call-sources", __name__)

_Tally = tuple[str, Outcome, int, float]


class _Range(NamedTuple):
    """Days of UTC, both included."""

    key: str
    first: date
    last: date
    error: str = ""


@pages.get("/calls/sources")
def show_sources() -> AnyResponse:
    scope, wanted = require(Permission.READ).scope, _read_range()
    since, before = midnight(wanted.first), midnight(wanted.last + timedelta(days=1))
    intakes = [
        (INTAKES.get(it.intake, it.intake), it.outcome, it.leads, it.value)
        for it in tally(scope, Counted(since=since, before=before))
    ]
    total = [("All leads", outcome, leads, value) for _, outcome, leads, value in intakes]
    sources = tally_sources(scope, since=since, before=before)
    page = SourcesPage(
        ranges=(
            Choice("This month", "", not wanted.key, SOURCES),
            Choice(
                "Last month",
                LAST_MONTH,
                wanted.key == LAST_MONTH,
                query_url(SOURCES, {"range": LAST_MONTH}),
            ),
        ),
        action_url=SOURCES,
        first=wanted.first.isoformat(),
        last=wanted.last.isoformat(),
        label=f"{spell_day(wanted.first)} to {spell_day(wanted.last)}",
        error=wanted.error,
        tables=(
            SourceTable(
                title="By how they came in",
                head="Came in by",
                rows=_rows(intakes),
                total=_rows(total),
            ),
            SourceTable(
                title="By source",
                head="Source",
                rows=_rows([*sources, *_others(intakes, sources)]) if sources else (),
            ),
        ),
    )
    return render("calls/sources.html", page=page, section=CALLS)


def _others(intakes: Iterable[_Tally], sources: Iterable[_Tally]) -> Iterator[_Tally]:
    """Yield those that are in the total and of no source that is named."""
    leads: dict[Outcome, int] = defaultdict(int)
    values: dict[Outcome, float] = defaultdict(float)
    for sign, tallies in ((1, intakes), (-1, sources)):
        for _, outcome, count, value in tallies:
            leads[outcome] += sign * count
            values[outcome] += sign * value
    for outcome, count in leads.items():
        if count > 0:
            yield OTHERS, outcome, count, round(values[outcome], 2)


def _rows(tallies: Iterable[_Tally]) -> tuple[SourceRow, ...]:
    leads: dict[str, dict[Outcome, int]] = defaultdict(lambda: dict.fromkeys(Outcome, 0))
    values: dict[str, float] = defaultdict(float)
    for name, outcome, count, value in tallies:
        leads[name][outcome] += count
        values[name] += value if outcome is Outcome.WON else 0
    return tuple(_row(name, it, values[name]) for name, it in leads.items())


def _row(name: str, counts: dict[Outcome, int], value: float) -> SourceRow:
    total, won = sum(counts.values()), counts[Outcome.WON]
    return SourceRow(
        name=name,
        leads=thousands(total),
        open=thousands(counts[Outcome.OPEN]),
        qualified=thousands(counts[Outcome.QUALIFIED]),
        won=thousands(won),
        lost=thousands(counts[Outcome.LOST]),
        value=spell("value", float(value)),
        qualification_rate=_rate(total - counts[Outcome.OPEN], total),
        win_rate=_rate(won, won + counts[Outcome.QUALIFIED]),
    )


def _rate(part: int, whole: int) -> str:
    """Spell a rate; there is none of nothing."""
    return spell_share(part, whole) if whole else "\N{EN DASH}"


def _read_range() -> _Range:
    today = utc_now().astimezone(UTC).date()
    month = today.replace(day=1)
    key = request.args.get("range", "")
    if key == LAST_MONTH:
        last = month - timedelta(days=1)
        return _Range(key, last.replace(day=1), last)
    first, last_text = request.args.get("from", ""), request.args.get("to", "")
    if not first and not last_text:
        return _Range("", month, today)
    try:
        wanted = _Range("custom", date.fromisoformat(first), date.fromisoformat(last_text))
    except ValueError:
        return _Range("", month, today, BAD_RANGE)
    is_good = wanted.first <= wanted.last < date.max
    return wanted if is_good else _Range("", month, today, BAD_RANGE)
