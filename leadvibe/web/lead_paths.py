"""Addresses of leads."""

from __future__ import annotations

from leadvibe.leads.addresses import path_segment

LEADS = "/app/leads"


def lead_path(lead_id: str) -> str:
    """Return the path of the lead's page; leads.addresses.read_lead_id reads its last segment."""
    return f"{LEADS}/{path_segment(lead_id)}"
