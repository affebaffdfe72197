"""Claims of leads that have ended: found by the schedule, released by a worker."""

from __future__ import annotations

from datetime import timedelta

from leadvibe.jobs import schedule
from leadvibe.jobs.claims import RELEASE_CLAIMS, release_claims
from leadvibe.leads import ownership
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.queue import JobQueue


def test_a_claim_that_has_ended_is_sent_for_and_released_once(world, people, monkeypatch):
    world.happen("page_view", "ann")
    world.happen("page_view", "bob")
    member, unit_id = people.operator.member, str(people.scope.unit_id)
    long_ago = utc_now() - timedelta(days=2)
    ownership.claim_lead(people.scope, "ann", member, now=long_ago)
    ownership.claim_lead(people.scope, "bob", member, now=utc_now())
    commit()
    sent = []
    monkeypatch.setattr(JobQueue, "send", lambda _, *job, job_id: sent.append((job, job_id)))

    schedule.release_claims(utc_now())
    for _ in range(2):
        release_claims(unit_id)

    assert sent == [((RELEASE_CLAIMS, unit_id), f"claims-{unit_id}")]
    owners = ownership.owners_of(people.scope, ["ann", "bob"])
    assert owners == {"ann": None, "bob": member.org_member_id}
