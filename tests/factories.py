"""Things in the database: pass only what the test is about. Nothing here commits."""

from __future__ import annotations

from itertools import count

from leadvibe.identity import queries, service
from leadvibe.identity.security import Security
from leadvibe.identity.types import Member, NewCredential, Organization, OrgRole, Unit
from leadvibe.lib.clock import utc_now

_numbers = count(1)


# Identity


def make_organization(name: str = "Acme") -> Organization:
    return service.create_organization(name, now=utc_now())


def make_unit(
    organization: Organization | None = None, name: str = "Sales", *, is_default: bool = False
) -> Unit:
    """Make a unit, or return the default one that came with the organisation."""
    owner = organization or make_organization()
    if is_default:
        return queries.get_default_unit(owner.org_id)
    return service.create_unit(owner.org_id, name=name, now=utc_now())


def make_member(
    organization: Organization,
    email: str | None = None,
    *,
    security: Security,
    role: OrgRole = OrgRole.MEMBER,
    password: str | None = None,
) -> Member:
    address = email or f"member{next(_numbers)}@acme.test"
    return service.create_member(
        organization.org_id,
        email=address,
        first_name=address.partition("@")[0].title(),
        role=role,
        password=password,
        security=security,
        now=utc_now(),
    )


def make_credential(unit: Unit, name: str = "Website") -> NewCredential:
    return service.create_credential(unit.scope, name=name, created_by=None, now=utc_now())
