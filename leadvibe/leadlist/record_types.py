"""Which records are asked for and in which order, and what a record says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from leadvibe.leadlist.types import Comparison
from leadvibe.leads.statuses import Outcome, Status


class HeldBy(NamedTuple):
    """Only leads that a member has, or nobody for None: a claim that has ended holds nothing."""

    member_id: UUID | None
    now: datetime


class Order(NamedTuple):
    column: str
    is_descending: bool = False


NEWEST = Order("created_at", is_descending=True)


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Which leads, and in which order.

    `search` is looked for in the person's name, e-mail addresses and phone numbers;
    `searches_more` adds the company, and what lists call the lead.
    """

    conditions: tuple[Comparison, ...] = ()
    held_by: HeldBy | None = None
    search: str = ""
    searches_more: bool = False
    orders: tuple[Order, ...] = (NEWEST,)

    def narrowed(self, *conditions: Comparison) -> RecordQuery:
        return replace(self, conditions=(*self.conditions, *conditions))

    def without_settled_orders(self) -> RecordQuery:
        """Leave out orders by what all leads that are asked for have alike."""
        settled = {it.column for it in self.conditions if it.operator == "eq"}
        settled |= {it.column for it in self.conditions if it[1:] == ("exists", False)}
        orders = tuple(it for it in self.orders if it.column not in settled)
        return replace(self, orders=orders or (NEWEST,))


@dataclass(frozen=True, slots=True)
class Record:
    """What is recorded of a lead. `display_name` is what lists call it."""

    lead_id: str
    display_name: str
    name: str | None
    email: str | None
    phone: str | None
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    intake: str
    status: Status
    outcome: Outcome
    created_at: datetime
    updated_at: datetime
    qualified_at: datetime | None
    owner_id: UUID | None
    claimed_until: datetime | None
    fields: Mapping[str, Any]
    """Values of leads.fields, by name; None where there is none."""

    def holder_at(self, now: datetime) -> UUID | None:
        """Return who has the lead at an instant: nobody when that claim has ended."""
        is_over = self.claimed_until is not None and self.claimed_until <= now
        return None if is_over else self.owner_id
