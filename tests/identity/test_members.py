"""Members and memberships under changes that come at once, and what becomes of what they had."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from leadvibe.identity import members, queries, service
from leadvibe.identity.errors import (
    LastAdminError,
    LastOwnerError,
    MemberExistsError,
    MemberNotFoundError,
)
from leadvibe.identity.types import OrgRole, UnitRole, Via
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, rollback
from leadvibe.lib.errors import LeadvibeError
from tests.factories import make_member
from tests.people import PASSWORD


@pytest.fixture
def at_once(app, fresh_database):
    """Return what runs functions side by side, each in a transaction, and names what they raise."""

    def run(*changes):
        barrier = Barrier(len(changes))

        def make(change):
            with app.app_context():
                barrier.wait()
                try:
                    change()
                    commit()
                except LeadvibeError as error:
                    rollback()
                    return type(error)
                return None

        with ThreadPoolExecutor(len(changes)) as threads:
            return set(threads.map(make, changes))

    return run


def principal_of(person):
    found = queries.find_member_principal(
        person.member.org_member_id, session_epoch=person.member.session_epoch, via=Via.BEARER
    )
    assert found is not None
    return found


@pytest.fixture
def second_admin(people, security):
    member = make_member(
        people.organization, role=OrgRole.ADMIN, security=security, password=PASSWORD
    )
    commit()
    return member


@pytest.mark.parametrize("rounds", range(3))
def test_two_admins_who_remove_one_another_leave_one(at_once, people, second_admin, rounds):
    org_id = people.organization.org_id
    ids = [people.admin.member.org_member_id, second_admin.org_member_id]

    raised = at_once(*(lambda it=it: members.delete_member(org_id, it) for it in ids))

    assert raised == {None, LastAdminError}
    assert queries.has_admin(org_id)


def test_one_who_is_removed_and_one_who_steps_down_at_once_leave_one(at_once, people, second_admin):
    org_id = people.organization.org_id

    raised = at_once(
        lambda: members.delete_member(org_id, people.admin.member.org_member_id),
        lambda: members.update_member(org_id, second_admin.org_member_id, role=OrgRole.MEMBER),
    )

    assert raised == {None, LastAdminError}


@pytest.mark.parametrize("rounds", range(3))
def test_two_owners_who_go_at_once_leave_one(at_once, people, rounds):
    second = people.operator.member.org_member_id
    service.set_membership(people.scope, second, role=UnitRole.OWNER, now=utc_now())
    commit()
    owner, admin = people.owner.member.org_member_id, principal_of(people.admin)
    commit()

    raised = at_once(
        lambda: members.remove(admin, owner),
        lambda: members.change_role(admin, second, role=UnitRole.VIEWER, now=utc_now()),
    )

    assert raised == {None, LastOwnerError}
    owners = [it for it in members.list_unit_members(people.scope) if it.role is UnitRole.OWNER]
    assert len(owners) == 1


def test_one_address_given_to_two_at_once_goes_to_one(at_once, people):
    org_id = people.organization.org_id
    ids = [people.viewer.member.org_member_id, people.operator.member.org_member_id]

    raised = at_once(
        *(lambda it=it: members.update_member(org_id, it, email="new@acme.test") for it in ids)
    )

    assert raised == {None, MemberExistsError}


def test_somebody_removed_while_they_are_let_in_is_simply_not_there(at_once, people, security):
    newcomer = make_member(people.organization, security=security).org_member_id
    admin = principal_of(people.admin)
    commit()

    raised = at_once(
        lambda: members.delete_member(people.organization.org_id, newcomer),
        lambda: members.assign(admin, newcomer, role=None, now=utc_now()),
    )

    assert raised <= {None, MemberNotFoundError}
    rows = driver().execute("SELECT FROM memberships WHERE org_member_id = %s", (newcomer,))
    assert rows.fetchall() == []
