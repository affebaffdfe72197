"""However events come in, and whenever anybody looks: the same scores, by what happened alone."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from leadvibe.engine.replay import advance, replay
from tests.effort import examples

from . import strategies as some
from .kept_lead import LEAD_ID, KeptLead

engine_property = settings(max_examples=examples(150), deadline=None)
arrival_property = settings(max_examples=examples(400), deadline=None)

IN_THE_END = some.START + timedelta(days=20)
"""Later than anything that the strategies let happen."""


def in_order(events):
    return sorted(events, key=lambda event: (event.occurred_at, event.receipt))


def assert_kept_as(kept, whole):
    """Check that what was stored step by step is what one replay comes to."""
    assert kept.state == whole.state
    assert kept.entries == whole.entries
    assert list(kept.sessions.values()) == whole.sessions
    assert kept.decays == whole.decays
    assert kept.reasons == whole.judgement.reasons
    assert kept.folded == set(whole.judgement.folded)


@arrival_property
@given(st.data())
def test_any_order_of_arrival_ends_as_one_replay_does(data):
    versions = data.draw(some.histories())
    deliveries = data.draw(some.deliveries(versions))

    kept = KeptLead(versions)
    for now, batch in deliveries:
        kept.receive(now, batch)
    kept.receive(IN_THE_END, [])

    events = [event for delivery in deliveries for event in delivery.events]
    assert_kept_as(kept, replay(LEAD_ID, events, versions.history(), until=IN_THE_END))


@engine_property
@given(some.leads(), st.data())
def test_any_split_into_batches_ends_as_one_replay_does(lead, data):
    versions, events = lead

    kept = KeptLead(versions)
    for batch in data.draw(some.batches_of(in_order(events))):
        if batch:
            kept.receive(IN_THE_END, batch)
    kept.receive(IN_THE_END, [])

    assert_kept_as(kept, replay(LEAD_ID, events, versions.history(), until=IN_THE_END))


@engine_property
@given(some.leads(), st.lists(some.instants, max_size=8))
def test_decay_does_not_depend_on_when_anybody_settles_it(lead, moments):
    versions, events = lead
    history = versions.history()
    settled = replay(LEAD_ID, events, history)

    state, entries, decays = settled.state, settled.entries, settled.decays
    for moment in [*moments, IN_THE_END]:
        outcome = advance(LEAD_ID, state, [], history, until=moment)
        state, entries, decays = outcome.state, entries + outcome.entries, decays + outcome.decays

    whole = replay(LEAD_ID, events, history, until=IN_THE_END)
    assert (state, entries, decays) == (whole.state, whole.entries, whole.decays)


@engine_property
@given(some.leads(), st.data())
def test_receipts_decide_nothing_but_between_events_of_one_instant(lead, data):
    versions, events = lead
    apart = {event.occurred_at: event for event in events}.values()
    receipts = data.draw(st.permutations(range(len(apart))))
    others = [
        event._replace(receipt=receipt) for event, receipt in zip(apart, receipts, strict=True)
    ]

    outcomes = [
        replay(LEAD_ID, them, versions.history(), until=IN_THE_END) for them in (apart, others)
    ]

    assert outcomes[0].entries == outcomes[1].entries
    assert outcomes[0].sessions == outcomes[1].sessions
    assert outcomes[0].decays == outcomes[1].decays
