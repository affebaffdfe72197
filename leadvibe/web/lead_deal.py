"""What is recorded of a lead beside its scores: the deal, changed by hand, and where it is from."""

from __future__ import annotations

from http.client import CONFLICT, UNPROCESSABLE_ENTITY

from flask import Blueprint
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require_member
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Principal
from leadvibe.leadlist.record_types import Record
from leadvibe.leadlist.records import find_record
from leadvibe.leads.queries import get_lead
from leadvibe.leads.types import Lead
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import TooLargeError
from leadvibe.pipeline import recording
from leadvibe.web.forms.deal import DealForm
from leadvibe.web.forms.member_form import read_seen
from leadvibe.web.lead import DEAL, lead_id_of, show
from leadvibe.web.lead_editing import lead_back
from leadvibe.web.notices import say
from leadvibe.web.pages.lead import Drafts
from leadvibe.web.recorded_filter import STATUS_LABELS

VIA = "app"
CHANGED = (
    "Somebody has changed this since you opened it. Nothing is saved yet: save again to replace it"
    " with what stands here."
)

pages = Blueprint("lead-deal", __name__)


@pages.post("/leads/<segment>/deal")
def save_deal(segment: str) -> AnyResponse:
    """Save what changed, unless somebody else has changed something meanwhile."""
    principal = require_member(Permission.WRITE_DATA)
    lead, form = get_lead(principal.scope, lead_id_of(segment)), DealForm(request.form)
    record = find_record(principal.scope, lead.lead_id)
    if record is None or not form.validate():
        return _refuse(principal, lead, form, UNPROCESSABLE_ENTITY)
    if read_seen(form.state.data) < record.updated_at:
        form.form_errors.append(CHANGED)
        form.state.data = record.updated_at.isoformat()
        return _refuse(principal, lead, form, CONFLICT)
    try:
        _save(principal, record, form)
    except TooLargeError as error:
        form.show(error)
        return _refuse(principal, lead, form, UNPROCESSABLE_ENTITY)
    return lead_back(lead, DEAL)


def _save(principal: Principal, record: Record, form: DealForm) -> None:
    now = utc_now()
    changed = recording.update_lead(
        principal.scope,
        record.lead_id,
        properties=form.changes(record),
        status=form.wanted_status,
        by=principal.label,
        via=VIA,
        now=now,
    )
    say(f"The lead is {STATUS_LABELS[changed].lower()} now." if changed else "The deal is saved.")


def _refuse(principal: Principal, lead: Lead, form: DealForm, status: int) -> AnyResponse:
    return show(principal, lead, drafts=Drafts(deal=form), status=status)
