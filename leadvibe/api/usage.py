"""How many events the organisation uses a month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import cast
from uuid import UUID

from flask import current_app

from leadvibe.identity.queries import get_organization
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.metrics.usage import get_usage


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageMonth:
    month: str
    """As in 2026-11."""
    events: int
    overage: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageItem:
    """Events of the current month (UTC) in all units, and how many of them exceed the limit.

    `monthly_limit` is null when there is none. `ou_monthly_events` are those of the active unit,
    `history` the last twelve months with the current one last.
    """

    org_id: UUID
    org_name: str
    month: str
    monthly_events: int
    monthly_limit: int | None
    overage: int
    ou_monthly_events: int
    history: list[UsageMonth]


def show_usage(principal: Principal) -> UsageItem:
    """How many events came in this month, in all units of the organisation.

    What Leadvibe itself writes, messages that came twice and sample data do not count.
    """
    limit = cast("int | None", current_app.config["MONTHLY_EVENT_LIMIT"])
    usage = get_usage(principal.scope, limit=limit, now=utc_now())
    organization = get_organization(principal.org_id)
    return UsageItem(
        org_id=organization.org_id,
        org_name=organization.name,
        month=_spelled(usage.current.month),
        monthly_events=usage.current.events,
        monthly_limit=usage.limit,
        overage=usage.current.overage,
        ou_monthly_events=usage.unit_events,
        history=[
            UsageMonth(month=_spelled(it.month), events=it.events, overage=it.overage)
            for it in usage.months
        ],
    )


def _spelled(month: date) -> str:
    return month.isoformat()[: len("2026-11")]
