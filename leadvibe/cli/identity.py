"""`leadvibe user` and `leadvibe credential`: who may come in, without a browser."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from leadvibe.cli.acting import (
    ACTOR,
    named_organization,
    named_unit,
    org_option,
    ou_option,
    record,
)
from leadvibe.cli.application import opened_app
from leadvibe.cli.wiring import home_option
from leadvibe.http.member_links import link_url, mailer, send_link
from leadvibe.http.principal import security
from leadvibe.identity import api_keys, member_links, queries, service
from leadvibe.identity.api_keys import SCOPES, USUAL_SCOPES, KeyKind
from leadvibe.identity.errors import MemberNotFoundError
from leadvibe.identity.types import (
    STARTING_ROLES,
    MemberLink,
    Organization,
    OrgRole,
    Unit,
    UnitRole,
)
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.notifications.errors import TransportError
from leadvibe.pipeline import setup

ROLES = click.Choice(list(STARTING_ROLES), case_sensitive=False)
OUR_API = "leadvibe"
ROLES_EXPLAINED = "admin: of the organisation; the others: in the unit."


@click.group()
def user() -> None:
    """Members of organisations."""


@user.command("create")
@click.option("--email", required=True, help="Address to sign in with.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--name", default="", help="Full name.")
@click.option("--role", type=ROLES, default="admin", show_default=True, help=ROLES_EXPLAINED)
@org_option
@ou_option
@home_option
def create_user(  # noqa: PLR0917 - click passes options by name
    email: str,
    password_stdin: bool,  # noqa: FBT001 - a click flag
    name: str,
    role: str,
    org: str,
    ou: str | None,
    home: Path | None,
) -> None:
    """Add a member; makes the organisation with its default unit when there is none."""
    password = _read_password(password_stdin=password_stdin)
    first_name, _, last_name = name.strip().rpartition(" ")
    with opened_app(home):
        now = utc_now()
        organization = setup.ensure_organization(org, by=email, now=now)
        unit = named_unit(organization, ou)
        org_role, unit_role = _starting_roles(role, organization)
        member = service.create_member(
            organization.org_id,
            email=email,
            first_name=first_name or last_name,
            last_name=last_name if first_name else "",
            role=org_role,
            password=password,
            security=security(),
            now=now,
        )
        service.set_membership(unit.scope, member.org_member_id, role=unit_role, now=now)
        record("user create", organization.org_id, unit.unit_id)
        commit()
    _print(
        org_member_id=member.org_member_id,
        email=member.email,
        role=member.role,
        org_id=organization.org_id,
        org_name=organization.name,
        unit_id=unit.unit_id,
        unit_role=unit_role,
    )


@user.command("invite")
@click.option("--email", required=True, help="Address to invite, and to sign in with.")
@click.option("--role", type=ROLES, required=True, help=ROLES_EXPLAINED)
@org_option
@ou_option
@home_option
def invite_user(email: str, role: str, org: str, ou: str | None, home: Path | None) -> None:
    """Add a member who chooses a password under a link: mailed if possible, printed always."""
    with opened_app(home):
        organization = named_organization(org)
        unit = named_unit(organization, ou)
        org_role, unit_role = _starting_roles(role, organization)
        member = service.invite_member(
            unit.scope,
            email=email,
            org_role=org_role,
            unit_role=unit_role,
            security=security(),
            now=utc_now(),
        )
        link = member_links.invite(member, now=utc_now())
        record("user invite", organization.org_id, unit.unit_id)
        commit()
        url, is_mailed = link_url(link), _mail(link)
    _print(
        org_member_id=member.org_member_id,
        email=member.email,
        role=member.role,
        org_id=organization.org_id,
        org_name=organization.name,
        unit_id=unit.unit_id,
        unit_role=unit_role,
        url=url,
        expires_at=link.expires_at,
        mailed=is_mailed,
    )


@user.command("reset-link")
@click.option("--email", required=True, help="Address of the member.")
@home_option
def create_reset_link(email: str, home: Path | None) -> None:
    """Print a link to choose a new password: for the admin that nobody else can help."""
    with opened_app(home):
        member = queries.find_member_by_email(email)
        if member is None:
            raise MemberNotFoundError(f"There is no member with the address {email}")
        link = member_links.create_reset_link(member, now=utc_now())
        url = link_url(link)
        record("user reset-link", member.org_id, None)
        commit()
    _print(email=member.email, url=url, expires_at=link.expires_at)


@click.group()
def credential() -> None:
    """API credentials of organisation units."""


@credential.command("create")
@click.option("--name", required=True, help="What uses it, such as a website.")
@click.option(
    "--kind",
    type=click.Choice([OUR_API, *(it.value for it in KeyKind)]),
    default=OUR_API,
    show_default=True,
    help="Whose API it opens: ours, or that of another lead product.",
)
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(list(SCOPES)),
    multiple=True,
    help="What a key of kind nexus may do; may be repeated."
    f" Default: {' and '.join(USUAL_SCOPES)}.",
)
@org_option
@ou_option
@home_option
def create_credential(  # noqa: PLR0917 - click passes options by name
    name: str, kind: str, scopes: tuple[str, ...], org: str, ou: str | None, home: Path | None
) -> None:
    """Make a client id and its secret, or a key, which are printed here and never again."""
    if scopes and kind != KeyKind.NEXUS:
        raise click.UsageError("--scope is for --kind nexus: the others have no scopes.")
    with opened_app(home):
        organization = named_organization(org)
        unit = named_unit(organization, ou)
        if kind == OUR_API:
            made = _make_credential(unit, name)
        else:
            made = _make_key(unit, KeyKind(kind), name, scopes or USUAL_SCOPES)
        record("credential create", organization.org_id, unit.unit_id)
        commit()
    _print(**made)


def _make_credential(unit: Unit, name: str) -> dict[str, object]:
    made = service.create_credential(unit.scope, name=name, created_by=ACTOR, now=utc_now())
    return {
        "secret_id": made.credential.secret_id,
        "client_id": made.credential.client_id,
        "client_secret": made.client_secret,
        "name": made.credential.name,
        "unit_id": unit.unit_id,
        "created_at": made.credential.created_at,
    }


def _make_key(unit: Unit, kind: KeyKind, name: str, scopes: Sequence[str]) -> dict[str, object]:
    made = api_keys.create_api_key(
        unit.scope, kind, name=name, scopes=scopes, created_by=ACTOR, now=utc_now()
    )
    return {
        "key_id": made.key.key_id,
        "kind": made.key.kind,
        "key": made.text,
        "scopes": made.key.scopes,
        "name": made.key.name,
        "unit_id": unit.unit_id,
        "created_at": made.key.created_at,
    }


def _mail(link: MemberLink) -> bool:
    """Mail the link if there is a mail server; say so when it does not leave."""
    if not mailer().can_send:
        return False
    try:
        send_link(link)
    except TransportError as error:
        click.echo(f"The mail was not sent: {error.reason}. Hand the link over", err=True)
        return False
    return True


def _starting_roles(role: str, organization: Organization) -> tuple[OrgRole, UnitRole]:
    org_role, unit_role = STARTING_ROLES[role]
    if role == "owner" and not queries.has_admin(organization.org_id):
        org_role = OrgRole.ADMIN  # or nobody could ever add members and units
    return org_role, unit_role


def _read_password(*, password_stdin: bool) -> str:
    if password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody is there to type a password: pipe it to --password-stdin.")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _print(**fields: object) -> None:
    click.echo(json.dumps(fields, default=_spelled))


def _spelled(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
