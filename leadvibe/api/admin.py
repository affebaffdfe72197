"""Sample data: a year of a software company, to look around in, and to be rid of again."""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.api.bell import ring_for_pipeline
from leadvibe.identity.types import Principal
from leadvibe.imports.sample_load import load_sample, wipe_sample
from leadvibe.lib.clock import utc_now


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What was loaded, and the same in words."""

    message: str
    output: str
    leads: int
    events: int
    rules: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiped:
    """How many of each were deleted; leads with other events stay and are `rescored`."""

    events: int
    waiting: int
    dead_letters: int
    leads: int
    rules: int
    rulesets: int
    rescored: int


def seed(principal: Principal) -> Seeded:
    """Load a year of sample data into the unit; its scores follow within a minute."""
    loaded = load_sample(principal, principal.scope, now=utc_now())
    ring_for_pipeline()
    return Seeded(
        message="sample data loaded" if loaded.is_new else "the unit has sample data already",
        output=f"{loaded.leads:,} leads, {loaded.events:,} events, {loaded.rules} rules",
        leads=loaded.leads,
        events=loaded.events,
        rules=loaded.rules,
    )


def wipe(principal: Principal) -> Wiped:
    """Take the sample data out again; what it shares with real events stays."""
    wiped = wipe_sample(principal, principal.scope, now=utc_now())
    return Wiped(
        events=wiped.events,
        waiting=wiped.waiting,
        dead_letters=wiped.dead_letters,
        leads=wiped.leads,
        rules=wiped.rules,
        rulesets=wiped.rulesets,
        rescored=wiped.rescored,
    )
