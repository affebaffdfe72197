"""The query string of the events page: it is the page's whole state, and people may type it.

Reads it into what events.exploring understands, says what is wrong with it, and writes the
addresses of the same page with something changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from werkzeug.datastructures import MultiDict

from leadvibe.engine.conditions import (
    Clause,
    Condition,
    ConditionError,
    Joiner,
    Operator,
)
from leadvibe.events.exploring import Looking
from leadvibe.events.queries import TimelinePosition
from leadvibe.lib.ids import parse_id
from leadvibe.scoring.condition_words import misfit
from leadvibe.web.event_positions import read_position
from leadvibe.web.pages.display import query_url

EVENTS = "/app/events"
DEFAULT_RANGE = "30d"
RANGES: Mapping[str, timedelta | None] = MappingProxyType(
    {
        "24h": timedelta(hours=24),
        "7d": timedelta(days=7),
        "30d": timedelta(days=30),
        "90d": timedelta(days=90),
        "12m": timedelta(days=365),
        "all": None,
    }
)
STATES = ("counted", "suppressed")
MOST_CONDITIONS = 10
MOST_TYPES = 20
LONGEST_TEXT = 200
SINGLE = ("q", "range", "from", "to", "channel", "lead", "state", "reason", "logic", "before")
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
_UNVALUED = frozenset({Operator.EXISTS, Operator.NOT_EXISTS})


class _BadParameterError(Exception):
    """A parameter makes no sense; the text says what is wrong and how to put it right."""


class MetaRow(NamedTuple):
    """A condition on the metadata as the form has it."""

    key: str
    operator: Operator
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """A page that somebody asks for. With an `error` the rest is what could be read."""

    params: Mapping[str, str]
    """What was given once, without empty values and defaults."""
    types: tuple[str, ...] = ()
    rows: tuple[MetaRow, ...] = ()
    looking: Looking = field(default_factory=Looking)
    """Without the lead, whom only the database knows."""
    before: TimelinePosition | None = None
    event_id: UUID | None = None
    error: str = ""

    @property
    def range(self) -> str:
        """Which of RANGES is chosen; empty for days of one's own."""
        is_own = "from" in self.params or "to" in self.params
        return "" if is_own else self.params.get("range", DEFAULT_RANGE)

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the time narrows the list."""
        narrowing = ("q", "channel", "lead", "state", "reason")
        return bool(self.types or self.rows or any(name in self.params for name in narrowing))

    def url(
        self, *, path: str = EVENTS, event: str = "", **changes: str | tuple[object, ...]
    ) -> str:
        """Return this page's address with something changed, from its newest event on.

        `types` and `rows` are given as they stand here; the event that is open closes.
        """
        types = changes.pop("types", self.types)
        rows = changes.pop("rows", self.rows)
        wanted: dict[str, str | list[str]] = {**self.params, "before": ""}
        wanted |= {name.rstrip("_"): str(value) for name, value in changes.items()}
        if wanted.get("range") == DEFAULT_RANGE:
            wanted["range"] = ""
        wanted["type"] = [str(it) for it in types]
        wanted |= _written(rows)
        wanted["event"] = event
        return query_url(path, wanted)

    def here(self, event: str = "") -> str:
        """Return this very page's address, with an event open or none."""
        return self.url(event=event, before=self.params.get("before", ""))

    def clear_url(self) -> str:
        """Return the page without what narrows it but for the time."""
        kept = {name: self.params.get(name, "") for name in ("range", "from", "to")}
        return query_url(EVENTS, kept)


def _written(rows: object) -> dict[str, str]:
    written: dict[str, str] = {}
    for number, row in enumerate(rows if isinstance(rows, tuple) else ()):
        key, operator, value = row
        is_plain = operator is Operator.EQUALS
        written |= {
            f"m{number}": key,
            f"m{number}-op": "" if is_plain else operator.value,
            f"m{number}-value": value,
        }
    return written


