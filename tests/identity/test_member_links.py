"""Invitations and reset links: what they are good for, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.identity import member_links, queries, signing_in
from leadvibe.identity.errors import LinkSpentError, SignInRefusedError, WeakPasswordError
from leadvibe.identity.types import LinkPurpose, Via
from leadvibe.lib.db import commit, rollback
from tests.factories import make_member, make_organization
from tests.people import PASSWORD

NOW = datetime(2025, 6, 2, 12, tzinfo=UTC)
NEW_PASSWORD = "a wholly different one"


def principal_of(member):
    return queries.find_member_principal(
        member.org_member_id, session_epoch=member.session_epoch, via=Via.BEARER
    )


def test_an_invitation_gives_a_name_a_password_and_a_verified_address(app, security):
    member = make_member(make_organization(), "new@acme.test", security=security)
    link = member_links.invite(member, now=NOW)

    taken = member_links.accept_invitation(
        link.token,
        first_name="Nina",
        last_name="Ek",
        password=PASSWORD,
        security=security,
        now=NOW + timedelta(days=6),
    )

    assert (taken.name, taken.verified) == ("Nina Ek", True)
    signing_in.sign_in("new@acme.test", PASSWORD, ip=None, security=security, now=NOW)


def test_nobody_signs_in_before_taking_the_invitation(app, security):
    make_member(make_organization(), "new@acme.test", security=security)

    with pytest.raises(SignInRefusedError):
        signing_in.sign_in("new@acme.test", "", ip=None, security=security, now=NOW)


def test_a_link_works_once(people, security):
    link = member_links.create_reset_link(people.viewer.member, now=NOW)
    member_links.reset_password(link.token, password=NEW_PASSWORD, security=security, now=NOW)

    with pytest.raises(LinkSpentError):
        member_links.reset_password(link.token, password=PASSWORD, security=security, now=NOW)


def test_a_reset_spends_every_link_and_ends_every_session(people, security):
    member = people.viewer.member
    first, second = (member_links.create_reset_link(member, now=NOW) for _ in range(2))

    member_links.reset_password(first.token, password=NEW_PASSWORD, security=security, now=NOW)

    assert principal_of(member) is None
    assert queries.find_link_member(second.token, LinkPurpose.RESET, now=NOW) is None


@pytest.mark.parametrize("late", [timedelta(hours=1), timedelta(days=3)])
def test_a_reset_link_expires_after_an_hour(people, security, late):
    link = member_links.create_reset_link(people.viewer.member, now=NOW)

    assert queries.find_link_member(link.token, LinkPurpose.RESET, now=NOW + late) is None
    with pytest.raises(LinkSpentError):
        member_links.reset_password(
            link.token, password=NEW_PASSWORD, security=security, now=NOW + late
        )


def test_a_link_of_one_purpose_is_no_good_for_another(people, security):
    link = member_links.invite(people.viewer.member, now=NOW)

    with pytest.raises(LinkSpentError):
        member_links.reset_password(link.token, password=NEW_PASSWORD, security=security, now=NOW)


def test_a_weak_password_leaves_the_link_good(people, security):
    link = member_links.create_reset_link(people.viewer.member, now=NOW)
    commit()

    with pytest.raises(WeakPasswordError):
        member_links.reset_password(link.token, password="short", security=security, now=NOW)
    rollback()  # as the edge of a request does

    member_links.reset_password(link.token, password=NEW_PASSWORD, security=security, now=NOW)
