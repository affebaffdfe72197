"""The quick start in five steps. The address carries the answers, so nothing is kept between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby

from flask import Blueprint, flash, redirect
from htmx_flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.policies import SYSTEM_TYPES, FieldTest
from leadvibe.events.queries import list_event_types
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.quickstart import queries, service
from leadvibe.quickstart.catalogue import CHANNELS, channel_of_type, is_setback
from leadvibe.quickstart.types import (
    MAX_WEIGHT,
    Answers,
    Item,
    Part,
    Plan,
    Sensitivity,
    Standing,
    Step,
)
from leadvibe.scoring.condition_words import words_of_test
from leadvibe.scoring.templates import SAAS, TEMPLATES, find_template
from leadvibe.web.pages.display import Choice, Moment, Tone, counted, query_url
from leadvibe.web.pages.quick_start import (
    Option,
    OptionGroup,
    QuickStartPage,
    ReviewGroup,
    ReviewRow,
    WizardStep,
)
from leadvibe.web.redirects import HOME
from leadvibe.web.rendering import render

QUICK_START = "/app/quick-start"
STEPS = (
    ("Industry", "How do you find customers?", "It decides what counts, and for how long."),
    ("Events", "What do people do that you hear of?", "Each that you choose becomes a rule."),
    ("Sensitivity", "When is a lead hot?", "It moves the levels, decay and triggers."),
    ("Review", "Look at everything it would make", "Switch off what you do not want."),
    ("Apply", "Ready", "All of it comes into force at once, as one version you can go back from."),
)
_REVIEW, _APPLY = 4, 5
_SENSITIVITIES = {
    Sensitivity.FEW: ("Few, but sure", "Sales hears only of leads that are very likely."),
    Sensitivity.BALANCED: ("Balanced", "A good place to begin."),
    Sensitivity.MANY: ("Many", "Nobody is missed; some will not be ready yet."),
}
_PARTS = {
    Part.RULE: "Points for what leads do",
    Part.FIT: "Points for who they are",
    Part.ACCOUNT: "Points for companies",
    Part.LEVELS: "Levels",
    Part.DECAY: "Decay",
    Part.FILTER: "Filters",
    Part.SEGMENT: "Segments",
    Part.TRIGGER: "Triggers",
}
_NOUNS: Mapping[Part, tuple[str, ...]] = {
    Part.RULE: ("engagement rule",),
    Part.FIT: ("profile rule",),
    Part.ACCOUNT: ("account rule",),
    Part.LEVELS: ("set of levels", "sets of levels"),
    Part.DECAY: ("decay", "decays"),
    Part.FILTER: ("filter",),
    Part.SEGMENT: ("segment",),
    Part.TRIGGER: ("trigger",),
}
_STATES = {
    Standing.ADD: ("New", Tone.OK),
    Standing.CHANGE: ("Changes", Tone.INFO),
    Standing.REMOVE: ("Goes", Tone.WARN),
    Standing.SAME: ("Is there already", Tone.NEUTRAL),
    Standing.OFF: ("Off", Tone.NEUTRAL),
    Standing.KEEP: ("Yours stays", Tone.NEUTRAL),
    Standing.EDITED: ("Edited since: stays", Tone.NEUTRAL),
    Standing.GONE: ("Deleted since: stays away", Tone.NEUTRAL),
}
_WEIGHT = "w."

pages = Blueprint("quick-start", __name__, url_prefix="/quick-start")


@pages.get("")
def show() -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    scope, given = principal.scope, request.args
    number = given.get("step", "1")
    step = int(number) if number in {"1", "2", "3", "4", "5"} else 1
    answers, remembered = _answers(scope, given), queries.read_quick_start(scope)
    name, title, text = STEPS[step - 1]
    planned = service.plan_quick_start(scope, answers) if step >= _REVIEW else None
    if planned and planned.does_nothing and step == _APPLY:
        title, text = "Nothing to apply", "Go back to choose something else."
    page = QuickStartPage(
        steps=tuple(_steps(step, answers)),
        step=step,
        title=title,
        text=text,
        carried=tuple(_carried(step, answers)),
        options=tuple(_options(step, answers)),
        groups=tuple(_groups(scope, answers)) if name == "Events" else (),
        reviewed=tuple(_reviewed(planned)) if planned and step == _REVIEW else (),
        sentences=tuple(_sentences(planned)) if planned and step == _APPLY else (),
        back_url=_url(step - 1, answers) if step > 1 else "",
        can_apply=bool(planned and not planned.does_nothing),
        dismiss_url="" if remembered.is_over else f"{QUICK_START}/dismiss",
        last=Moment.of(remembered.applied_at) if remembered.applied_at else None,
        last_by=remembered.applied_by,
        links=_links() if remembered.applied_at else (),
    )
    return render("quick_start/page.html", page=page, section=QUICK_START)


@pages.post("")
def apply() -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    answers = _answers(principal.scope, request.form)
    applied = service.apply_quick_start(principal, principal.scope, answers, now=utc_now())
    done = [*_sentences(applied.plan, is_done=True), f"Version {applied.version} is in force."]
    flash(" ".join(done), Tone.OK)
    return redirect(_url(1, answers), 303)


@pages.post("/dismiss")
def dismiss() -> AnyResponse:
    principal = require(Permission.CONFIGURE)
    service.dismiss(principal.scope, now=utc_now())
    flash("The quick start is put away. You find it under Settings.", Tone.OK)
    return redirect(HOME, 303)


def _answers(scope: Scope, given: MultiDict[str, str]) -> Answers:
    """Read the answers; where there are none, those of last time or what is most likely."""
    before = queries.read_quick_start(scope).answers
    if "industry" not in given and before is not None:
        return before
    industry = given.get("industry", SAAS.key)
    template = find_template(industry) or SAAS
    types = tuple(given.getlist("type"))
    if not types and "chosen" not in given:
        seen = [name for name in _seen(scope) if not is_setback(name)]
        types = tuple(seen or [it.event_type for it in template.rules])
    had, on = set(given.getlist("had")), set(given.getlist("on"))
    return Answers(
        industry=template.key,
        event_types=types,
        sensitivity=_sensitivity(given.get("sensitivity", "")),
        off=frozenset(given.getlist("off")) - had | (had - on),
        weights=dict(_weights(given)),
    )


def _seen(scope: Scope) -> list[str]:
    """Return what comes in from outside, the most frequent first."""
    types = list_event_types(scope)
    return [it.name for it in types if not it.hidden and it.name not in SYSTEM_TYPES]


def _sensitivity(text: str) -> Sensitivity:
    return Sensitivity(text) if text in list(Sensitivity) else Sensitivity.BALANCED


def _weights(given: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    for name, text in given.items():
        digits = text.removeprefix("-")
        if name.startswith(_WEIGHT) and digits.isascii() and digits.isdecimal():
            points = int(text) if len(digits) <= len(str(MAX_WEIGHT)) else MAX_WEIGHT
            yield name.removeprefix(_WEIGHT), max(-MAX_WEIGHT, min(MAX_WEIGHT, points))


def _pairs(answers: Answers) -> Iterator[tuple[str, str]]:
    yield "industry", answers.industry
    yield "chosen", "1"
    yield from (("type", it) for it in answers.event_types)
    yield "sensitivity", answers.sensitivity.value
    yield from (("off", it) for it in sorted(answers.off))
    yield from ((_WEIGHT + key, str(weight)) for key, weight in answers.weights.items())


def _url(step: int, answers: Answers) -> str:
    params: dict[str, str | list[str]] = {"step": str(step)}
    for name, values in groupby(_pairs(answers), key=lambda it: it[0]):
        params[name] = [value for _, value in values]
    return query_url(QUICK_START, params)


def _carried(step: int, answers: Answers) -> Iterator[Choice]:
    """Yield what the form of a step does not ask itself."""
    asked = {1: {"industry"}, 2: {"type"}, 3: {"sensitivity"}}.get(step, set())
    for name, value in _pairs(answers):
        # The review asks for weights itself; another industry brings weights of its own.
        if name not in asked and not (step in {1, _REVIEW} and name.startswith(_WEIGHT)):
            yield Choice(name, value)


def _steps(current: int, answers: Answers) -> Iterator[WizardStep]:
    for number, (label, _, _) in enumerate(STEPS, start=1):
        yield WizardStep(
            label=label,
            url=_url(number, answers) if number != current else "",
            is_current=number == current,
            is_done=number < current,
        )


def _options(step: int, answers: Answers) -> Iterator[Option]:
    if step == 1:
        for it in TEMPLATES:
            chosen = it.key == answers.industry
            yield Option(value=it.key, label=it.name, text=it.description, is_chosen=chosen)
    elif step == 3:  # noqa: PLR2004
        for key, (label, text) in _SENSITIVITIES.items():
            chosen = key is answers.sensitivity
            yield Option(value=key.value, label=label, text=text, is_chosen=chosen)


def _groups(scope: Scope, answers: Answers) -> Iterator[OptionGroup]:
    seen = _seen(scope)
    template = find_template(answers.industry) or SAAS
    known = [it.event_type for it in template.rules]
    names = dict.fromkeys([*known, *sorted(seen), *answers.event_types])
    for channel in CHANNELS:
        options = tuple(
            Option(
                value=name,
                label=name,
                is_chosen=name in answers.event_types,
                badge="Comes in" if name in seen else "",
            )
            for name in names
            if channel_of_type(name) == channel
        )
        if options:
            yield OptionGroup(label=channel, options=options)


def _reviewed(planned: Plan) -> Iterator[ReviewGroup]:
    for part, label in _PARTS.items():
        rows = tuple(_row(step) for step in planned.steps if step.item.part is part)
        if rows:
            fixed = sum(row.is_fixed for row in rows)
            told = "stays as it is" if fixed == 1 else "stay as they are"
            yield ReviewGroup(
                label=label, rows=rows, stays=f"{fixed} of yours {told}" if fixed else ""
            )


def _row(step: Step) -> ReviewRow:
    state, tone = _STATES[step.standing]
    return ReviewRow(
        key=step.item.key,
        title=_title(step.item),
        sentence=step.item.sentence,
        weight="" if step.item.weight is None else str(step.item.weight),
        is_on=step.standing not in {Standing.OFF, Standing.REMOVE},
        is_fixed=step.standing in {Standing.KEEP, Standing.EDITED},
        state=state,
        tone=tone,
    )


def _title(item: Item) -> str:
    """Say what a rule about a property is about in the words of its form."""
    test = item.body.get("test")
    return words_of_test(FieldTest(*test)) if test else item.title


def _sentences(planned: Plan, *, is_done: bool = False) -> Iterator[str]:
    for standing, verb in (
        (Standing.ADD, "added"),
        (Standing.CHANGE, "changed"),
        (Standing.REMOVE, "removed"),
    ):
        if told := _told(planned, standing):
            yield f"{told} {verb}." if is_done else f"{told} will be {verb}."
    if kept := _told(planned, Standing.KEEP, Standing.EDITED, Standing.GONE):
        yield f"Left as your team has them: {kept}."
    if planned.does_nothing:
        yield "Everything is there already, so nothing changes."


def _told(planned: Plan, *standings: Standing) -> str:
    """Say how many of each kind stand so: "4 rules, 1 set of levels"."""
    parts = Counter(step.item.part for step in planned.steps if step.standing in standings)
    return ", ".join(counted(parts[it], *nouns) for it, nouns in _NOUNS.items() if parts[it])


def _links() -> tuple[Choice, ...]:
    return (
        Choice("Scoring", "", url="/app/scoring"),
        Choice("Segments", "", url="/app/segments"),
        Choice("Triggers", "", url="/app/triggers"),
    )