def read_event_query(arguments: MultiDict[str, str], *, now: datetime) -> EventQuery:
    """Read a query string."""
    given = {name: _clean(arguments.get(name, "")) for name in SINGLE}
    params = {name: value for name, value in given.items() if value}
    if params.get("range") == DEFAULT_RANGE or "from" in params or "to" in params:
        params.pop("range", None)
    if params.get("logic") != "or":
        params.pop("logic", None)
    query = EventQuery(
        params=params,
        types=tuple(dict.fromkeys(filter(None, map(_clean, arguments.getlist("type")))))[
            :MOST_TYPES
        ],
        rows=tuple(_read_rows(arguments)),
        before=read_position(params.get("before", "")),
        event_id=parse_id(arguments.get("event", "")),
    )
    try:
        return replace(query, looking=_read_looking(query, now=now))
    except _BadParameterError as error:
        return replace(query, error=str(error))


def _clean(text: str) -> str:
    return "".join(filter(str.isprintable, text)).strip()


def _read_rows(arguments: MultiDict[str, str]) -> list[MetaRow]:
    rows = []
    for number in range(MOST_CONDITIONS):
        key = _clean(arguments.get(f"m{number}", ""))
        operator = arguments.get(f"m{number}-op", "")
        if key:
            known = Operator(operator) if operator in frozenset(Operator) else Operator.EQUALS
            value = "" if known in _UNVALUED else _clean(arguments.get(f"m{number}-value", ""))
            rows.append(MetaRow(key, known, value))
    return rows


def _read_looking(query: EventQuery, *, now: datetime) -> Looking:
    params = query.params
    since, before = _read_span(params, query.range, now=now)
    state, reason = params.get("state", ""), params.get("reason")
    if state and state not in STATES:
        raise _BadParameterError(f"“{state}” is no state: choose counted or suppressed.")
    for name in ("q", "lead", "channel"):
        if len(params.get(name, "")) > LONGEST_TEXT:
            raise _BadParameterError(f"Use at most {LONGEST_TEXT} characters to search.")
    return Looking(
        since=since,
        before=before,
        event_types=query.types,
        channel=params.get("channel"),
        counts=False if reason else {"counted": True, "suppressed": False}.get(state),
        reason=reason,
        clauses=tuple(_read_clauses(query)),
        search=params.get("q", ""),
    )


def _read_clauses(query: EventQuery) -> list[Clause[Condition]]:
    joiner = Joiner.OR if query.params.get("logic") == "or" else Joiner.AND
    clauses = []
    for number, row in enumerate(query.rows):
        if not row.value and row.operator not in _UNVALUED:
            raise _BadParameterError(
                f"Give a value for “{row.key}”, or choose “is empty” or “is not empty”."
            )
        if problem := misfit(row.operator, row.value):
            raise _BadParameterError(f"“{row.key}”: {problem}")
        try:
            condition = Condition(row.key, row.operator, row.value or None)
        except ConditionError as error:
            raise _BadParameterError(
                f"The condition on “{row.key}” makes no sense: {error}."
            ) from None
        clauses.append(Clause(condition, order=number, joiner=joiner))
    return clauses


def _read_span(
    params: Mapping[str, str], range_: str, *, now: datetime
) -> tuple[datetime | None, datetime | None]:
    if not range_:
        return _read_own_span(params)
    if range_ not in RANGES:
        raise _BadParameterError(
            f"“{range_}” is not a time: choose one of {', '.join(RANGES)}, or give days."
        )
    length = RANGES[range_]
    return (None, None) if length is None else (now - length, None)


def _read_own_span(params: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """Read two ends, both included: days, or minutes when they name a time."""
    first, last = _read_end(params.get("from")), _read_end(params.get("to"))
    if first and last and first[0] > last[0]:
        raise _BadParameterError("The time ends before it begins: swap the two.")
    try:
        return first[0] if first else None, last[0] + last[1] if last else None
    except OverflowError:
        return first[0] if first else None, None


def _read_end(text: str | None) -> tuple[datetime, timedelta] | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _BadParameterError(
            f"“{text}” is not a day: write year, month and day, such as 2026-01-31."
        ) from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    is_day = at.time() == time() and "T" not in text
    return at, DAY if is_day else MINUTE
