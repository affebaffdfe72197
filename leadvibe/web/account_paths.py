"""Addresses of accounts: their ids are any text, spelled as those of leads are."""

from __future__ import annotations

from leadvibe.web.lead_paths import LEADS, lead_path

ACCOUNTS = "/app/accounts"


def account_path(account_id: str) -> str:
    """Return the path of the account's page; read_lead_id reads its last segment."""
    return f"{ACCOUNTS}{lead_path(account_id).removeprefix(LEADS)}"
