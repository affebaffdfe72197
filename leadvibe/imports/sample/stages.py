"""How far a lead gets, from a name on a list to a signed deal, and what happens on the way.

Fit (company, department, seniority) drives interest, interest drives depth, and both drive the
outcome of a deal: so a good score really does foretell a win, though never perfectly.
"""

from __future__ import annotations

from enum import IntEnum
from random import Random

from leadvibe.imports.sample import mailings, selling, visits, webinars
from leadvibe.imports.sample.chance import bounded, chance
from leadvibe.imports.sample.journey import Journey, Window
from leadvibe.imports.sample.people import Person, Source
from leadvibe.imports.sample.rhythm import DAY, HOUR, Rhythm
from leadvibe.imports.sample.webinars import Webinar


class Depth(IntEnum):
    CONTACT = 0
    VISITOR = 1
    ENGAGED = 2
    QUALIFIED = 3
    EVALUATING = 4


_DEPTH_STARTS = (
    (1.0, Depth.EVALUATING),
    (0.84, Depth.QUALIFIED),
    (0.62, Depth.ENGAGED),
    (0.40, Depth.VISITOR),
)
_SOURCE_BONUS = {
    Source.ORGANIC: 0.02,
    Source.PAID: -0.06,
    Source.WEBINAR: 0.03,
    Source.OUTBOUND: -0.14,
    Source.REFERRAL: 0.12,
}
_MEDIAN_ACTIVE_DAYS = {
    Depth.CONTACT: 6,
    Depth.VISITOR: 12,
    Depth.ENGAGED: 30,
    Depth.QUALIFIED: 60,
    Depth.EVALUATING: 45,
}
_PULL = {
    Depth.CONTACT: 0.06,
    Depth.VISITOR: 0.3,
    Depth.ENGAGED: 0.7,
    Depth.QUALIFIED: 1.4,
    Depth.EVALUATING: 2.4,
}
_BUYING_PULL = 5.0
_ANONYMOUS_PULL = 0.25
_LARGEST_PULL = 8.0
# Some have been in the books since before the year began.
_KNOWN_BEFORE_SHARE = 0.12
_LARGEST_COMMITTEE = 5
_WEBINAR_WITHIN_DAYS = 21


def _depth(reach: float) -> Depth:
    return next((depth for least, depth in _DEPTH_STARTS if reach >= least), Depth.CONTACT)


