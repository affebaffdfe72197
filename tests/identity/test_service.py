"""Organisations, units, members and credentials."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from leadvibe.identity import member_links, queries, service, signing_in
from leadvibe.identity.errors import (
    CredentialNotFoundError,
    CredentialRefusedError,
    MemberExistsError,
    MemberNotFoundError,
    NotInUnitError,
    SetupDoneError,
    SetupTokenError,
    TokenRefusedError,
    UnitNotFoundError,
)
from leadvibe.identity.types import LinkPurpose, OrgRole, Principal, Scope, UnitRole, Via
from leadvibe.lib.db import commit
from leadvibe.lib.errors import InvalidError
from leadvibe.lib.ids import new_id
from tests.factories import make_credential, make_member, make_organization, make_unit
from tests.people import PASSWORD

NOW = datetime(2025, 6, 2, 12, tzinfo=UTC)
NEW_PASSWORD = "a wholly different one"


def _principal(member, via=Via.BEARER, **fields) -> Principal | None:
    return queries.find_member_principal(
        member.org_member_id, session_epoch=member.session_epoch, via=via, **fields
    )


def _set_up(security, token=None, **changes):
    return service.set_up(
        token or security.setup_token,
        **{
            "organization": "Acme",
            "email": "anna@acme.test",
            "first_name": "Anna",
            "last_name": "Berg",
            "password": PASSWORD,
            "security": security,
            "now": NOW,
            **changes,
        },
    )


class TestUnits:
    def test_an_organisation_comes_with_its_default_unit(self, app):
        organization = service.create_organization("  Acme  ", now=NOW)

        unit = queries.get_default_unit(organization.org_id)
        assert organization.name == "Acme"
        assert (unit.name, unit.slug, unit.is_default) == ("Default", "default", True)

    def test_slugs_are_unique_in_an_organisation_but_not_beyond(self, app):
        acme, other = make_organization("Acme"), make_organization("Other")

        slugs = [make_unit(acme, "Sales EMEA").slug for _ in range(3)]

        assert slugs == ["sales-emea", "sales-emea-2", "sales-emea-3"]
        assert make_unit(other, "Sales EMEA").slug == "sales-emea"

    def test_the_slug_follows_a_new_name(self, app):
        acme = make_organization()
        unit, _taken = make_unit(acme, "Sales"), make_unit(acme, "Success")

        renamed = service.rename_unit(unit.scope, name="Success")

        assert (renamed.name, renamed.slug) == ("Success", "success-2")

    def test_a_unit_renamed_to_its_own_name_keeps_its_slug(self, app):
        unit = make_unit(name="Sales")

        assert service.rename_unit(unit.scope, name="Sales").slug == "sales"

    def test_another_organisations_unit_cannot_be_renamed(self, app):
        unit, other = make_unit(), make_organization("Other")

        with pytest.raises(UnitNotFoundError):
            service.rename_unit(Scope(other.org_id, unit.unit_id), name="Mine now")

    def test_a_unit_is_found_by_id_slug_or_name(self, app):
        acme = make_organization()
        unit = make_unit(acme, "Sales EMEA")

        for text in (str(unit.unit_id), "sales-emea", "Sales EMEA"):
            assert queries.find_unit(acme.org_id, text) == unit
        assert queries.find_unit(make_organization("Other").org_id, "sales-emea") is None

    def test_an_organisation_is_made_once_and_then_found(self, app):
        made = service.ensure_organization("Acme", now=NOW)

        assert service.ensure_organization("Acme", now=NOW) == made
        assert service.ensure_organization(str(made.org_id), now=NOW) == made


class TestActiveUnit:
    def test_a_member_of_one_unit_works_there(self, app, security):
        acme = make_organization()
        unit = make_unit(acme, "Sales")
        member = make_member(acme, security=security)
        service.set_membership(unit.scope, member.org_member_id, role=UnitRole.VIEWER, now=NOW)

        principal = _principal(member)

        assert (principal.unit_id, principal.unit_role) == (unit.unit_id, UnitRole.VIEWER)

    def test_the_default_unit_comes_before_others(self, app, security):
        acme = make_organization()
        default, sales = make_unit(acme, is_default=True), make_unit(acme, "Sales")
        member = make_member(acme, security=security)
        for unit, role in ((sales, UnitRole.OWNER), (default, UnitRole.VIEWER)):
            service.set_membership(unit.scope, member.org_member_id, role=role, now=NOW)

        assert _principal(member).unit_id == default.unit_id
        chosen = _principal(member, wanted_unit_id=sales.unit_id)
        assert (chosen.unit_id, chosen.unit_role) == (sales.unit_id, UnitRole.OWNER)

    def test_several_units_without_the_default_one_leave_the_choice_open(self, app, security):
        acme = make_organization()
        member = make_member(acme, security=security)
        for name in ("Sales", "Success"):
            unit = make_unit(acme, name)
            service.set_membership(unit.scope, member.org_member_id, role=UnitRole.OWNER, now=NOW)

        assert _principal(member).unit_id is None

    def test_a_wanted_unit_of_others_is_passed_over(self, app, security, people):
        hidden = make_unit(people.organization, "Hidden")

        for unit in (hidden, people.stranger.unit):
            principal = _principal(people.viewer.member, wanted_unit_id=unit.unit_id)
            assert principal.unit_id == people.unit.unit_id

    def test_an_admin_may_work_in_every_unit_of_the_organisation_alone(self, people):
        hidden = make_unit(people.organization, "Hidden")

        inside = _principal(people.admin.member, wanted_unit_id=hidden.unit_id)
        outside = _principal(people.admin.member, wanted_unit_id=people.stranger.unit.unit_id)

        assert inside.unit_id == hidden.unit_id
        assert outside.unit_id == people.unit.unit_id

    def test_a_member_of_no_unit_is_known_but_has_none(self, app, security):
        acme = make_organization()

        principal = _principal(make_member(acme, security=security))

        assert principal.unit_id is None
        assert queries.get_account(principal).units == ()

    def test_choosing_a_unit_tells_unknown_from_forbidden(self, people):
        hidden = make_unit(people.organization, "Hidden")
        viewer = _principal(people.viewer.member)

        assert service.choose_unit(viewer, people.unit.unit_id).role is UnitRole.VIEWER
        with pytest.raises(NotInUnitError):
            service.choose_unit(viewer, hidden.unit_id)
        for unknown in (people.stranger.unit.unit_id, new_id()):
            with pytest.raises(UnitNotFoundError):
                service.choose_unit(viewer, unknown)

    def test_an_account_lists_the_units_that_one_may_enter(self, people):
        hidden = make_unit(people.organization, "Hidden")

        viewer = queries.get_account(_principal(people.viewer.member))
        admin = queries.get_account(_principal(people.admin.member))

        assert [unit.unit_id for unit in viewer.units] == [people.unit.unit_id]
        assert {unit.unit_id for unit in admin.units} == {people.unit.unit_id, hidden.unit_id}
        assert {unit.role for unit in admin.units} == {UnitRole.OWNER}
        assert viewer.organization == people.organization


class TestMembers:
    def test_an_address_belongs_to_one_member(self, people, security):
        with pytest.raises(MemberExistsError) as refused:
            make_member(people.organization, "VIEWER@acme.test", security=security)

        assert "viewer@acme.test" in refused.value.fields["email"]

    def test_a_membership_is_changed_by_giving_another_role(self, people):
        member = people.viewer.member

        service.set_membership(people.scope, member.org_member_id, role=UnitRole.OPERATOR, now=NOW)

        assert _principal(member).unit_role is UnitRole.OPERATOR

    def test_members_of_other_organisations_cannot_be_let_in(self, people):
        stranger = people.stranger.member

        with pytest.raises(MemberNotFoundError):
            service.set_membership(
                people.scope, stranger.org_member_id, role=UnitRole.VIEWER, now=NOW
            )


class TestCredentials:
    def test_a_credential_speaks_for_its_unit_as_an_operator(self, people):
        made = people.credential

        principal = queries.authenticate_credential(made.credential.client_id, made.client_secret)

        assert principal.scope == people.scope
        assert (principal.unit_role, principal.via) == (UnitRole.OPERATOR, Via.CREDENTIAL)
        assert made.credential.client_id.startswith("lv_ci_")
        assert made.client_secret.startswith("lv_cs_")

    def test_a_wrong_pair_is_refused(self, people):
        made, other = people.credential, make_credential(people.unit)
        client_id, secret = made.credential.client_id, made.client_secret

        wrong_pairs = [
            (client_id, other.client_secret),
            (client_id, secret[:-1]),
            (client_id.upper(), secret),
            ("lv_ci_unknown", secret),
            ("nul\0", secret),
            ("über", secret),
        ]
        for pair in wrong_pairs:
            with pytest.raises(CredentialRefusedError):
                queries.authenticate_credential(*pair)

    def test_a_deleted_credential_is_refused_at_once(self, people):
        made = people.credential

        service.delete_credential(people.scope, made.credential.secret_id)

        with pytest.raises(CredentialRefusedError):
            queries.authenticate_credential(made.credential.client_id, made.client_secret)
        assert queries.list_credentials(people.scope) == []

    def test_another_units_credential_cannot_be_seen_or_deleted(self, people):
        made = people.credential

        assert queries.list_credentials(people.stranger.scope) == []
        with pytest.raises(CredentialNotFoundError):
            service.delete_credential(people.stranger.scope, made.credential.secret_id)

    @pytest.mark.parametrize("name", ["", " ", "x" * 51])
    def test_a_credential_has_a_name_of_1_to_50_characters(self, people, name):
        with pytest.raises(InvalidError) as refused:
            make_credential(people.unit, name)

        assert "name" in refused.value.fields

    def test_the_secret_is_not_stored(self, people):
        listed = queries.list_credentials(people.scope)

        assert [each.secret_id for each in listed] == [people.credential.credential.secret_id]
        assert people.credential.client_secret not in repr(people.credential)


class TestSetup:
    def test_the_first_run_makes_an_organisation_and_its_admin(self, app, security):
        made = _set_up(security)

        assert made.member.role is OrgRole.ADMIN
        principal = _principal(made.member)
        assert (principal.unit_id, principal.unit_role) == (made.unit.unit_id, UnitRole.OWNER)
        signing_in.sign_in("anna@acme.test", PASSWORD, ip=None, security=security, now=NOW)

    def test_the_first_run_needs_the_token_from_the_log(self, app, security):
        for wrong in ("x", security.setup_token[:-1], security.setup_token + "0", "ü"):
            with pytest.raises(SetupTokenError):
                _set_up(security, token=wrong)

        assert not queries.has_members()

    def test_the_first_run_is_over_once_there_is_a_member(self, people, security):
        with pytest.raises(SetupDoneError):
            _set_up(security)

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"organization": " "}, "organization"),
            ({"email": "anna"}, "email"),
            ({"password": "short"}, "password"),
            ({"first_name": "x" * 101}, "first_name"),
        ],
    )
    def test_what_is_wrong_is_said_by_field(self, app, security, changes, field):
        with pytest.raises(InvalidError) as refused:
            _set_up(security, **changes)

        assert set(refused.value.fields) == {field}

    def test_two_first_runs_at_once_make_one_organisation(self, app, security, fresh_database):
        def run(number: int) -> bool:
            with app.app_context():
                try:
                    _set_up(security, organization=f"Acme {number}", email=f"a{number}@acme.test")
                except SetupDoneError:
                    return False
                commit()
                return True

        with ThreadPoolExecutor(4) as threads:
            outcomes = list(threads.map(run, range(4)))

        assert sorted(outcomes) == [False, False, False, True]


def test_housekeeping_forgets_what_expired_and_keeps_the_rest(people, security):
    member = people.viewer.member
    old = member_links.create_reset_link(member, now=NOW - timedelta(hours=2))
    fresh = member_links.create_reset_link(member, now=NOW)
    stale = signing_in.issue_tokens(member, security=security, now=NOW - timedelta(days=31))
    good = signing_in.issue_tokens(member, security=security, now=NOW)

    service.forget_expired(now=NOW)

    before = NOW - timedelta(hours=2)
    assert queries.find_link_member(old.token, LinkPurpose.RESET, now=before) is None
    assert queries.find_link_member(fresh.token, LinkPurpose.RESET, now=NOW) is not None
    with pytest.raises(TokenRefusedError):
        signing_in.rotate_refresh(stale.refresh_token, security=security, now=before)
    signing_in.rotate_refresh(good.refresh_token, security=security, now=NOW)
