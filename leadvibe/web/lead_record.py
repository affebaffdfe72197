"""What is recorded of a lead beside its scores, as its page shows it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.leadlist.record_types import Record
from leadvibe.leadlist.records import find_record
from leadvibe.leads.fields import BY_NAME, FIELDS, FieldGroup, read_value
from leadvibe.leads.types import Lead
from leadvibe.pipeline.recording import STATUS_PROPERTY
from leadvibe.web.forms.deal import DealForm
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.lead_state import LeadState
from leadvibe.web.pages.display import Moment
from leadvibe.web.pages.lead import Deal, Drafts, RecordedFact, RecordGroup
from leadvibe.web.recorded_filter import LABELS, STATUS_LABELS, spell

IN_FORM = frozenset({"value", "currency", "loss_reason", "next_call_at", "source", "notes"})
"""Fields that the form changes; others are changed as the properties they are."""


def say(column: str, value: Any) -> str | Moment:
    """Say what is recorded in a column; times are for the reader's zone."""
    return Moment.of(value) if isinstance(value, datetime) else spell(column, value)


def shows_in_deal(name: str, value: Any) -> bool:
    """Say whether the card of the deal has a property already, as a field or in a group.

    What the contact's group has stays among the properties: it says who a lead is, as they do.
    """
    if name == STATUS_PROPERTY:
        return True
    field = BY_NAME.get(name)
    if field is None or field.group is FieldGroup.CONTACT:
        return False
    return read_value(field.kind, value) is not None


def build_deal(principal: Principal, lead: Lead, state: LeadState, drafts: Drafts) -> Deal | None:
    """Return what is recorded, to be changed by who may; None when nothing can be."""
    record = find_record(principal.scope, lead.lead_id)
    if record is None:
        return None
    can_edit = can(principal, Permission.WRITE_DATA)
    return Deal(
        status=STATUS_LABELS[record.status],
        facts=tuple(_facts(record)),
        groups=tuple(_groups(record, state, can_edit=can_edit)),
        form=(drafts.deal or DealForm.of(record)) if can_edit else None,
        save_url=f"{lead_path(lead.lead_id)}/deal",
        is_open=drafts.deal is not None,
    )


def _facts(record: Record) -> Iterator[RecordedFact]:
    for field in FIELDS:
        if field.name in IN_FORM and (said := say(field.name, record.fields[field.name])):
            yield RecordedFact(field.label, said)


def _groups(record: Record, state: LeadState, *, can_edit: bool) -> Iterator[RecordGroup]:
    for group in FieldGroup:
        facts = tuple(
            RecordedFact(
                label=LABELS[field.name],
                value=said,
                edit_url=state.url(edit=field.name) if can_edit else "",
            )
            for field in FIELDS
            if field.group is group
            and field.name not in IN_FORM
            and (said := say(field.name, record.fields[field.name]))
        )
        if facts:
            yield RecordGroup(title=group.value, facts=facts)
