"""What is recorded of leads: fields, addresses and status, through merges and back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from leadvibe.identity.types import Scope
from leadvibe.leadlist.records import find_record
from leadvibe.leads.aliases import make_alias
from leadvibe.leads.queries import get_lead
from leadvibe.leads.statuses import Outcome, Status, list_changes
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.pipeline import merging, process, recording
from leadvibe.scoring import attributes
from leadvibe.scoring.profiles import Side
from tests.factories import make_event, make_principal, make_scope, send


@pytest.fixture
def scope(app) -> Scope:
    return make_scope()


def record(scope: Scope, *addresses: tuple[str, str], **properties: object) -> str:
    aliases = [make_alias(kind, value) for kind, value in addresses]
    recorded = recording.record_lead(
        scope, aliases=aliases, properties=properties, source="api", by="test", now=utc_now()
    )
    return recorded.lead_id


def update(scope: Scope, lead_id: str, status: Outcome | Status | None = None, **fields: object):
    return recording.update_lead(
        scope, lead_id, properties=fields, status=status, by="ada", via="app", now=utc_now()
    )


def test_fields_are_typed_and_what_is_none_of_their_kind_is_left_out(scope):
    lead_id = record(
        scope, ("email", "Ann@X.test"), ("phone", "+49 151 1234567"), name="Ann", value="12.5",
        next_call_at="2026-03-01T10:00:00+01:00", ad_storage="granted", custom={"size": 3},
        utm_source=" google ", expires_at="soon",
    )  # fmt: skip

    found = find_record(scope, lead_id)

    assert (found.name, found.email, found.emails) == ("Ann", "ann@x.test", ("ann@x.test",))
    assert found.phone == "+491511234567"
    fields = {name: value for name, value in found.fields.items() if value is not None}
    assert fields == {
        "value": 12.5, "next_call_at": datetime(2026, 3, 1, 9, tzinfo=UTC), "ad_storage": True,
        "custom": '{"size":3}', "utm_source": "google",
    }  # fmt: skip


def test_somebody_who_is_known_by_an_address_is_not_made_again(scope):
    first = record(scope, ("email", "ann@x.test"), utm_source="google")
    again = record(scope, ("email", "ANN@x.test"), utm_medium="cpc")

    assert first == again
    assert find_record(scope, first).fields["utm_source"] == "google"
    assert find_record(scope, first).fields["utm_medium"] == "cpc"


def test_a_record_that_stays_as_it_is_keeps_when_it_changed(scope):
    lead_id = record(scope, name="Ann")
    before = find_record(scope, lead_id).updated_at

    update(scope, lead_id, name="Ann")
    assert find_record(scope, lead_id).updated_at == before

    update(scope, lead_id, name="Anna")
    assert find_record(scope, lead_id).updated_at > before


def test_a_status_changes_once_and_is_told_to_segments(scope):
    lead_id = record(scope, name="Ann")

    assert update(scope, lead_id, Outcome.QUALIFIED) is Status.QUALIFIED
    assert update(scope, lead_id, Outcome.QUALIFIED) is None
    assert update(scope, lead_id, Outcome.WON) is Status.CONVERTED

    found = find_record(scope, lead_id)
    assert (found.status, found.outcome) == (Status.CONVERTED, Outcome.WON)
    changes = list_changes(scope, lead_id, limit=9)
    assert [(it.before, it.status, it.changed_by) for it in changes] == [
        ("qualified", "converted", "ada"), ("not_contacted", "qualified", "ada"),
    ]  # fmt: skip
    assert found.qualified_at == changes[-1].changed_at
    assert get_lead(scope, lead_id).metadata["lead_status"] == "converted"


def test_a_lead_that_was_contacted_is_open_already(scope):
    lead_id = record(scope, name="Ann")
    update(scope, lead_id, Status.CONTACTED)

    assert update(scope, lead_id, Outcome.OPEN) is None
    assert find_record(scope, lead_id).status is Status.CONTACTED


def test_a_merge_takes_the_latest_status_over_and_back(scope):
    target, source = record(scope, name="Ann"), record(scope, name="Anna")
    update(scope, source, Status.QUALIFIED)
    commit()

    merging.merge(make_principal(scope), scope, target, [source], now=utc_now())
    assert find_record(scope, target).status is Status.QUALIFIED
    assert find_record(scope, source) is None

    merging.unmerge(make_principal(scope), scope, target, [source], now=utc_now())
    assert find_record(scope, target).status is Status.NOT_CONTACTED
    assert find_record(scope, source).status is Status.QUALIFIED


def test_an_event_is_never_refused_for_a_field_of_another_kind(scope):
    mapping = {
        "source_field": "deal",
        "target_property": "value",
        "update_behavior": "always_latest",
    }
    principal = make_principal(scope)
    attributes.create_mapping(principal, scope, Side.PROFILE, mapping, now=utc_now())
    send(scope, make_event(lead_id="ann", metadata={"deal": "much"}))
    commit()
    process.drain(scope)

    lead, found = get_lead(scope, "ann"), find_record(scope, "ann")

    assert (lead.metadata["value"], found.fields["value"]) == ("much", None)
