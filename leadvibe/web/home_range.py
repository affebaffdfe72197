"""Which time the home page is about: its address says so, and people may type it.

Days are UTC's. A range is compared with as many days right before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from leadvibe.web.pages.display import query_url

HOME = "/app/home"
ONE_DAY = timedelta(days=1)
DEFAULT = "30d"
TODAY = "today"
CUSTOM = "custom"
LENGTHS = {TODAY: 1, "7d": 7, "30d": 30, "90d": 90}
LABELS = {TODAY: "Today", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
LONGEST = 366
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeRange:
    """Days from `first` until `last`, both included. With an `error` they are the usual ones."""

    key: str
    first: date
    last: date
    today: date
    error: str = ""
    sent: Mapping[str, str]
    """What was asked for, right or wrong, to be shown in the form again."""

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def is_open(self) -> bool:
        """Say whether it goes on until now."""
        return self.last >= self.today

    @property
    def end(self) -> date:
        """Return the day after the last."""
        return self.last + ONE_DAY

    @property
    def before(self) -> date:
        """Return the first of as many days right before."""
        return self.first - timedelta(days=self.days)

    @property
    def starts_at(self) -> datetime:
        return midnight(self.first)

    @property
    def ends_at(self) -> datetime | None:
        """Return when it ends; None while it goes on."""
        return None if self.is_open else midnight(self.end)

    @property
    def params(self) -> dict[str, str]:
        if self.key == CUSTOM:
            return {"from": self.first.isoformat(), "to": self.last.isoformat()}
        return {} if self.key == DEFAULT else {"range": self.key}

    @property
    def is_custom(self) -> bool:
        return self.key == CUSTOM

    def url(self, **changes: str) -> str:
        return query_url(HOME, self.params, **changes)

    def link_to(self, key: str) -> str:
        """Return the address of the same page about another range."""
        return query_url(HOME, {"range": "" if key == DEFAULT else key})

    @property
    def label(self) -> str:
        if self.key == TODAY:
            return "today"
        if self.key == CUSTOM:
            return f"{spell(self.first)} to {spell(self.last)}"
        return f"the last {self.days} days"

    @property
    def label_before(self) -> str:
        """Say what it is compared with."""
        if self.key == TODAY:
            return "yesterday"
        return "the day before" if self.days == 1 else f"the {self.days} days before"


def read_range(arguments: Mapping[str, str], *, now: datetime) -> HomeRange:
    """Read a query string; what makes no sense is said, and the usual range shown."""
    today = now.astimezone(UTC).date()
    sent = {name: arguments.get(name, "").strip() for name in ("from", "to")}
    if any(sent.values()):
        return _read_custom(sent, today)
    key = arguments.get("range", "").strip() or DEFAULT
    if key not in LENGTHS:
        return _usual(today, sent, f"There is no range “{key[:40]}”: choose one above.")
    return _named(key, today, sent)


def _read_custom(sent: Mapping[str, str], today: date) -> HomeRange:
    try:
        first, last = date.fromisoformat(sent["from"]), date.fromisoformat(sent["to"] or str(today))
    except ValueError:
        return _usual(today, sent, "Choose both dates, or write them such as 2026-01-31.")
    last = min(last, today)
    if first > last:
        return _usual(today, sent, "The first day is after the last, or still to come: swap them.")
    if (last - first).days >= LONGEST:
        return _usual(today, sent, f"That is more than {LONGEST} days: choose fewer.")
    if first <= date.min + timedelta(days=LONGEST):
        return _usual(today, sent, "That is too long ago: choose a later day.")
    return HomeRange(key=CUSTOM, first=first, last=last, today=today, sent=sent)


def _usual(today: date, sent: Mapping[str, str], error: str) -> HomeRange:
    usual = _named(DEFAULT, today, sent)
    return HomeRange(
        key=usual.key, first=usual.first, last=usual.last, today=today, sent=sent, error=error
    )


def _named(key: str, today: date, sent: Mapping[str, str]) -> HomeRange:
    first = today - timedelta(days=LENGTHS[key] - 1)
    return HomeRange(key=key, first=first, last=today, today=today, sent=sent)


def as_date(text: str) -> str:
    """Return the text when a date field can show it, else nothing."""
    return text if _ISO_DATE.fullmatch(text) else ""


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def spell(day: date) -> str:
    """5 Nov 2026."""
    return f"{day.day} {day:%b %Y}"
