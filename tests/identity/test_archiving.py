"""Units that are put away: nobody works in them, their events wait, and their data stays."""

from __future__ import annotations

import pytest

from leadvibe.events.queries import units_waiting
from leadvibe.identity import queries
from leadvibe.identity.archiving import archive_unit, restore_unit
from leadvibe.identity.errors import LastUnitError, UnitArchivedError, UnitNotFoundError
from leadvibe.identity.service import choose_unit
from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.lib.ids import new_id
from leadvibe.pipeline import intake
from leadvibe.pipeline.setup import create_unit


@pytest.fixture
def other(world):
    made = create_unit(world.scope.org_id, name="EMEA", by="test", now=utc_now())
    commit()
    return made


@pytest.fixture
def archive(world):
    def put_away(scope):
        unit = archive_unit(world.principal, scope, now=utc_now())
        commit()
        return unit

    return put_away


def units_of(people):
    member = people.admin.member
    account = queries.find_account(member.org_member_id, session_epoch=member.session_epoch)
    return [it.name for it in account.units]


def test_it_leaves_the_units_that_can_be_entered_and_comes_back(people, other, archive):
    assert units_of(people) == ["Default", "EMEA"]

    archive(other.scope)
    assert units_of(people) == ["Default"]
    [archived] = queries.list_archived_units(other.org_id)
    assert (archived.unit.name, archived.archived_by) == ("EMEA", "setup")

    restore_unit(other.scope)
    assert units_of(people) == ["Default", "EMEA"]
    assert queries.list_archived_units(other.org_id) == []


def test_who_wants_to_work_in_it_is_told_why_not(people, other, archive):
    archive(other.scope)
    member = people.admin.member
    principal = queries.find_member_principal(
        member.org_member_id, session_epoch=member.session_epoch, via="session"
    )

    with pytest.raises(UnitArchivedError, match="EMEA"):
        choose_unit(principal, other.unit_id)


def test_the_last_one_stays(people, archive):
    with pytest.raises(LastUnitError):
        archive(people.scope)


def test_the_default_hands_that_over(people, other, archive):
    archive(people.scope)

    assert queries.get_default_unit(people.scope.org_id).unit_id == other.unit_id
    with pytest.raises(LastUnitError):
        archive(other.scope)
    restore_unit(people.scope)
    assert queries.get_default_unit(people.scope.org_id).unit_id == other.unit_id


def test_archived_twice_it_stays_as_it_was(other, archive):
    archive(other.scope)
    before = queries.list_archived_units(other.org_id)

    archive(other.scope)

    assert queries.list_archived_units(other.org_id) == before


def test_nobody_elses_is_found(world, archive):
    with pytest.raises(UnitNotFoundError):
        archive(Scope(world.scope.org_id, new_id()))
    with pytest.raises(UnitNotFoundError):
        restore_unit(Scope(new_id(), world.scope.unit_id))


@pytest.mark.usefixtures("other")
def test_its_work_rests_until_it_is_restored(world, archive):
    incoming = intake.IncomingEvent(event_type="page_view", lead_id="ada", timestamp=utc_now())
    intake.accept(world.scope, [incoming], source="api", now=utc_now())
    commit()
    waiting = units_waiting()
    assert waiting == [world.scope.unit_id]
    archive(world.scope)

    assert units_waiting() == []
    assert queries.find_scope(world.scope.unit_id) is None
    assert queries.find_scope_of_any(world.scope.unit_id) == world.scope
    restore_unit(world.scope)
    assert units_waiting() == waiting
    assert queries.find_scope(world.scope.unit_id) == world.scope
