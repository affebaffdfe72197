"""Addresses of the pages about triggers."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from leadvibe.engine.triggers import TriggerKind
from leadvibe.web.pages.display import query_url

TRIGGERS = "/app/triggers"
HISTORY = f"{TRIGGERS}/history"
SLACK_CHANNELS = f"{TRIGGERS}/slack-channels"
LEADS_OFFERED = f"{TRIGGERS}/leads"

KIND = f"<any({', '.join(TriggerKind)}):kind>"
"""Of a route."""
ONE = f"/triggers/{KIND}/<uuid:trigger_id>"


def list_path(kind: TriggerKind | None) -> str:
    return query_url(TRIGGERS, {"kind": kind or ""})


def new_path(kind: TriggerKind) -> str:
    return f"{TRIGGERS}/{quote(kind)}/new"


def trigger_path(kind: TriggerKind, trigger_id: UUID, end: str = "") -> str:
    return f"{TRIGGERS}/{quote(kind)}/{trigger_id}{end}"


def history_path(**wanted: str) -> str:
    return query_url(HISTORY, wanted)
