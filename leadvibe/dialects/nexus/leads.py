"""Leads, listed, read, made, changed, claimed and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from leadvibe.dialects.nexus.params import (
    NO_PHONE,
    UNASSIGNED,
    Claim,
    LeadChange,
    LeadFields,
    LeadQuery,
    NewLead,
)
from leadvibe.dialects.nexus.serialize import LeadItem, LeadPage, lead_item, lead_page, written
from leadvibe.http.workers import job_queue
from leadvibe.identity.errors import MemberNotFoundError
from leadvibe.identity.queries import get_member_of
from leadvibe.identity.types import Member, Principal, Scope
from leadvibe.leadlist.record_types import HeldBy, Order, Record, RecordQuery
from leadvibe.leadlist.records import find_record, list_records
from leadvibe.leadlist.types import Comparison
from leadvibe.leads import ownership
from leadvibe.leads.aliases import as_searched, is_phone_number, make_alias
from leadvibe.leads.errors import LeadNotFoundError
from leadvibe.leads.queries import list_aliases
from leadvibe.leads.service import lock_identities
from leadvibe.leads.statuses import Status
from leadvibe.leads.types import AliasKind
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import InvalidError
from leadvibe.lib.ids import parse_id
from leadvibe.lib.paging import Page, PageRequest, Total
from leadvibe.pipeline import editing, recording
from leadvibe.pipeline.deletion import request_deletion

SOURCE = "nexus"

_CALLS_FIRST = (Order("next_call_at"), Order("created_at", is_descending=True))
_PROPERTIES: Mapping[str, str] = {
    "name": "name",
    "company": "company",
    "source": "source",
    "notes": "notes",
    "nextCallAt": "next_call_at",
    "contactId": "contact_id",
    "clientId": "client_id",
}


def list_leads(principal: Principal, query: LeadQuery) -> LeadPage:
    """Who is to be called first, then the newest of those whom nobody is to call."""
    now, request = utc_now(), PageRequest(query.page, query.pageSize)
    wanted = _record_query(query, now=now)
    if wanted is None:
        return lead_page(Page([], Total(0), request), now=now)
    return lead_page(list_records(principal.scope, wanted, request), now=now)


def get_lead(principal: Principal, lead_id: str) -> LeadItem:
    now = utc_now()
    return lead_item(_get_record(principal.scope, lead_id), now=now)


def create_lead(principal: Principal, body: NewLead) -> tuple[LeadItem, int]:
    """Make a lead; one that has one of the addresses already is changed instead."""
    scope, now, given = principal.scope, utc_now(), body.given()
    owner = _member(scope, "assignedToId", body.assignedToId) if body.assignedToId else None
    recorded = recording.record_lead(
        scope,
        aliases=[
            *(make_alias(AliasKind.EMAIL, email) for email in body.all_emails()),
            *(make_alias(AliasKind.PHONE, phone) for phone in body.all_phones()),
        ],
        properties={k: v for k, v in _properties(given).items() if v is not None},
        source=SOURCE,
        status=_status(body),
        by=principal.label,
        now=now,
    )
    if owner is not None:
        ownership.assign_owner(scope, recorded.lead_id, owner, now=now)
    made = _get_record(scope, recorded.lead_id)
    return lead_item(made, now=now), 201 if recorded.is_new else 200


def update_lead(principal: Principal, lead_id: str, body: LeadChange) -> LeadItem:
    scope, now, given = principal.scope, utc_now(), body.given()
    lock_identities(scope)
    record = _get_record(scope, lead_id)
    if "status" in given and body.status is None:
        raise InvalidError("status must not be null.")
    _readdress(scope, record, body, now=now)
    if "assignedToId" in given:
        wanted = body.assignedToId
        owner = None if wanted is None else _member(scope, "assignedToId", wanted)
        ownership.assign_owner(scope, lead_id, owner, now=now)
    recording.update_lead(
        scope,
        lead_id,
        properties=_properties(given),
        status=_status(body),
        by=principal.label,
        via=SOURCE,
        now=now,
    )
    return lead_item(_get_record(scope, lead_id), now=now)


def claim_lead(principal: Principal, lead_id: str, body: Claim) -> LeadItem:
    """Give a lead that nobody has to a member for 24 hours."""
    scope, now = principal.scope, utc_now()
    _get_record(scope, lead_id)
    member = _member(scope, "memberId", body.memberId)
    ownership.claim_lead(scope, lead_id, member, now=now)
    return lead_item(_get_record(scope, lead_id), now=now)


def delete_lead(principal: Principal, lead_id: str) -> None:
    """Delete a lead and all its data for good.

    It is out of sight at once, and the rest follows. What comes in later of the same person makes a
    new lead.
    """
    scope = principal.scope
    lock_identities(scope)  # So that it is not merged into another meanwhile.
    _get_record(scope, lead_id)
    request_deletion(principal, scope, lead_id, queue=job_queue(), now=utc_now())


def _record_query(query: LeadQuery, *, now: datetime) -> RecordQuery | None:
    """Return what is asked for; None when it can be nobody."""
    held_by = None
    if query.assignedToId == UNASSIGNED:
        held_by = HeldBy(None, now)
    elif query.assignedToId:
        member_id = parse_id(query.assignedToId)
        if member_id is None:
            return None
        held_by = HeldBy(member_id, now)
    statuses = [Comparison("status", "eq", Status[query.status])] if query.status else []
    return RecordQuery(
        conditions=tuple(statuses),
        held_by=held_by,
        search=as_searched(query.search),
        searches_more=True,
        orders=_CALLS_FIRST,
    )


def _get_record(scope: Scope, lead_id: str) -> Record:
    record = None if "\x00" in lead_id else find_record(scope, lead_id)
    if record is None:
        raise LeadNotFoundError("There is no such lead.")
    return record


def _member(scope: Scope, field: str, text: str) -> Member:
    member_id = parse_id(text)
    try:
        if member_id is not None:
            return get_member_of(scope.org_id, member_id)
    except MemberNotFoundError:
        pass
    raise InvalidError(f"{field} is no member of the organisation.")


def _properties(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: written(value) if isinstance(value := given[key], datetime) else value or None
        for key, name in _PROPERTIES.items()
        if key in given
    }


def _status(body: LeadFields) -> Status | None:
    return Status[body.status] if body.status else None


def _readdress(scope: Scope, record: Record, body: LeadChange, *, now: datetime) -> None:
    """Let a lead have the addresses that are given. Raises AliasTakenError."""
    phones, emails = record.phones, record.emails
    wanted_phones = body.phones if "phones" in body.model_fields_set else list(phones)
    wanted_emails = body.emails if "emails" in body.model_fields_set else list(emails)
    if any(it not in phones and not is_phone_number(it) for it in wanted_phones):
        raise InvalidError(f"phones {NO_PHONE}.")  # But what a client has read it may write.
    if (phones or emails) and not (wanted_phones or wanted_emails):
        raise InvalidError("A lead needs a phone or an email: leave it one.")
    _put_addresses(scope, record, AliasKind.PHONE, phones, wanted_phones, now=now)
    _put_addresses(scope, record, AliasKind.EMAIL, emails, wanted_emails, now=now)


def _put_addresses(
    scope: Scope,
    record: Record,
    kind: AliasKind,
    current: tuple[str, ...],
    wanted: list[str],
    *,
    now: datetime,
) -> None:
    """Let a lead have these addresses of a kind in this order. Raises AliasTakenError."""
    kept = 0
    while kept < min(len(current), len(wanted)) and current[kept] == wanted[kept]:
        kept += 1
    # Order is that of adding: what comes behind the first difference is taken off and added anew.
    for alias in list_aliases(scope, record.lead_id):
        if alias.kind == kind and alias.value in current[kept:]:
            editing.remove_alias(scope, record.lead_id, alias.alias_id, now=now)
    for address in wanted[kept:]:
        editing.add_alias(scope, record.lead_id, make_alias(kind, address), now=now)
