"""One lead's way through the year, while it is being written."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import NamedTuple

from leadvibe.imports.sample.chance import chance
from leadvibe.imports.sample.people import Person
from leadvibe.imports.sample.rhythm import DAY, Rhythm
from leadvibe.imports.sample.types import Aliases, Metadata


class Draft(NamedTuple):
    """An event whose time is still a number."""

    at: float
    event_type: str
    aliases: Aliases
    metadata: Metadata


class Window(NamedTuple):
    opens: float
    closes: float


@dataclass(slots=True)
class Journey:
    """What a lead does and when we learn who they are.

    `interest` drives how often mails are opened and how many pages are read; `pull` is the share
    of the year's spare events that end up here; `active` are the stretches of time in which they
    may, and `product` the one in which the lead has an account. `mail_until` is when mailing stops,
    `tied_at` when the browser is first seen together with the address. Newsletters go to those who
    are subscribed: whoever filled in a form, and none from a list.
    """

    rng: Random
    rhythm: Rhythm
    person: Person
    interest: float = 0.0
    pull: float = 0.0
    known_at: float = inf
    tied_at: float = inf
    mail_until: float = inf
    is_evaluating: bool = False
    is_subscribed: bool = False
    customer_since: float = inf
    active: list[Window] = field(default_factory=list)
    product: Window | None = None
    reps: tuple[str, ...] = ()
    drafts: list[Draft] = field(default_factory=list)

    def add(self, at: float, event_type: str, aliases: Aliases, metadata: Metadata) -> None:
        """Write down an event unless it falls outside the year."""
        if self.rhythm.start <= at < self.rhythm.end:
            self.drafts.append(Draft(at, event_type, aliases, metadata))

    def chance(self, probability: float) -> bool:
        return chance(self.rng, probability)

    def web_aliases(self, at: float) -> Aliases:
        """Return the bare cookie until a form or a tracked link has tied it to the address."""
        return self.person.on_web if at >= self.tied_at else self.person.by_cookie

    def later(self, at: float, *, days: tuple[float, float]) -> float:
        """Pick a working moment between so many days after `at`, perhaps beyond the year."""
        soonest, latest = days
        return self.rhythm.moment(self.person.zone, at + soonest * DAY, at + latest * DAY)

    def has_mail_at(self, at: float) -> bool:
        return self.known_at <= at < self.mail_until

    def stop_mail(self, at: float) -> None:
        """Unsubscribe: nothing is sent, opened or clicked from then on."""
        self.mail_until = at
        self.drafts = [
            draft
            for draft in self.drafts
            if draft.at <= at or draft.metadata.get("channel") != "email"
        ]
