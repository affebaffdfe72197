"""The small words every page is spelled with: moments, levels, links, pagers and number formats.

Formatting happens here and never in a template. Nothing here knows a request or a database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlencode

MINUS = "\N{MINUS SIGN}"
UNCLASSIFIED_COLOR = "#94a3b8"
FULL_PERCENT = 100
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905  # reads best
SECONDS_END = len("2026-03-01T12:00:00")


class Tone(StrEnum):
    """What a colour means; the style sheet knows these five words and no others."""

    NEUTRAL = "neutral"
    INFO = "info"
    OK = "ok"
    WARN = "warn"
    BAD = "bad"


class Moment(NamedTuple):
    """A point in time: absolute UTC for the reader without scripts, relative with them."""

    iso: str
    text: str
    clock: str
    """The time of day alone, for lists that are grouped by day."""

    @classmethod
    def of(cls, at: datetime) -> Moment:
        """Spell an aware datetime in UTC, to the minute."""
        # Spelled by hand: lists have fifty of them, and strftime takes three times as long.
        at = at.astimezone(UTC)
        clock = f"{at.hour:02}:{at.minute:02}"
        return cls(
            f"{at.isoformat()[:SECONDS_END]}Z",
            f"{at.day} {MONTHS[at.month - 1]} {at.year}, {clock} UTC",
            clock,
        )


@dataclass(frozen=True, slots=True)
class Level:
    """A level's name and hex colour, as its badge shows them."""

    name: str
    color: str = UNCLASSIFIED_COLOR


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several: an option of a select, or a tab when it has a URL."""

    label: str
    value: str = ""
    is_selected: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value, as a definition list shows them."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Alert:
    """A message in the page; `remedy` is the way out, when there is one."""

    text: str
    tone: Tone = Tone.INFO
    remedy: Link | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pager:
    """Where a list stands: "1\N{EN DASH}25 of 13,087" or, beyond the count cap, "of 10,000+"."""

    label: str
    previous_url: str | None = None
    next_url: str | None = None
    sizes: tuple[Choice, ...] = ()


def pager_label(first: int, last: int, total: int, *, capped: bool = False) -> str:
    """Say which rows are shown; a capped total is at least that many, and says so."""
    if total == 0:
        return "0 of 0"
    return f"{first:,}\N{EN DASH}{last:,} of {total:,}{'+' if capped else ''}"


def thousands(number: int) -> str:
    return f"{number:,}".replace("-", MINUS)


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """1 event, 2,048 events."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def multiplied(multiplier: float) -> str:
    """Spell a multiplier, 1.5 times say; one that changes nothing is left out."""
    return "" if multiplier == 1 else f"\N{MULTIPLICATION SIGN}{multiplier:g}"


def share(part: float, whole: float) -> int:
    """Whole percent of `part` in `whole`, between 0 and 100; 0 of nothing."""
    if whole <= 0:
        return 0
    return max(0, min(FULL_PERCENT, round(part * FULL_PERCENT / whole)))


def spell_share(part: float, whole: float) -> str:
    """17 %, or <1 %."""
    percent = share(part, whole)
    return "<1 %" if part and not percent else f"{percent} %"


def file_size(size_bytes: int) -> str:
    """53 MB, 4.2 MB, 812 KB: decimal units, as file managers show them."""
    size = float(size_bytes)
    for unit in ("B", "KB", "MB"):
        if size < 1000:  # noqa: PLR2004  # the step between decimal units
            return f"{size:.0f} {unit}" if unit == "B" or size >= 10 else f"{size:.1f} {unit}"  # noqa: PLR2004
        size /= 1000
    return f"{size:.1f} GB"


def duration(seconds: float) -> str:
    """45 s, 3 min, 2 h 5 min: rough on purpose, for estimates and elapsed times."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s" if rest else "under 1 s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def query_url(path: str, params: Mapping[str, str | list[str]], **changes: str | list[str]) -> str:
    """Write a path with its query: `changes` win over `params`, and empty values are left out."""
    merged = {key: value for key, value in {**params, **changes}.items() if value}
    return f"{path}?{urlencode(merged, doseq=True)}" if merged else path
