"""Leads: listed, read, made and changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from flask import Response, request

from leadvibe.dialects.octanist.bodies import ATTRIBUTION, Contact, LeadChange, refusal
from leadvibe.dialects.octanist.envelope import answer_success
from leadvibe.dialects.octanist.params import read_list_query
from leadvibe.dialects.octanist.serialize import write_lead
from leadvibe.identity.types import Principal, Scope
from leadvibe.leadlist.record_types import Record
from leadvibe.leadlist.records import find_by_address, find_record, list_records
from leadvibe.leads import queries as lead_queries
from leadvibe.leads.aliases import is_email_address, make_alias
from leadvibe.leads.errors import BadAliasError
from leadvibe.leads.fields import CONSENTS
from leadvibe.leads.statuses import Outcome
from leadvibe.leads.types import Alias, AliasKey, AliasKind
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import ConflictError, NotFoundError
from leadvibe.lib.paging import Page
from leadvibe.pipeline import recording

VIA = "octanist"
_ADDRESSES = (("email", AliasKind.EMAIL), ("phone", AliasKind.PHONE))
_SAYS_WHO = ("name", "email", "phone", "custom")
_CHANGES = ("status", "changedTo", "value", "note", "lossReason")
_PROPERTIES = {"note": "notes", "sessionId": "session_id"}


def list_leads(principal: Principal) -> Response:
    """Leads by what they are, the newest first unless another order is asked for."""
    wanted = read_list_query(request.args.to_dict(flat=False))
    found = list_records(principal.scope, wanted.query, wanted.page)
    leads = [write_lead(it, chosen=wanted.chosen) for it in found.items]
    return answer_success(leads, page=Page(leads, found.total, found.request))


def show_lead(principal: Principal, *, lead_id: str) -> Response:
    """One lead in full."""
    return answer_success(write_lead(_get_record(principal.scope, lead_id)))


def add_lead(principal: Principal, *, body: Contact) -> Response:
    """Make a lead. Somebody who is known by an address is not made again: the lead gains by it."""
    lead_id = record_contact(principal, body, source=VIA)
    return answer_success({"id": lead_id, "message": "Lead added"})


def change_lead(principal: Principal, *, body: LeadChange) -> Response:
    """Say what has become of a lead."""
    if not body.model_fields_set & set(_CHANGES):
        raise refusal({"status": f"is missing: give at least one of {', '.join(_CHANGES)}"})
    record = _named_by(principal.scope, body)
    status = body.status or body.changedTo
    recording.update_lead(
        principal.scope,
        record.lead_id,
        properties=_changes(body, Outcome(status) if status else record.outcome),
        status=Outcome(status) if status else None,
        by=principal.label,
        via=VIA,
        now=utc_now(),
    )
    return answer_success(
        {"leadId": record.lead_id, "leadsUpdated": 1, "message": "Lead updated successfully"}
    )


def record_contact(
    principal: Principal, body: Contact, *, source: str, withheld: frozenset[str] = frozenset()
) -> str:
    """Record a lead and return its id. What is `withheld` is only told of who is new.

    Raises InvalidError when it is about nobody.
    """
    given: Mapping[str, Any] = body.model_dump(exclude_none=True)
    if not any(given.get(name) for name in _SAYS_WHO):
        problem = f"is missing: give at least one of {', '.join(_SAYS_WHO)}"
        raise refusal(dict.fromkeys(_SAYS_WHO, problem))
    aliases = [
        make_address(field, kind, given[field]) for field, kind in _ADDRESSES if field in given
    ]
    given = {name: value for name, value in given.items() if name not in {"email", "phone"}}
    owners = lead_queries.owners_of_aliases(
        principal.scope, [AliasKey(it.kind, it.value) for it in aliases]
    )
    if owners:
        given = {name: value for name, value in given.items() if name not in withheld}
    if "sessionId" in given:
        visitor = make_address("sessionId", AliasKind.COOKIE, given["sessionId"])
        aliases.append(visitor)
        given = _without_attribution(principal.scope, visitor, given)
    recorded = recording.record_lead(
        principal.scope,
        aliases=aliases,
        properties={_PROPERTIES.get(name, name): value for name, value in given.items()},
        source=source,
        by=principal.label,
        now=utc_now(),
    )
    return recorded.lead_id


def make_address(field: str, kind: AliasKind, text: str) -> Alias:
    """Return an address in its normal form. Raises InvalidError that names the field."""
    try:
        alias = make_alias(kind, text)
    except BadAliasError:
        raise refusal({field: "is nothing that can be used: correct it or leave it out"}) from None
    # Everybody who left "none" for an address would be one person.
    if kind is AliasKind.EMAIL and not is_email_address(alias.value):
        raise refusal({field: "is no e-mail address: correct it or leave it out"})
    return alias


def _without_attribution(
    scope: Scope, visitor: Alias, given: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Leave out where the lead came from if its session, which knows better, is known."""
    if not lead_queries.owners_of_aliases(scope, [AliasKey(visitor.kind, visitor.value)]):
        return given
    return {name: it for name, it in given.items() if name not in ATTRIBUTION | set(CONSENTS)}


def _named_by(scope: Scope, body: LeadChange) -> Record:
    """Return the lead that a body names: by its id, else by an address."""
    if body.id is not None:
        return _get_record(scope, body.id)
    for field, kind in _ADDRESSES:
        text = getattr(body, field)
        if text is None:
            continue
        found = find_by_address(scope, kind=kind, value=_value_of(field, kind, text), limit=2)
        if len(found) > 1:
            raise ConflictError(f"Several leads have this {field}: name one by its id.")
        if not found:
            _refuse_unknown(f"{field} '{text}'")
        return _get_record(scope, found[0])
    raise refusal({"id": "is missing: give an id, an email or a phone"})


def _value_of(field: str, kind: AliasKind, text: str) -> str:
    return make_address(field, kind, text).value


def _changes(body: LeadChange, outcome: Outcome) -> dict[str, Any]:
    """Return what is to be set. A reason for a loss is only kept of what is lost."""
    names = {"value": "value", "note": "notes"}
    if outcome is Outcome.LOST:
        names["lossReason"] = "loss_reason"
    return {ours: getattr(body, it) for it, ours in names.items() if it in body.model_fields_set}


def _get_record(scope: Scope, lead_id: str) -> Record:
    record = None if "\x00" in lead_id else find_record(scope, lead_id)
    if record is None:
        _refuse_unknown(f"id '{lead_id}'")
    return record


def _refuse_unknown(what: str) -> NoReturn:
    raise NotFoundError(f"There is no lead with the {what}.")
