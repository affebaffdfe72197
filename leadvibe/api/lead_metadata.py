"""What is known about a lead: its properties, its account and its owner, read and changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import Field, RootModel
from pydantic_core import to_json

from leadvibe.api.fields import LEFT_OUT, Changes
from leadvibe.api.leads import LeadAccount, LeadDetail, account_of, get_lead_detail
from leadvibe.identity.errors import MemberNotFoundError
from leadvibe.identity.queries import get_member_of
from leadvibe.identity.types import Member, Principal, Scope
from leadvibe.leads.fields import require_kinds
from leadvibe.leads.ownership import assign_owner
from leadvibe.leads.queries import get_lead
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.pipeline import editing
from leadvibe.pipeline.intake import ShortText, check_metadata


class MetadataChange(RootModel[dict[str, Any]]):
    """Keys to set; null removes one, and those left out stay."""


class LeadChange(Changes):
    """What of a lead is replaced; fields that are left out stay as they are."""

    metadata: dict[str, Any] = Field(
        LEFT_OUT, description="Takes the place of all metadata, up to 100 KB of JSON."
    )
    account_id: ShortText | None = Field(
        None, description="The account it belongs to; null leaves that to its events and addresses."
    )
    owner_id: UUID | None = Field(None, description="The member who looks after it; null: nobody.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadMetadata:
    id: str
    org_id: UUID
    unit_id: UUID
    metadata: Mapping[str, Any]


def patch_metadata(principal: Principal, lead_id: str, body: MetadataChange) -> LeadMetadata:
    """Merge keys into a lead's metadata; null removes a key. Its profile is scored anew.

    What is recorded as a number, a time or a consent must be one.
    """
    check_metadata(to_json(body.root))
    require_kinds(body.root)
    lead = editing.patch_lead(principal.scope, lead_id, body.root, now=utc_now())
    check_metadata(to_json(lead.metadata))  # what is too large altogether is rolled back
    return LeadMetadata(
        id=lead.lead_id, org_id=lead.org_id, unit_id=lead.unit_id, metadata=lead.metadata
    )


def update_lead(principal: Principal, lead_id: str, body: LeadChange) -> LeadDetail:
    """Replace a lead's metadata, and say which account it belongs to and who owns it."""
    scope, now, given = principal.scope, utc_now(), body.given()
    lead = get_lead(scope, lead_id)
    lead_id = lead.lead_id
    if "metadata" in given:
        check_metadata(to_json(body.metadata))
        require_kinds(editing.what_differs(body.metadata, lead.metadata))
        editing.replace_lead(scope, lead_id, body.metadata, now=now)
    if "account_id" in given:
        editing.move_lead(scope, lead_id, body.account_id, now=now)
    if "owner_id" in given:
        assign_owner(scope, lead_id, _owner(scope, body.owner_id), now=now)
    return get_lead_detail(principal, lead_id)


def get_profile(principal: Principal, lead_id: str) -> Mapping[str, Any]:
    """The lead's profile properties: those that were set, imported or brought by its events."""
    return get_lead(principal.scope, lead_id).metadata


def get_account(principal: Principal, lead_id: str) -> LeadAccount | None:
    """The account the lead belongs to, null when it belongs to none."""
    scope = principal.scope
    return account_of(scope, get_lead(scope, lead_id))


def _owner(scope: Scope, member_id: UUID | None) -> Member | None:
    if member_id is None:
        return None
    try:
        return get_member_of(scope.org_id, member_id)
    except MemberNotFoundError:
        problem = "is no member of the organisation"
        raise InvalidError(f"owner_id {problem}.", fields={"owner_id": problem}) from None
