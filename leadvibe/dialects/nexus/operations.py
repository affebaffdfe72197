"""The operations of this API: one table for its routes and its published document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from leadvibe.dialects.nexus import leads
from leadvibe.dialects.nexus.params import Claim, LeadChange, LeadQuery, NewLead
from leadvibe.dialects.nexus.serialize import LeadItem, LeadPage
from leadvibe.identity.api_keys import DELETE_LEADS, READ_LEADS, WRITE_LEADS

BASE = "/api/v1"
LEADS = f"{BASE}/leads"


@dataclass(frozen=True, slots=True)
class Operation:
    """`view` takes the principal, then the lead's id if the path has one, then what is given.

    Its answer is a reply, or a reply and another status than the first; None where nothing is said.
    """

    method: str
    path: str
    name: str
    title: str
    scope: str
    view: Callable[..., Any]
    reply: type[LeadItem | LeadPage] | None
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    statuses: tuple[int, ...] = (200,)
    refusals: tuple[int, ...] = ()
    """Beside those of every operation."""


OPERATIONS = (
    Operation(
        "GET", LEADS, "listLeads", "List leads", READ_LEADS, leads.list_leads, LeadPage,
        query=LeadQuery, refusals=(400,),
    ),
    Operation(
        "POST", LEADS, "createLead", "Create a lead", WRITE_LEADS, leads.create_lead, LeadItem,
        body=NewLead, statuses=(201, 200), refusals=(400, 413, 415),
    ),
    Operation(
        "GET", f"{LEADS}/{{leadId}}", "getLead", "Get a lead", READ_LEADS, leads.get_lead,
        LeadItem, refusals=(404,),
    ),
    Operation(
        "PATCH", f"{LEADS}/{{leadId}}", "updateLead", "Change a lead", WRITE_LEADS,
        leads.update_lead, LeadItem, body=LeadChange, refusals=(400, 404, 409, 413, 415),
    ),
    Operation(
        "DELETE", f"{LEADS}/{{leadId}}", "deleteLead", "Delete a lead for good", DELETE_LEADS,
        leads.delete_lead, None, statuses=(204,), refusals=(404,),
    ),
    Operation(
        "POST", f"{LEADS}/{{leadId}}/claim", "claimLead", "Claim a lead for 24 hours",
        WRITE_LEADS, leads.claim_lead, LeadItem, body=Claim, refusals=(400, 404, 409, 413, 415),
    ),
)  # fmt: skip
