"""How a burst of interest raises what events are worth: the policy, tried on a session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from http.client import CONFLICT, UNPROCESSABLE_ENTITY

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.policies import PLAIN_PERCENT, SurgeMode, SurgePolicy
from leadvibe.engine.surge import make_multiplier
from leadvibe.events.queries import list_event_types
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.metrics.surge import list_surging
from leadvibe.scoring import policies, queries
from leadvibe.scoring.defaults import SURGE_PRESETS
from leadvibe.scoring.types import Ruleset
from leadvibe.scoring.wording import signed
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.live_changes import (
    ChangedMeanwhileError,
    check_state,
    done,
    live_note,
    stale_alert,
    state_of,
)
from leadvibe.web.pages.display import Alert, Choice, Moment, counted, thousands
from leadvibe.web.pages.surge import BandRow, ModeChoice, SessionRow, SurgePage, SurgingRow
from leadvibe.web.rendering import render
from leadvibe.web.scoring_tabs import SURGE, scoring_tabs
from leadvibe.web.surge_inputs import (
    LARGEST_CAP,
    MOST_BANDS,
    MOST_EVENTS,
    Played,
    SurgeInput,
    input_of,
    judged,
    play,
    read_input,
    rearranged,
)

SCORING = "/app/scoring"
FRAGMENTS = {"surge": "surge/_surge.html"}
SURGING_SHOWN = 10
OFFERED = 12
_WORDS = {
    SurgeMode.OFF: ("Off", "Every event is worth the points of its rule, whatever came before."),
    SurgeMode.STANDARD: ("Standard", "Up to twice the points within a busy session."),
    SurgeMode.GENTLE: ("Gentle", "Up to one and a half times, and later."),
    SurgeMode.CUSTOM: ("Custom", "Your own steps."),
}

pages = Blueprint("surge", __name__)


@dataclass(frozen=True)
class Tried:
    """What the form has, beside what is in force."""

    principal: Principal
    input: SurgeInput
    current: SurgePolicy

    @property
    def scope(self) -> Scope:
        return self.principal.scope

    @cached_property
    def primary(self) -> Ruleset | None:
        return queries.find_primary(self.scope)


@pages.get("/scoring/surge")
def show_surge() -> AnyResponse:
    principal = require(Permission.READ)
    current = policies.get_surge_policy(principal.scope)
    return _answer(Tried(principal, input_of(current), current), {})


@pages.post("/scoring/surge")
def change_surge() -> AnyResponse:
    principal, action = require(Permission.READ), request.form.get("do", "")
    current = policies.get_surge_policy(principal.scope)
    given = read_input(request.form, otherwise=current.mode)
    if given.mode is SurgeMode.CUSTOM and not given.bands and action != "save":
        given = _begin_custom(given, current)
    tried = Tried(principal, rearranged(given, action, request.form.get("add", "")), current)
    return _save(tried) if action == "save" else _answer(tried, judged(tried.input)[1])


def _begin_custom(given: SurgeInput, current: SurgePolicy) -> SurgeInput:
    """Offer the steps in force to begin with, or the standard ones where there are none."""
    start = input_of(current if current.bands else SURGE_PRESETS[SurgeMode.STANDARD])
    cap = start.cap if current.mode is SurgeMode.CUSTOM else f"{LARGEST_CAP:g}"
    return replace(start, mode=given.mode, cap=cap, session=given.session)


def _save(tried: Tried) -> AnyResponse:
    principal, scope = require(Permission.CONFIGURE), tried.scope
    policy, errors = judged(tried.input)
    if policy is None:
        return _answer(tried, errors, status=UNPROCESSABLE_ENTITY)
    try:
        check_state(scope, request.form.get("state"), lambda: policies.get_surge_policy(scope))
    except ChangedMeanwhileError:
        alert = stale_alert(scope, SURGE)
        return _answer(tried, {}, alert=alert, is_fresh=True, status=CONFLICT)
    policies.set_surge_policy(principal, scope, policy, now=utc_now())
    return done(scope, SURGE, note="It counts for events that come from now on.")


def _answer(
    tried: Tried,
    errors: Mapping[str, str],
    *,
    alert: Alert | None = None,
    is_fresh: bool = False,
    status: int = 200,
) -> AnyResponse:
    scope, given = tried.scope, tried.input
    policy = judged(given)[0]
    played = _play(tried, policy or tried.current)
    sent = "" if is_fresh else request.form.get("state", "")
    page = SurgePage(
        tabs=scoring_tabs(SURGE),
        modes=tuple(
            ModeChoice(
                value=mode,
                label=label,
                words=words,
                is_selected=mode is given.mode,
                is_current=mode is tried.current.mode,
            )
            for mode, (label, words) in _WORDS.items()
        ),
        is_custom=given.mode is SurgeMode.CUSTOM,
        bands=tuple(
            BandRow(number=place, start=it.start, times=it.times)
            for place, it in enumerate(given.bands)
        ),
        idle=given.idle,
        cap=given.cap,
        can_add_band=len(given.bands) < MOST_BANDS,
        explanation=tuple(_explain(policy)) if policy else (),
        errors=errors,
        offered=_offered(tried),
        rows=tuple(_rows(given, played)),
        can_add_event=len(given.session) < MOST_EVENTS,
        total=signed(sum(it.points for it in played)),
        plain_total=signed(sum(it.plain_points for it in played)),
        surging=tuple(_surging(scope, tried.current)),
        state=sent or state_of(tried.current),
        live=live_note(scope),
        can_edit=can(tried.principal, Permission.CONFIGURE),
        alert=alert,
    )
    return render("surge/page.html", page=page, section=SCORING, fragments=FRAGMENTS, status=status)


def _play(tried: Tried, policy: SurgePolicy) -> list[Played]:
    scope, primary = tried.scope, tried.primary
    awarder = queries.get_awarder(scope, queries.current_version(scope))
    ruleset_id = primary.ruleset_id if primary else None
    return play(tried.input.session, policy, awarder, ruleset_id, now=utc_now())


def _explain(policy: SurgePolicy) -> Iterator[str]:
    """Say from which event on weights count how much, as far as the cap lets them."""
    multiplier = make_multiplier(policy)
    last = PLAIN_PERCENT
    for band in policy.bands:
        percent = multiplier(band.min_events)
        if percent != last:
            yield f"From event {band.min_events} of a session on: {_times(percent)} the points"
        last = percent
    if last == PLAIN_PERCENT:
        yield "Every event gives its plain points"
    else:
        minutes = f"{policy.idle_reset_seconds / 60:g}"
        yield f"After {minutes} minutes without an event the count begins again"


def _offered(tried: Tried) -> tuple[Choice, ...]:
    if tried.primary is None:
        return ()
    rules = queries.list_rules(tried.scope, ruleset_id=tried.primary.ruleset_id)
    counts = {it.name: it.event_count for it in list_event_types(tried.scope)}
    active = [rule for rule in rules if rule.active]
    active.sort(key=lambda rule: -counts.get(rule.event_type, 0))
    return tuple(
        Choice(f"{it.event_type} {signed(it.weight)}", it.event_type) for it in active[:OFFERED]
    )


def _rows(given: SurgeInput, played: Sequence[Played]) -> Iterator[SessionRow]:
    for number, (it, made) in enumerate(zip(given.session, played, strict=True)):
        yield SessionRow(
            number=number,
            event_type=it.event_type,
            gap=it.gap,
            at=f"{made.minutes:g} min",
            place="not counted" if made.place is None else str(made.place),
            times=_times(made.percent),
            points=signed(made.points),
            is_boosted=made.percent > PLAIN_PERCENT,
        )


def _surging(scope: Scope, policy: SurgePolicy) -> Iterator[SurgingRow]:
    multiplier = make_multiplier(policy)
    boosting = [it.min_events for it in policy.bands if multiplier(it.min_events) > PLAIN_PERCENT]
    if not boosting:
        return
    since = utc_now() - timedelta(seconds=policy.idle_reset_seconds)
    found = list_surging(scope, first_place=min(boosting), since=since, limit=SURGING_SHOWN)
    for it in found:
        yield SurgingRow(
            name=it.name,
            url=lead_path(it.lead_id),
            score=thousands(it.score),
            times=f"{_times(multiplier(it.place))}, {counted(it.place, 'event')}",
            at=Moment.of(it.last_event_at),
        )


def _times(percent: int) -> str:
    return f"\N{MULTIPLICATION SIGN}{percent / PLAIN_PERCENT:g}"
