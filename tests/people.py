"""The fixed cast: one person for each role, and a stranger who must see nothing."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from leadvibe.identity import service, signing_in
from leadvibe.identity.security import Security
from leadvibe.identity.types import (
    Member,
    NewCredential,
    Organization,
    OrgRole,
    Scope,
    Unit,
    UnitRole,
)
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from tests.factories import make_credential, make_member, make_organization, make_unit

PASSWORD = "correct horse battery"
NAMES = ("admin", "owner", "operator", "viewer", "stranger")


@dataclass(frozen=True, slots=True)
class Person:
    """A member who can sign in with PASSWORD."""

    member: Member
    unit: Unit
    """Where they work."""
    security: Security

    @property
    def email(self) -> str:
        return self.member.email

    @property
    def scope(self) -> Scope:
        return self.unit.scope

    @property
    def bearer(self) -> dict[str, str]:
        """Headers of a request with an access token of theirs."""
        tokens = signing_in.issue_tokens(self.member, security=self.security, now=utc_now())
        commit()
        return {"Authorization": f"Bearer {tokens.access_token}"}


@dataclass(frozen=True, slots=True)
class People:
    """Everyone in Acme's default unit, and a stranger who is the admin of another organisation."""

    organization: Organization
    unit: Unit
    admin: Person
    owner: Person
    operator: Person
    viewer: Person
    stranger: Person
    credential: NewCredential

    def __getitem__(self, name: str) -> Person:
        person = getattr(self, name)
        assert isinstance(person, Person)
        return person

    @property
    def scope(self) -> Scope:
        return self.unit.scope


def basic(credential: NewCredential) -> dict[str, str]:
    """Headers of a request with API credentials."""
    pair = f"{credential.credential.client_id}:{credential.client_secret}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def make_people(security: Security) -> People:
    acme, other = make_organization("Acme"), make_organization("Elsewhere")
    unit, other_unit = make_unit(acme, is_default=True), make_unit(other, is_default=True)

    def admin_of(organization: Organization, email: str, at: Unit) -> Person:
        member = make_member(
            organization, email, role=OrgRole.ADMIN, security=security, password=PASSWORD
        )
        return Person(member, at, security)

    def person(name: str, role: UnitRole) -> Person:
        member = make_member(acme, f"{name}@acme.test", security=security, password=PASSWORD)
        service.set_membership(unit.scope, member.org_member_id, role=role, now=utc_now())
        return Person(member, unit, security)

    people = People(
        organization=acme,
        unit=unit,
        admin=admin_of(acme, "admin@acme.test", unit),
        owner=person("owner", UnitRole.OWNER),
        operator=person("operator", UnitRole.OPERATOR),
        viewer=person("viewer", UnitRole.VIEWER),
        stranger=admin_of(other, "stranger@elsewhere.test", other_unit),
        credential=make_credential(unit),
    )
    commit()
    return people
