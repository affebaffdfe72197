"""Sample data: a year of a software company, to look around in, and to be rid of again."""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.http.workers import job_queue
from leadvibe.identity.types import Principal
from leadvibe.imports import queries, sampling
from leadvibe.imports.sample_load import WipeReport
from leadvibe.imports.types import SampleLoad, SampleStage
from leadvibe.lib.clock import utc_now

NOTHING = "the unit has no sample data"
MESSAGES = {
    SampleStage.QUEUED: "sample data is being loaded",
    SampleStage.LOADING: "sample data is being loaded",
    SampleStage.SCORING: "sample data is loaded and being scored",
    SampleStage.FINISHED: "the unit has sample data",
    SampleStage.FAILED: "sample data could not be loaded",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """How far the sample data is, and the same in words.

    `status` is null without any; `leads`, `events` and `rules` are 0 until they are in.
    """

    message: str
    output: str
    status: SampleStage | None
    leads: int = 0
    events: int = 0
    rules: int = 0
    scored: int = 0


def seed(principal: Principal) -> Seeded:
    """Load a year of sample data into the unit: a worker does, within a minute.

    Asked again, it says how far that is, and tries again what failed.
    """
    load = sampling.request_sample(principal, principal.scope, queue=job_queue(), now=utc_now())
    return _seeded(load)


def show_seed(principal: Principal) -> Seeded:
    """How far the sample data is that was asked for."""
    load = queries.find_sample(principal.scope)
    return _seeded(load) if load else Seeded(message=NOTHING, output="", status=None)


def wipe(principal: Principal) -> WipeReport:
    """Take the sample data out again; what it shares with real events stays."""
    return sampling.remove_sample(principal, principal.scope, now=utc_now())


def _seeded(load: SampleLoad) -> Seeded:
    counts = f"{load.leads:,} leads, {load.events:,} events, {load.rules} rules"
    is_loaded = load.percent is not None
    return Seeded(
        message=MESSAGES[load.stage],
        output=f"{counts}; {load.percent} % scored" if is_loaded else load.error or "",
        status=load.stage,
        leads=load.leads,
        events=load.events,
        rules=load.rules,
        scored=load.handled,
    )
