"""A surge policy and a session while somebody tries them: read, judged and played. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar
from uuid import UUID

from leadvibe.engine.engagement import Awarder, award
from leadvibe.engine.facts import Event
from leadvibe.engine.policies import PLAIN_PERCENT, Band, SurgeMode, SurgePolicy
from leadvibe.engine.surge import make_multiplier, next_place
from leadvibe.scoring.checks import problems_of_surge
from leadvibe.scoring.defaults import SURGE_PRESETS

Each = TypeVar("Each")

MOST_BANDS = 50
LAST_PLACE = 10_000
LARGEST_CAP = 3.0
LARGEST_TIMES = 100.0
LONGEST_IDLE_MINUTES = 30 * 24 * 60
MOST_EVENTS = 50
LONGEST_GAP_MINUTES = 24 * 60
USUAL_GAP = "1"

_NUMBER = re.compile(r"[0-9]{1,6}(\.[0-9]{1,2})?")


class BandInput(NamedTuple):
    start: str
    times: str


class SessionInput(NamedTuple):
    event_type: str
    gap: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SurgeInput:
    """What the form has, as text; `idle` is in minutes."""

    mode: SurgeMode
    bands: tuple[BandInput, ...]
    idle: str
    cap: str
    session: tuple[SessionInput, ...] = ()


class Played(NamedTuple):
    """An event of a session as the engine counts it; without a place it is not counted."""

    minutes: float
    place: int | None
    percent: int
    points: int
    plain_points: int


def input_of(policy: SurgePolicy) -> SurgeInput:
    """Return a stored policy as the form shows it."""
    return SurgeInput(
        mode=policy.mode,
        bands=tuple(
            BandInput(str(it.min_events), f"{it.multiplier_percent / PLAIN_PERCENT:g}")
            for it in policy.bands
        ),
        idle=f"{policy.idle_reset_seconds / 60:.2f}".rstrip("0").rstrip("."),
        cap=f"{policy.cap_percent / PLAIN_PERCENT:g}",
    )


def read_input(form: Mapping[str, str], *, otherwise: SurgeMode) -> SurgeInput:
    """Read what a form has sent; a mode that it does not offer is the one in force."""
    mode = form.get("mode", "")
    return SurgeInput(
        mode=SurgeMode(mode) if mode in frozenset(SurgeMode) else otherwise,
        bands=tuple(BandInput(*pair) for pair in _pairs(form, "bands", "start", "times")),
        idle=form.get("idle", "").strip(),
        cap=form.get("cap", "").strip(),
        session=tuple(SessionInput(*pair) for pair in _pairs(form, "session", "type", "gap")),
    )


def _pairs(
    form: Mapping[str, str], noun: str, first: str, second: str
) -> Iterator[tuple[str, str]]:
    for place in range(MOST_BANDS):
        prefix = f"{noun}-{place}-"
        if prefix + first in form:
            yield form[prefix + first].strip(), form.get(prefix + second, "").strip()


def rearranged(it: SurgeInput, action: str, added: str) -> SurgeInput:
    """Do what a button of the form says; `added` is an event type to add to the session."""
    verb, _, text = action.partition(":")
    number = int(text) if text.isdecimal() and len(text) < len(str(LAST_PLACE)) else -1
    if added and len(it.session) < MOST_EVENTS:
        gap = USUAL_GAP if it.session else "0"
        return replace(it, session=(*it.session, SessionInput(added, gap)))
    if verb == "clear":
        return replace(it, session=())
    if verb == "remove-event":
        return replace(it, session=_without(it.session, number))
    if verb == "remove-band":
        return replace(it, bands=_without(it.bands, number))
    if verb == "add-band" and len(it.bands) < MOST_BANDS:
        return replace(it, bands=(*it.bands, _next_band(it.bands)))
    return it


def _without(items: tuple[Each, ...], number: int) -> tuple[Each, ...]:
    return tuple(it for place, it in enumerate(items) if place != number)


def _next_band(bands: Sequence[BandInput]) -> BandInput:
    last = bands[-1] if bands else BandInput("0", "1")
    start, times = _number(last.start), _number(last.times)
    return BandInput(f"{(start or 0) + 5:g}", f"{(times or 1) + 0.25:g}")


def judged(it: SurgeInput) -> tuple[SurgePolicy | None, dict[str, str]]:
    """Return the policy that is wanted, or what keeps it from being one, by control."""
    if it.mode in SURGE_PRESETS:
        return SURGE_PRESETS[it.mode], {}
    errors = dict(_problems(it))
    if errors:
        return None, errors
    policy = SurgePolicy(
        mode=it.mode,
        bands=tuple(Band(int(float(band.start)), _percent(band.times)) for band in it.bands),
        idle_reset_seconds=round(float(it.idle) * 60),
        cap_percent=_percent(it.cap),
    )
    found = problems_of_surge(policy, multiplier="times")
    told = {_control(field): f"This {problem}." for field, problem in found}
    return (None, told) if told else (policy, {})


def _problems(it: SurgeInput) -> Iterator[tuple[str, str]]:
    for place, band in enumerate(it.bands):
        start = _number(band.start)
        if start is None or start != int(start) or not 1 <= start <= LAST_PLACE:
            yield f"bands-{place}-start", f"Choose a whole number from 1 to {LAST_PLACE:,}."
        if not _is_within(band.times, 1, LARGEST_TIMES):
            yield f"bands-{place}-times", f"Choose from 1 to {LARGEST_TIMES:g}, such as 1.5."
    if not _is_within(it.idle, 1 / 60, LONGEST_IDLE_MINUTES):
        yield "idle", f"Choose up to {LONGEST_IDLE_MINUTES:,} minutes."
    if not _is_within(it.cap, 1, LARGEST_CAP):
        yield "cap", f"Choose from 1 to {LARGEST_CAP:g}."


def _control(field: str) -> str:
    return field.replace("bands.", "bands-", 1).replace(".", "-").replace("min_events", "start")


def play(
    session: Sequence[SessionInput],
    policy: SurgePolicy,
    awarder: Awarder,
    ruleset_id: UUID | None,
    *,
    now: datetime,
) -> list[Played]:
    """Count a session's events as the engine would, the first of them at an instant."""
    multiplier = make_multiplier(policy)
    idle = timedelta(seconds=policy.idle_reset_seconds)
    place, at, last_at = 0, now, None
    played = []
    for it in session:
        at += timedelta(minutes=gap_of(it))
        minutes = (at - now) / timedelta(minutes=1)
        if it.event_type in awarder.uncounted:
            played.append(Played(minutes, None, PLAIN_PERCENT, 0, 0))
            continue
        place = next_place(place, last_at, at, idle)
        last_at, percent = at, multiplier(place)
        plain, boosted = (
            _points(awarder, it.event_type, at, ruleset_id, each)
            for each in (PLAIN_PERCENT, percent)
        )
        played.append(Played(minutes, place, percent, boosted, plain))
    return played


def gap_of(it: SessionInput) -> float:
    """Return the minutes before an event; what is no number of them counts as none."""
    gap = _number(it.gap)
    return 0.0 if gap is None else min(gap, LONGEST_GAP_MINUTES)


def _points(
    awarder: Awarder, event_type: str, at: datetime, ruleset_id: UUID | None, percent: int
) -> int:
    event = Event(_NOBODYS, event_type, at, 1, awarder.version)
    entries = award(awarder, event, {ruleset_id: (_HIGH, 0)} if ruleset_id else {}, percent)
    return sum(entry.delta for entry in entries if entry.ruleset_id == ruleset_id)


_NOBODYS = UUID(int=0)
_HIGH = 1_000_000
"""A score to begin with that no floor cuts short."""


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _is_within(text: str, least: float, most: float) -> bool:
    number = _number(text)
    return number is not None and least <= number <= most


def _percent(text: str) -> int:
    return round(float(text) * PLAIN_PERCENT)
