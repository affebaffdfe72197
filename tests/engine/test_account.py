"""Accounts: which one a lead belongs to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadvibe.engine.account import (
    UNRESOLVED,
    Link,
    LinkedBy,
    account_named_in,
    company_domain,
    link_by_hand,
    registrable_domain,
    settle_link,
    unlink_by_hand,
)
from leadvibe.engine.free_mail import FREE_MAIL
from leadvibe.engine.mapping import Moment, Told, instant_of
from tests.engine.factories import after
from tests.engine.strategies import batches_of


def told(hours: float, receipt: int = 1, **metadata) -> Told:
    return Told(after(hours=hours), receipt, metadata)


def settled(current: Link = UNRESOLVED, *events: Told, emails=(), **metadata) -> Link:
    return settle_link(current, told=events, metadata=metadata, emails=emails)


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("acme.com", "acme.com"),
        ("Mail.ACME.co.uk", "acme.co.uk"),
        ("eu.mail.acme.test", "acme.test"),
        ("team.github.io", "team.github.io"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("acme.com.", "acme.com"),
        ("co.uk", None),
        ("localhost", None),
        ("10.0.0.1", None),
        ("[1.2.3.4]", None),
        ("a b.com", None),
        ("a..com", None),
        ("", None),
        ("x" * 64 + ".com", None),
        ("ü" * 80 + ".de", None),
    ],
)
def test_what_somebody_registered_of_a_host_name(host, domain):
    assert registrable_domain(host) == domain


def test_every_free_mail_domain_can_be_met():
    assert [it for it in sorted(FREE_MAIL) if registrable_domain(it) != it] == []


def test_the_first_address_of_a_company_names_the_account():
    emails = ["ada@gmail.com", "ada@mail.yahoo.co.uk", "no address", "ada@eu.acme.com", "b@b.com"]

    assert company_domain(emails) == "acme.com"
    assert company_domain(["ada@gmail.com"]) is None


@pytest.mark.parametrize(
    ("metadata", "account_id"),
    [
        ({"accountId": " A-17 "}, "A-17"),
        ({"account_id": 42}, "42"),
        ({"accountId": "", "account_id": "B"}, "B"),
        ({"accountId": True}, None),
        ({"accountId": 1.5}, None),
        ({"accountId": {"id": 1}}, None),
        ({"accountId": "x" * 201}, None),
        ({"accountId": "a\nb"}, None),
        ({}, None),
    ],
)
def test_what_metadata_may_call_an_account(metadata, account_id):
    assert account_named_in(metadata) == account_id


def test_explicit_ids_win_over_the_domain():
    emails = ["ada@acme.com"]

    assert settled(emails=emails)[:2] == ("acme.com", LinkedBy.DOMAIN)
    assert settled(emails=emails, account_id="M")[:2] == ("M", LinkedBy.METADATA)
    by_event = settled(UNRESOLVED, told(1, accountId="E"), emails=emails, account_id="M")
    assert by_event[:2] == ("E", LinkedBy.EVENT)


def test_a_lead_that_was_found_by_its_domain_moves_when_an_id_is_told():
    found = settled(emails=["ada@acme.com"])

    assert settled(found, told(1, accountId="E")).account_id == "E"
    assert settled(found, emails=["ada@other.com"]) is found


def test_metadata_that_names_no_account_any_more_gives_way_to_the_domain():
    named = settled(account_id="M")

    assert settled(named, emails=["ada@acme.com"])[:2] == ("acme.com", LinkedBy.DOMAIN)
    assert settled(named)[:2] == (None, None)


def test_the_latest_event_names_the_account():
    assert settled(UNRESOLVED, told(2, accountId="new"), told(1, accountId="old"))[0] == "new"


def test_what_somebody_decided_stays():
    by_hand = link_by_hand(UNRESOLVED, "H", at=instant_of(after(hours=5)))

    assert settled(by_hand, told(9, accountId="E"), emails=["ada@acme.com"]) is by_hand


def test_a_link_taken_back_is_found_again_but_not_by_what_was_told_before():
    by_event = settled(UNRESOLVED, told(9, accountId="E"))

    freed = link_by_hand(by_event, None, at=instant_of(after(hours=5)))

    assert settled(freed, told(9, accountId="E"), emails=["ada@acme.com"])[0] == "acme.com"
    assert settled(freed, told(10, accountId="F"))[0] == "F"


def test_a_lead_that_was_unlinked_stays_so_until_an_event_names_an_account():
    unlinked = unlink_by_hand(settled(emails=["ada@acme.com"]), at=instant_of(after(hours=5)))

    assert settled(unlinked, told(4, accountId="E"), emails=["ada@acme.com"]).account_id is None
    assert settled(unlinked, told(6, accountId="E"))[:2] == ("E", LinkedBy.EVENT)


def test_an_account_that_nothing_is_remembered_of_was_set_by_hand():
    assert Link.from_json("A", {}) == Link("A", LinkedBy.HAND)
    assert Link.from_json(None, {}) == UNRESOLVED


@given(
    st.builds(
        Link,
        st.sampled_from((None, "A")),
        st.sampled_from(LinkedBy),
        st.one_of(st.none(), st.builds(Moment, st.integers(0, 9), st.integers(1, 9))),
        st.sampled_from((-1, 0, 12)),
    )
)
def test_a_link_survives_as_json(link):
    assert Link.from_json(link.account_id, link.to_json()) == link


_told = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(("A", "B", "C", ""))), max_size=8)


@given(_told, st.booleans(), st.data())
def test_events_in_any_order_and_batches_lead_to_the_same_account(drawn, is_freed, data):
    stream = [told(hour, place, accountId=it) for place, (hour, it) in enumerate(drawn)]
    start = (
        link_by_hand(UNRESOLVED, None, at=instant_of(after(hours=2))) if is_freed else UNRESOLVED
    )
    whole = settled(start, *stream, emails=["ada@acme.com"])

    in_parts = start
    for batch in data.draw(batches_of(data.draw(st.permutations(stream)))):
        in_parts = settled(in_parts, *batch, emails=["ada@acme.com"])

    assert in_parts == whole
