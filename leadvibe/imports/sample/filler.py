"""The everyday rest of a journey: visits, mails and days in the product, as many as are left."""

from __future__ import annotations

from leadvibe.imports.sample import mailings, selling, visits
from leadvibe.imports.sample.journey import Journey, Window
from leadvibe.imports.sample.rhythm import DAY

# A window may hold no moment in which anything can happen; then a lone visit does instead.
_PATIENCE = 6
# However keen, nobody reads all day: what a day of looking around and a day in the product allow.
_PULL_PER_ACTIVE_DAY = 0.05
_PULL_PER_PRODUCT_DAY = 0.1


def appetite(journey: Journey) -> float:
    """Weigh a journey's claim to the spare events: its pull, as far as it had the days for it."""
    active = sum(window.closes - window.opens for window in journey.active)
    used = journey.product.closes - journey.product.opens if journey.product else 0.0
    allowance = active * _PULL_PER_ACTIVE_DAY + used * _PULL_PER_PRODUCT_DAY
    return min(journey.pull, allowance / DAY)


def fill(journey: Journey, count: int) -> None:
    """Add exactly that many events, wherever the lead was active."""
    goal = len(journey.drafts) + count
    misses = 0
    while len(journey.drafts) < goal:
        before = len(journey.drafts)
        if misses < _PATIENCE and journey.active:
            _live(journey, journey.rng.choice(journey.active))
        else:
            _drop_in(journey)
        misses += len(journey.drafts) == before
    # What is cut off is the tail of the last visit or of a mail's consequences.
    del journey.drafts[goal:]


def _live(journey: Journey, window: Window) -> None:
    if journey.product and journey.chance(0.7):
        at = journey.rhythm.moment(journey.person.zone, *journey.product)
        selling.use_product(journey, at)
    elif journey.chance(0.25) and journey.known_at < journey.mail_until:
        _get_mail(journey, window)
    elif journey.is_evaluating and journey.chance(0.05):
        _be_called(journey, window)
    else:
        at = journey.rhythm.moment(journey.person.zone, *window)
        visits.visit(journey, at)


def _get_mail(journey: Journey, window: Window) -> None:
    opens = max(window.opens, journey.known_at)
    closes = min(window.closes, journey.mail_until)
    if opens < closes:
        at = journey.rhythm.moment(journey.person.zone, opens, closes)
        mailings.send(journey, at, journey.rng.choice(mailings.UPDATES))


def _be_called(journey: Journey, window: Window) -> None:
    opens = max(window.opens, journey.known_at)
    if opens < window.closes:
        at = journey.rhythm.moment(journey.person.zone, opens, window.closes)
        owner, outcome = selling.pick_owner(journey), selling.pick_call_outcome(journey)
        selling.log_call(journey, at, owner=owner, outcome=outcome)


def _drop_in(journey: Journey) -> None:
    rhythm = journey.rhythm
    at = rhythm.moment(journey.person.zone, rhythm.start, rhythm.end)
    visits.glance_at(journey, visits.HOME, at)