class Story:
    """Writes the part of each journey that makes sense of it; `filler` adds the everyday rest."""

    def __init__(
        self,
        rng: Random,
        rhythm: Rhythm,
        planned_webinars: list[Webinar],
        *,
        reps: tuple[str, ...],
    ) -> None:
        self._rng = rng
        self._rhythm = rhythm
        self._reps = reps
        self._webinars = planned_webinars
        self._deals = 0

    def wander_by(self, person: Person) -> Journey:
        """Tell of somebody who reads a little and never leaves a name."""
        journey = self._begin(person, interest=self._rng.betavariate(2, 5))
        journey.pull = self._draw_pull(_ANONYMOUS_PULL)
        first = self._rhythm.arrival(person.zone, self._rhythm.start, self._rhythm.end)
        visits.visit(journey, first)
        self._stay_active(journey, first, median_days=5)
        return journey

    def tell(self, team: list[Person]) -> list[Journey]:
        """Tell of the people of one company, of whom some may set out to buy together."""
        company = team[0].company
        willingness = bounded(((company.fit if company else 0.0) - 0.3) * 0.55, 0.01, 0.35)
        if not chance(self._rng, willingness):
            return [self._stroll(person) for person in team]
        size = self._rng.randint(1, min(_LARGEST_COMMITTEE, len(team)))
        by_fit = sorted(team, key=lambda person: person.fit, reverse=True)
        rest = [self._stroll(person) for person in by_fit[size:]]
        return [*self._buy_together(by_fit[:size]), *rest]

    def _begin(self, person: Person, *, interest: float) -> Journey:
        return Journey(
            self._rng,
            self._rhythm,
            person,
            interest=bounded(interest, 0.02, 0.98),
            reps=self._reps,
        )

    def _draw_pull(self, typical: float) -> float:
        """Most get little and a few get very much: events per lead are about log-normal."""
        return typical * min(self._rng.lognormvariate(0.0, 1.0), _LARGEST_PULL)

    def _stay_active(self, journey: Journey, first: float, *, median_days: float) -> None:
        """Open the window of activity, and sometimes a second one after months of silence."""
        rng, end = self._rng, self._rhythm.end
        before = max(self._rhythm.start, first - rng.expovariate(1 / 5) * DAY)
        until = min(end, first + median_days * rng.lognormvariate(0.0, 0.7) * DAY + HOUR)
        journey.active = [Window(before, until)] if before < until else []
        returns = until + rng.uniform(60, 200) * DAY
        if journey.chance(0.2) and returns < end:
            journey.active.append(Window(returns, min(end, returns + rng.uniform(3, 30) * DAY)))
            if journey.known_at < returns:
                visits.visit(journey, journey.later(returns, days=(0, 3)))

    def _stroll(self, person: Person) -> Journey:
        """Tell of somebody who is not in a buying committee."""
        rng = self._rng
        interest = 0.08 + 0.65 * person.fit + _SOURCE_BONUS[person.source] + rng.gauss(0, 0.16)
        journey = self._begin(person, interest=interest)
        depth = _depth(journey.interest + rng.gauss(0, 0.2))
        journey.known_at = self._first_known(person)
        journey.pull = self._draw_pull(_PULL[depth])
        journey.is_evaluating = depth >= Depth.QUALIFIED
        self._make_contact(journey, depth)
        if journey.mail_until <= journey.known_at:  # The address is dead: there is no more to tell.
            return journey
        self._stay_active(journey, journey.known_at, median_days=_MEDIAN_ACTIVE_DAYS[depth])
        if depth >= Depth.ENGAGED:
            self._engage(journey)
        if depth >= Depth.QUALIFIED:
            self._qualify(journey)
        if depth >= Depth.EVALUATING:
            selling.start_trial(journey, journey.later(journey.known_at, days=(1, 25)))
            selling.end_trial(journey)
        return journey

    def _first_known(self, person: Person) -> float:
        rhythm = self._rhythm
        if chance(self._rng, _KNOWN_BEFORE_SHARE):
            return rhythm.start - self._rng.uniform(1, 200) * DAY
        return rhythm.arrival(person.zone, rhythm.start, rhythm.end)

    def _make_contact(self, journey: Journey, depth: Depth) -> None:
        is_cold_call = journey.person.source is Source.OUTBOUND
        if is_cold_call and depth is Depth.CONTACT and journey.chance(0.1):
            mailings.bounce(journey, journey.known_at, mailings.OUTREACH[0])
            return
        if is_cold_call:
            mailings.send_sequence(journey, journey.known_at, mailings.OUTREACH, gap=(3, 6))
        else:
            self._look_around_first(journey, 1 + depth // 2)
            self._identify(journey)
            welcome = mailings.NURTURE[: 1 + depth]
            mailings.send_sequence(journey, journey.known_at + 300, welcome, gap=(2, 7))
        if is_cold_call and depth >= Depth.ENGAGED:
            self._identify_later(journey)

    def _look_around_first(self, journey: Journey, number: int) -> None:
        """Visit without a name before the form is filled in, the last time just before it."""
        known_at = journey.known_at
        for _ in range(number - 1):
            days_before = 0.5 + self._rng.expovariate(1 / 6)
            at = self._rhythm.when_awake(journey.person.zone, known_at - days_before * DAY)
            if at < known_at:
                visits.visit(journey, at)
        visits.visit(journey, known_at - self._rng.uniform(60, 400), longest=3)

    def _identify(self, journey: Journey) -> None:
        """Give an address for the first time, in a way that suits the source."""
        at, source = journey.known_at, journey.person.source
        webinar = webinars.find_webinar(self._webinars, after=at, within_days=_WEBINAR_WITHIN_DAYS)
        if source is Source.WEBINAR and webinar:
            self._join(journey, at, webinar)
        elif source is Source.PAID and journey.chance(0.4):
            selling.answer_lead_ad(journey, at)
        elif journey.chance(0.15 + 0.4 * journey.interest):
            selling.download(journey, at)
        else:
            selling.submit_form(journey, at)
        journey.tied_at = at
        journey.is_subscribed = True

    def _identify_later(self, journey: Journey) -> None:
        """A contact from a list comes to the site unrecognised, and then fills in a form."""
        at = journey.later(journey.known_at, days=(1, 20))
        visits.visit(journey, at - HOUR, aliases=journey.person.by_cookie, longest=4)
        selling.submit_form(journey, at)
        journey.tied_at = min(journey.tied_at, at)
        journey.is_subscribed = True

    def _join(self, journey: Journey, at: float, webinar: Webinar) -> None:
        webinars.register(journey, at, webinar)
        if at >= self._rhythm.start and journey.chance(0.25 + 0.5 * journey.interest):
            webinars.attend(journey, webinar)

    def _engage(self, journey: Journey) -> None:
        """Come back, perhaps on a second device, and take part in something."""
        known_at = journey.known_at
        visits.visit(journey, journey.later(known_at, days=(0.5, 10)), pages=visits.CURIOUS)
        if journey.chance(0.2):
            self._come_on_second_device(journey)
        at = journey.later(known_at, days=(2, 30))
        webinar = webinars.find_webinar(self._webinars, after=at, within_days=_WEBINAR_WITHIN_DAYS)
        if webinar and journey.chance(0.6):
            self._join(journey, at, webinar)
        elif journey.chance(0.35):
            selling.download(journey, at)

    def _come_on_second_device(self, journey: Journey) -> None:
        """Browse on the phone, unknown there, until a mail is clicked on it."""
        person = journey.person
        cookie = ("cookie", person.second_cookie)
        at = journey.later(journey.known_at, days=(1, 30))
        visits.visit(journey, at, aliases=(cookie,), longest=3)
        mailed_at = journey.later(at, days=(0.5, 10))
        tied = (person.by_email[0], cookie)
        mailings.click_elsewhere(journey, mailed_at, mailings.UPDATES[0], tied)

    def _qualify(self, journey: Journey) -> None:
        """Look at the price; somebody from sales calls."""
        known_at = journey.known_at
        for _ in range(self._rng.randint(1, 3)):
            visits.glance_at(journey, visits.PRICING, journey.later(known_at, days=(1, 45)))
        if journey.chance(0.2):
            visits.chat(journey, journey.later(known_at, days=(1, 30)))
        owner = selling.pick_owner(journey)
        for _ in range(self._rng.randint(0, 2)):
            at = journey.later(known_at, days=(2, 40))
            selling.log_call(journey, at, owner=owner, outcome=selling.pick_call_outcome(journey))

    def _buy_together(self, people: list[Person]) -> list[Journey]:
        """Tell of a buying committee: it wakes up within days and ends in one decision."""
        began = self._rhythm.arrival(people[0].zone, self._rhythm.start, self._rhythm.end)
        committee = [self._wake(person, began) for person in people]
        champion = committee[0]
        buyer = max(committee, key=lambda journey: journey.person.seniority)
        for journey in committee:
            self._evaluate(journey)
        if champion.chance(0.7):
            self._try_out(committee, champion)
        self._close(committee, champion, buyer)
        for journey in committee:
            selling.end_trial(journey)
        return committee

    def _wake(self, person: Person, began: float) -> Journey:
        journey = self._begin(person, interest=0.45 + 0.4 * person.fit + self._rng.gauss(0, 0.1))
        latest = min(self._rhythm.end, began + 8 * DAY)
        journey.known_at = self._rhythm.moment(person.zone, began, latest)
        journey.is_evaluating = True
        journey.pull = self._draw_pull(_BUYING_PULL * (0.4 + journey.interest))
        return journey

    def _evaluate(self, journey: Journey) -> None:
        self._look_around_first(journey, self._rng.randint(1, 4))
        self._identify(journey)
        mailings.send_sequence(journey, journey.known_at + 300, mailings.NURTURE[:3], gap=(2, 6))
        for _ in range(self._rng.randint(2, 5)):
            visits.visit(journey, journey.later(journey.known_at, days=(0, 9)))
        self._stay_active(journey, journey.known_at, median_days=35)

    def _try_out(self, committee: list[Journey], champion: Journey) -> None:
        at = champion.later(champion.known_at, days=(0.1, 6))
        selling.start_trial(champion, at)
        for colleague in committee[1:]:
            if colleague.chance(0.5):
                joined = colleague.later(max(at, colleague.known_at), days=(0.2, 5))
                colleague.product = Window(joined, at + selling.TRIAL_DAYS * DAY)
                selling.use_product(colleague, joined)

    def _close(self, committee: list[Journey], champion: Journey, buyer: Journey) -> None:
        """Take the deal from the first request to the decision, or as far as the year goes."""
        self._deals += 1
        deal = selling.open_deal(champion, self._deals)
        at = champion.later(champion.known_at, days=(0.5, 10))
        if champion.chance(0.8):
            selling.request_demo(champion, at)
        met_at = champion.later(at, days=(0.1, 3))
        for journey in {id(champion): champion, id(buyer): buyer}.values():
            selling.log_call(journey, met_at - HOUR, owner=deal.owner, outcome="interested")
            selling.book_meeting(journey, met_at, owner=deal.owner, kind="demo")
        proposed_at = champion.later(met_at, days=(3, 15))
        decided_at = champion.later(proposed_at, days=(3, 45))
        is_won = champion.chance(_win_odds(committee))
        for journey in committee:
            # Who is going to sign has been busy for weeks; who is not has been going quiet.
            journey.pull *= 1.4 if is_won else 0.5
            self._read_proposal(journey, deal, Window(proposed_at, decided_at), 4 if is_won else 1)
        selling.view_proposal(champion, proposed_at + HOUR, deal)
        decide = selling.win if is_won else selling.lose
        for journey in {id(champion): champion, id(buyer): buyer}.values():
            decide(journey, decided_at, deal)

    def _read_proposal(
        self, journey: Journey, deal: selling.Deal, window: Window, most_times: int
    ) -> None:
        for _ in range(self._rng.randint(0, most_times)):
            at = self._rhythm.moment(journey.person.zone, *window)
            selling.view_proposal(journey, at, deal)


def _win_odds(committee: list[Journey]) -> float:
    """Weigh fit most, then how many are on board and whether they tried the product."""
    fit = sum(journey.person.fit for journey in committee) / len(committee)
    interest = sum(journey.interest for journey in committee) / len(committee)
    has_tried = any(journey.product for journey in committee)
    odds = -0.4 + 0.7 * fit + 0.35 * interest + 0.05 * len(committee) + 0.1 * has_tried
    return bounded(odds, 0.03, 0.85)
