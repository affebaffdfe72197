"""What is recorded of a lead beside its scores, as its page shows it."""

from __future__ import annotations

from collections.abc import Iterator

from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.leadlist.record_types import Record
from leadvibe.leadlist.records import find_record
from leadvibe.leads.fields import FIELDS, FieldGroup
from leadvibe.leads.types import Lead
from leadvibe.web.forms.deal import DealForm
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.lead_state import LeadState
from leadvibe.web.pages.display import Fact
from leadvibe.web.pages.lead import Deal, Drafts, RecordedFact, RecordGroup
from leadvibe.web.recorded_filter import LABELS, STATUS_LABELS, spell

IN_FORM = frozenset({"value", "currency", "loss_reason", "next_call_at", "source", "notes"})
"""Fields that the form changes; others are changed as the properties they are."""


def build_deal(principal: Principal, lead: Lead, state: LeadState, drafts: Drafts) -> Deal | None:
    """Return what is recorded, to be changed by who may; None when nothing can be."""
    record = find_record(principal.scope, lead.lead_id)
    if record is None:
        return None
    can_edit = can(principal, Permission.WRITE_DATA)
    return Deal(
        status=STATUS_LABELS[record.status],
        facts=() if can_edit else tuple(_facts(record)),
        groups=tuple(_groups(record, state, can_edit=can_edit)),
        form=(drafts.deal or DealForm.of(record)) if can_edit else None,
        save_url=f"{lead_path(lead.lead_id)}/deal",
        is_open=drafts.deal is not None,
    )


def _facts(record: Record) -> Iterator[Fact]:
    for field in FIELDS:
        if field.name in IN_FORM and (said := spell(field.name, record.fields[field.name])):
            yield Fact(field.label, said)


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
            and (said := spell(field.name, record.fields[field.name]))
        )
        if facts:
            yield RecordGroup(title=group.value, facts=facts)
