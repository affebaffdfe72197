"""What a trigger would have done lately, tried as it stands in its form. Nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission
from leadvibe.identity.types import Scope
from leadvibe.leads.errors import LeadNotFoundError
from leadvibe.leads.queries import get_lead, list_names, search_leads
from leadvibe.leads.types import Lead
from leadvibe.lib.clock import utc_now
from leadvibe.triggers.simulation import SHOWN, simulate
from leadvibe.triggers.types import MatchedLead, Setup
from leadvibe.triggers.wording import words_of_simulation
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.pages.display import Moment, counted, thousands
from leadvibe.web.pages.triggers import OfferedLead, OfferedLeads, Trial, TrialRow
from leadvibe.web.rendering import render
from leadvibe.web.trigger_paths import LEADS_OFFERED, TRIGGERS

MOST_DAYS = 365
USUAL_DAYS = "30"
OFFERED = 10
NAMED = 3

pages = Blueprint("trigger-trials", __name__)


@pages.get("/triggers/leads")
def offer_leads() -> AnyResponse:
    """Offer leads while somebody types; a field that is its own list of suggestions."""
    scope = require(Permission.READ).scope
    found = search_leads(scope, request.args.get("lead", ""), limit=OFFERED)
    names = list_names(scope, [lead_id for lead_id, _, _ in found])
    leads = (OfferedLead(id=it, name=names.get(it) or alias or it) for it, _, alias in found)
    page = OfferedLeads(leads=tuple(leads))
    fragments = {"lead-offers": "triggers/_leads.html"}
    return render("triggers/_leads.html", page=page, section=TRIGGERS, fragments=fragments)


def untried(form: Mapping[str, str]) -> Trial:
    """Return the panel before anything was tried, with what is written in it."""
    return Trial(
        days=form.get("days", USUAL_DAYS), lead=form.get("lead", ""), leads_url=LEADS_OFFERED
    )


def failed(form: Mapping[str, str], problem: str) -> Trial:
    days, lead = form.get("days", USUAL_DAYS), form.get("lead", "")
    return Trial(days=days, lead=lead, problem=problem, leads_url=LEADS_OFFERED)


def tried(scope: Scope, setup: Setup, form: Mapping[str, str]) -> Trial:
    """Try a trigger over the days, and on the lead, that the panel names."""
    text, sought = form.get("days", USUAL_DAYS).strip(), form.get("lead", "").strip()
    days = int(text) if text.isdecimal() and len(text) <= len(str(MOST_DAYS)) else 0
    if not 1 <= days <= MOST_DAYS:
        return failed(form, f"Look back from 1 to {MOST_DAYS} days.")
    lead = None
    if sought:
        found = _find_lead(scope, sought)
        if isinstance(found, str):
            return failed(form, found)
        lead = found
    simulation = simulate(
        scope, setup, days=days, now=utc_now(), lead_id=lead.lead_id if lead else None
    )
    return Trial(
        days=str(days),
        lead=sought,
        message=words_of_simulation(simulation, days=days, lead_name=lead.name if lead else None),
        would_fire=simulation.total > 0,
        rows=tuple(map(_row, simulation.leads)),
        note=f"The latest {SHOWN} of {thousands(simulation.total)}."
        if simulation.total > SHOWN
        else "",
        leads_url=LEADS_OFFERED,
    )


def _find_lead(scope: Scope, text: str) -> Lead | str:
    """Return the lead that somebody means, or what to say when that is not clear."""
    if "\0" not in text:
        try:
            return get_lead(scope, text)
        except LeadNotFoundError:
            pass
    found = search_leads(scope, text.replace("\0", ""), limit=NAMED + 1)
    if len(found) == 1:
        return get_lead(scope, found[0][0])
    if not found:
        return f"There is no lead “{text}” in this unit."
    aliases = ", ".join(alias or lead_id for lead_id, _, alias in found[:NAMED])
    more = " and more" if len(found) > NAMED else ""
    return f"“{text}” finds several leads, such as {aliases}{more}: choose one."


def _row(matched: MatchedLead) -> TrialRow:
    return TrialRow(
        name=matched.name,
        url=lead_path(matched.lead_id),
        at=Moment.of(matched.fired_at),
        event_type=matched.event_type,
        times=counted(matched.count, "time") if matched.count > 1 else "",
    )
