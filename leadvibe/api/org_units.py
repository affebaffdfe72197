"""Organisation units: which there are, and which one a caller works in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Response, after_this_request
from pydantic import BaseModel, Field

from leadvibe.api.answers import Csv
from leadvibe.api.events import write_events
from leadvibe.api.fields import Text, UnitId
from leadvibe.events.types import EventFilter
from leadvibe.http.active_unit import leave_unit, remember_unit
from leadvibe.identity import archiving, queries, service
from leadvibe.identity.errors import UnitNotFoundError
from leadvibe.identity.types import ArchivedUnit, Organization, Principal, Scope, Unit, UnitRole
from leadvibe.leadlist.export import write_all_leads
from leadvibe.lib.clock import utc_now
from leadvibe.lib.ids import parse_id
from leadvibe.pipeline import setup


class UnitName(BaseModel):
    """The name of a unit; its slug follows from it."""

    name: Text = Field(description="1 to 100 characters.")


class ActiveUnit(BaseModel):
    """The unit to work in."""

    ouId: Text = Field(description="The unit_id of a unit that you belong to.")  # noqa: N815


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitItem:
    """A unit; `role` is the caller's there."""

    unit_id: UUID
    org_id: UUID
    name: str
    slug: str
    external_ref: str | None
    is_default: bool
    role: UnitRole | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedUnitItem:
    unit_id: UUID
    org_id: UUID
    name: str
    slug: str
    archived_at: datetime
    archived_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationItem:
    org_id: UUID
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsAndOrganization:
    units: list[UnitItem]
    organization: OrganizationItem


def list_units(principal: Principal) -> UnitsAndOrganization:
    """The units that you may enter, with the organisation."""
    account = queries.get_account(principal)
    return UnitsAndOrganization(
        units=[_item(unit) for unit in account.units],
        organization=_organization(account.organization),
    )


def create_unit(principal: Principal, body: UnitName) -> UnitItem:
    """Make a unit, ready to score with default levels and a ruleset."""
    made = setup.create_unit(principal.org_id, name=body.name, by=principal.label, now=utc_now())
    return _item(made)


def rename_unit(principal: Principal, unit_id: UnitId, body: UnitName) -> UnitItem:
    """Give a unit another name; its slug follows."""
    return _item(service.rename_unit(Scope(principal.org_id, unit_id), name=body.name))


def list_archived_units(principal: Principal) -> list[ArchivedUnitItem]:
    """The archived units of the organisation, the last first."""
    return [_archived(it) for it in queries.list_archived_units(principal.org_id)]


def archive_unit(principal: Principal, unit_id: UnitId) -> None:
    """Put a unit away: it takes no events and scores nothing, and its data stays."""
    scope = Scope(principal.org_id, unit_id)
    archiving.archive_unit(principal, scope, now=utc_now())
    leave_unit(unit_id)


def restore_unit(principal: Principal, unit_id: UnitId) -> UnitItem:
    """Let an archived unit be worked in again, as it was."""
    return _item(archiving.restore_unit(Scope(principal.org_id, unit_id)))


def export_leads(principal: Principal, unit_id: UnitId) -> Csv:
    """All leads of a unit, archived or not, as a CSV file."""
    scope = queries.get_unit(Scope(principal.org_id, unit_id)).scope
    return Csv("leads.csv", lambda: write_all_leads(scope))


def export_events(principal: Principal, unit_id: UnitId) -> Csv:
    """All events of a unit, archived or not, as a CSV file."""
    scope = queries.get_unit(Scope(principal.org_id, unit_id)).scope
    return Csv("events.csv", lambda: write_events(scope, EventFilter()))


def set_active_unit(principal: Principal, body: ActiveUnit) -> UnitItem:
    """Work in another unit: sets the activeOu cookie, and headers that say which unit it is."""
    unit_id = parse_id(body.ouId)
    if unit_id is None:
        raise UnitNotFoundError(f"There is no organisation unit '{body.ouId}'.")
    unit = service.choose_unit(principal, unit_id)

    @after_this_request
    def remember(response: Response) -> Response:
        remember_unit(response, unit)
        return response

    return _item(unit)


def _item(unit: Unit) -> UnitItem:
    return UnitItem(
        unit_id=unit.unit_id,
        org_id=unit.org_id,
        name=unit.name,
        slug=unit.slug,
        external_ref=unit.external_ref,
        is_default=unit.is_default,
        role=unit.role,
    )


def _archived(archived: ArchivedUnit) -> ArchivedUnitItem:
    unit = archived.unit
    return ArchivedUnitItem(
        unit_id=unit.unit_id,
        org_id=unit.org_id,
        name=unit.name,
        slug=unit.slug,
        archived_at=archived.archived_at,
        archived_by=archived.archived_by,
    )


def _organization(organization: Organization) -> OrganizationItem:
    return OrganizationItem(
        org_id=organization.org_id, name=organization.name, created_at=organization.created_at
    )
