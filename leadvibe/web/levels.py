"""Levels of the three kinds of score, cut where people see who falls into each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from http.client import CONFLICT, NOT_FOUND, UNPROCESSABLE_ENTITY

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.rules import Level, LevelKind
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, InvalidError
from leadvibe.scoring import queries
from leadvibe.scoring.distribution import (
    Distribution,
    primary_profile_ruleset,
    read_distribution,
)
from leadvibe.scoring.levels import arrange_levels, laid_out
from leadvibe.segments.queries import list_rules_of_all, list_segments
from leadvibe.segments.types import RuleType
from leadvibe.web.level_chart import count_levels, describe_moves, draw
from leadvibe.web.level_inputs import (
    MOST_LEVELS,
    LevelInput,
    drafts_of,
    inputs_of,
    judged,
    read_levels,
    rearranged,
)
from leadvibe.web.live_changes import (
    ChangedMeanwhileError,
    check_state,
    done,
    live_note,
    stale_alert,
    state_of,
)
from leadvibe.web.pages.display import Alert, Choice, Link, counted, share, thousands
from leadvibe.web.pages.levels import LevelLine, LevelsPage, Moves
from leadvibe.web.rendering import render
from leadvibe.web.scoring_tabs import LEVELS, scoring_tabs

SCORING = "/app/scoring"
FORM, MOVES = "levels", "level-moves"
FRAGMENTS = {FORM: "levels/_form.html", MOVES: "levels/_moves.html"}
SEGMENTS_NAMED = 3

pages = Blueprint("levels", __name__)


@dataclass(frozen=True)
class Divided:
    """The scores of one kind, and the levels that divide them now."""

    principal: Principal
    kind: LevelKind

    @property
    def scope(self) -> Scope:
        return self.principal.scope

    @cached_property
    def levels(self) -> list[Level]:
        return queries.list_levels(self.scope, self.kind)

    @cached_property
    def distribution(self) -> Distribution:
        return read_distribution(self.scope, self.kind)

    @property
    def who(self) -> str:
        return "accounts" if self.kind is LevelKind.ACCOUNT else "leads"

    @property
    def url(self) -> str:
        return LEVELS if self.kind is LevelKind.ENGAGEMENT else f"{LEVELS}/{self.kind}"


@pages.get("/scoring/levels", defaults={"kind": "engagement"})
@pages.get("/scoring/levels/<kind>")
def show_levels(kind: str) -> AnyResponse:
    divided = Divided(require(Permission.READ), _kind(kind))
    inputs = inputs_of(divided.levels)
    return _answer(divided, inputs, tries=_has_gaps(divided, inputs))


@pages.post("/scoring/levels", defaults={"kind": "engagement"})
@pages.post("/scoring/levels/<kind>")
def change_levels(kind: str) -> AnyResponse:
    divided = Divided(require(Permission.CONFIGURE), _kind(kind))
    if divided.kind is LevelKind.ACCOUNT:
        queries.require_abm(divided.scope)
    action = request.form.get("do", "")
    inputs = rearranged(read_levels(request.form), action)
    if action == "save":
        return _save(divided, judged(inputs))
    has_moves = action == "preview" or action.startswith("remove")
    return _answer(divided, inputs, tries=has_moves, state=request.form.get("state", ""))


def _kind(text: str) -> LevelKind:
    if text not in frozenset(LevelKind):
        abort(NOT_FOUND)
    return LevelKind(text)


def _save(divided: Divided, inputs: Sequence[LevelInput]) -> AnyResponse:
    sent = request.form.get("state", "")
    if any(it.errors for it in inputs):
        return _answer(divided, inputs, state=sent, status=UNPROCESSABLE_ENTITY)
    principal, scope, kind = divided.principal, divided.scope, divided.kind
    before = divided.levels
    try:
        check_state(scope, sent, lambda: queries.list_levels(scope, kind))
        made = arrange_levels(principal, scope, kind, drafts_of(inputs), now=utc_now())
    except ChangedMeanwhileError:
        alert = stale_alert(scope, divided.url)
        return _answer(divided, inputs, tries=True, alert=alert, status=CONFLICT)
    except (InvalidError, ConflictError) as error:
        told = (error.message,)
        return _answer(divided, inputs, state=sent, refused=told, status=UNPROCESSABLE_ENTITY)
    after = [it.level for it in made]
    moves = describe_moves(divided.distribution, before, after, divided.who)
    return done(scope, divided.url, note=" ".join(f"{move}." for move in moves))


def _answer(
    divided: Divided,
    inputs: Sequence[LevelInput],
    *,
    tries: bool = False,
    state: str = "",
    alert: Alert | None = None,
    refused: tuple[str, ...] = (),
    status: int = 200,
) -> AnyResponse:
    scope, kind = divided.scope, divided.kind
    levels, distribution = _tried(divided, inputs), divided.distribution
    counts = count_levels(distribution, levels)
    total, below = sum(counts.values()), counts[None]
    empty, remedy = _why_empty(divided)
    is_off = remedy is not None and divided.kind is LevelKind.ACCOUNT
    can_edit = can(divided.principal, Permission.CONFIGURE) and not is_off
    page = LevelsPage(
        tabs=scoring_tabs(LEVELS),
        kinds=tuple(
            Choice(it.capitalize(), it, it is kind, Divided(divided.principal, it).url)
            for it in LevelKind
        ),
        kind=kind,
        title=f"{kind.capitalize()} levels",
        who=divided.who,
        url=divided.url,
        lines=tuple(_line(place, it, levels, counts, total) for place, it in enumerate(inputs)),
        unclassified=f"{counted(below, divided.who[:-1])} {'has' if below == 1 else 'have'} no"
        " level: their scores are below the lowest."
        if below
        else "",
        chart=draw(distribution, levels, divided.who) if distribution else None,
        moves=_moves(divided, inputs, levels) if tries else None,
        state=state or state_of(divided.levels),
        live=live_note(scope),
        can_edit=can_edit,
        can_add=len(inputs) < MOST_LEVELS,
        alert=alert,
        form_errors=refused,
        empty=empty,
        remedy=remedy,
    )
    return render(
        "levels/page.html", page=page, section=SCORING, fragments=FRAGMENTS, status=status
    )


def _has_gaps(divided: Divided, inputs: Sequence[LevelInput]) -> bool:
    """Say whether saving as it stands would change bounds: levels made elsewhere may leave gaps."""
    stored, tried = divided.levels, _tried(divided, inputs)
    return [it.max_score for it in stored] != [it.max_score for it in tried]


def _tried(divided: Divided, inputs: Sequence[LevelInput]) -> list[Level]:
    """Return the levels as they would be; those that make no sense yet are left out."""
    usable = {it.min_score: it for it in inputs if it.min_score is not None}
    known = {it.level_id for it in divided.levels}
    drafts = drafts_of(usable.values())
    return laid_out(divided.kind, drafts, known=known) if drafts else []


def _line(
    place: int,
    it: LevelInput,
    levels: Sequence[Level],
    counts: dict[object, int],
    total: int,
) -> LevelLine:
    level = next((each for each in levels if each.min_score == it.min_score), None)
    count = counts.get(level.level_id, 0) if level else 0
    end = level.max_score if level else None
    return LevelLine(
        number=place,
        id=str(it.level_id or ""),
        name=it.name,
        start=it.start,
        color=it.color,
        scores=_scores(level.min_score, end) if level else "",
        count=thousands(count),
        share=f"{share(count, total)} %",
        errors=it.errors,
    )


def _scores(start: int, end: int | None) -> str:
    return f"{start} and more" if end is None else f"{start} to {end}"


def _moves(divided: Divided, inputs: Sequence[LevelInput], after: Sequence[Level]) -> Moves:
    wrong = [it for it in judged(inputs) if it.errors]
    if wrong:
        problems = dict.fromkeys(error for it in wrong for error in it.errors.values())
        return Moves(title="Not ready to save", warnings=tuple(problems))
    moves = describe_moves(divided.distribution, divided.levels, after, divided.who)
    return Moves(
        title="Saving moves these" if moves else f"No {divided.who} move",
        sentences=tuple(f"{move}." for move in moves),
        warnings=tuple(_orphans(divided, after)),
    )


_RULE_TYPES = {
    LevelKind.ENGAGEMENT: RuleType.ENGAGEMENT_LEVEL,
    LevelKind.PROFILE: RuleType.PROFILE_LEVEL,
    LevelKind.ACCOUNT: RuleType.ACCOUNT_LEVEL,
}


def _orphans(divided: Divided, after: Sequence[Level]) -> Iterator[str]:
    """Yield which segments ask for a level that would be called so no more."""
    gone = {it.name for it in divided.levels} - {it.name for it in after}
    if not gone:
        return
    named = {it.segment_id: it.name for it in list_segments(divided.scope)}
    for name in sorted(gone):
        asking = [
            named[segment_id]
            for segment_id, rules in list_rules_of_all(divided.scope).items()
            if segment_id in named
            and any(
                rule.rule_type is _RULE_TYPES[divided.kind] and rule.value == name for rule in rules
            )
        ]
        told = ", ".join(f"“{it}”" for it in asking[:SEGMENTS_NAMED])
        if asking:
            noun = "Segment" if len(asking) == 1 else "Segments"
            yield f"{noun} {told} will find nobody for “{name}”: change the rule there, too."


def _why_empty(divided: Divided) -> tuple[str, Link | None]:
    if divided.kind is LevelKind.ACCOUNT and not queries.get_settings(divided.scope).abm_enabled:
        settings = Link("Open scoring settings", "/app/settings/scoring")
        return "Accounts are not scored: an admin can switch account scoring on.", settings
    if divided.kind is LevelKind.PROFILE and primary_profile_ruleset(divided.scope) is None:
        rules = Link("Open profile rules", "/app/scoring/profile")
        return "No lead has a profile score yet: add a primary profile ruleset first.", rules
    if not divided.distribution:
        return f"There are no {divided.who} yet. They show up here with their scores.", None
    return "", None
